import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { realDisk } from '../../../src/base/disk.ts';
import { SekishoError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { createMetrics } from '../../../src/base/metrics.ts';
import { FleetStatus } from '../../../src/control/fleet/fleet-status.ts';
import { History, type ControlReport } from '../../../src/control/history/history.ts';
import { plan } from '../../../src/control/plan.ts';
import { policyId } from '../../../src/control/rollout/kept-policy.ts';
import type { Revision } from '../../../src/control/rollout/reach.ts';
import { openPrivateState } from '../../../src/control/state/open-state.ts';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import { openRollout, type RolloutRole } from '../../../src/edge/service/rollout-role.ts';
import { loadPolicy } from '../../../src/policy/load.ts';
import type { Policy } from '../../../src/policy/policy.types.ts';
import type { ControlEvent } from '../../../src/wire/control-event.ts';
import { atEnd } from '../../support/serve.ts';
import { hosts } from '../../support/policies.ts';

const text = (port: number, rollout = 'rollout: {canary: [egress-1]}'): string => `
fleet: {name: tokyo, egress: [51.44.71.80/32], nodes: {egress: [{id: egress-1}, {id: egress-2}]}}
doors: [{name: office, on: egress, kind: forward, listen: '127.0.0.1:${port}', users: none}]
console: {regions: [us-east-1]}
record: {assurance: stream}
${rollout}
`;

const noFiles = { readFile: () => Promise.reject(new Error()), listFolder: () => Promise.resolve([]) };

async function policyOf(from: string): Promise<Policy> {
  const loaded = await loadPolicy({ file: 'sekisho.yaml', text: from, ...noFiles });
  assert.ok('policy' in loaded, JSON.stringify(loaded));
  return loaded.policy;
}

function build(policy: Policy): Promise<Revision> {
  const pair = { certificateChain: 'CERTIFICATE', privateKey: 'KEY' };
  const keys = new Map(policy.doors.map(({ name }) => [name, { leaf: pair }]));
  return Promise.resolve({ id: policyId(policy.source), policy, plan: plan({ policy, hosts, keys }) });
}

async function dataFolder(t: TestContext): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'sekisho-role-'));
  atEnd(t, () => rm(data, { recursive: true }));
  return data;
}

type State = Parameters<typeof openRollout>[0]['state'];

const stateIn = (data: string) =>
  openPrivateState({
    folder: join(data, 'state'),
    fleet: 'tokyo',
    name: 'test',
    disk: realDisk,
    now: () => Date.now(),
  });

/** The service starts with this in its file; it ends with the test at the latest. */
async function start(
  t: TestContext,
  data: string,
  from: string,
  {
    report = () => undefined,
    through = (state) => state,
  }: { report?: ControlReport; through?: (state: State) => State } = {},
): Promise<RolloutRole> {
  const state = await stateIn(data);
  let ended: Promise<void> | undefined;
  const publisher: Publisher = new Publisher({ resolve: () => undefined });
  const history = new History({ clock: systemClock, report });
  const opened = openRollout({
    state: through(state),
    wanted: await build(await policyOf(from)),
    build,
    publisher,
    status: new FleetStatus({ clock: systemClock }),
    published: (publication) => {
      history.published(publication);
    },
    history,
    log: silentLog,
    metrics: createMetrics({ process: false }),
  });
  const role = await opened.catch(async (caught: unknown) => {
    await state.close();
    throw caught;
  });
  const close = () => (ended ??= role.close().finally(() => state.close()));
  atEnd(t, close);
  return { ...role, close };
}

/** What the canary and the others listen on, and the phase. */
function standing({ rollout }: RolloutRole): unknown[] {
  const port = (node: string): number => {
    const key = rollout.keyOf(node, true) ?? '';
    return (key.endsWith('on trial') ? rollout.wanted : rollout.stable).policy.doors[0]?.listen.port ?? 0;
  };
  return [rollout.state.phase.kind, port('egress-1'), port('egress-2')];
}

async function kept(data: string): Promise<Buffer | undefined> {
  const state = await stateIn(data);
  return state.read('rollout.json').finally(() => state.close());
}

test('the first start gives the policy of the file to all nodes, and keeps that', async (t) => {
  const data = await dataFolder(t);
  const role = await start(t, data, text(1));
  assert.deepEqual(standing(role), ['steady', 1, 1]);
  await role.close();
  assert.notEqual(await kept(data), undefined);
});

test('what was changed while the service was down goes to the canary first', async (t) => {
  const data = await dataFolder(t);
  await (await start(t, data, text(1))).close();
  const role = await start(t, data, text(2));
  assert.deepEqual(standing(role), ['trial', 2, 1]);
  await role.close();
});

test('a trial, a pause and a refusal outlive a restart', async (t) => {
  const data = await dataFolder(t);
  const first = await start(t, data, text(1));
  first.rollout.want(await build(await policyOf(text(2))));
  first.rollout.command('pause', 'taro');
  await first.close();
  const second = await start(t, data, text(2));
  assert.deepEqual(standing(second), ['trial', 2, 1]);
  assert.equal(second.rollout.state.phase.kind === 'trial' && second.rollout.state.phase.paused, true);
  second.rollout.command('rollback', 'taro');
  await second.close();
  const third = await start(t, data, text(2));
  assert.deepEqual(standing(third), ['steady', 1, 1]);
  assert.equal(third.rollout.state.refused[0]?.cause, 'operator');
  await third.close();
});

test('what was on trial and is no longer in the file is over; what is in the file is tried instead', async (t) => {
  const data = await dataFolder(t);
  const first = await start(t, data, text(1));
  first.rollout.want(await build(await policyOf(text(2))));
  await first.close();
  for (const [from, expected] of [
    [text(3), ['trial', 3, 1]],
    [text(1), ['steady', 1, 1]],
  ] as const) {
    const role = await start(t, data, from);
    assert.deepEqual(standing(role), expected);
    await role.close();
  }
});

test('the way back after a promotion outlives a restart', async (t) => {
  const data = await dataFolder(t);
  const first = await start(t, data, text(1));
  first.rollout.want(await build(await policyOf(text(2))));
  first.rollout.command('force', 'taro');
  await first.close();
  const second = await start(t, data, text(2));
  assert.deepEqual(standing(second), ['spreading', 2, 2]);
  second.rollout.command('rollback', 'taro');
  assert.deepEqual(standing(second), ['steady', 1, 1]);
  await second.close();
});

test('without a rollout in the policy nothing is kept, and what was is gone', async (t) => {
  const data = await dataFolder(t);
  const first = await start(t, data, text(1));
  first.rollout.want(await build(await policyOf(text(2))));
  await first.close();
  const second = await start(t, data, text(2, ''));
  assert.deepEqual(standing(second), ['steady', 2, 2]);
  await second.close();
  assert.equal(await kept(data), undefined);
});

test('an entry that does not tell what the fleet runs keeps the service from starting', async (t) => {
  const data = await dataFolder(t);
  const first = await start(t, data, text(1));
  await first.close();
  const whole = String(await kept(data));
  for (const spoilt of [
    '{',
    whole.replace('127.0.0.1:1', 'nowhere'),
    whole.replace(/"policies": [^]*/, '"policies": {}}'),
  ]) {
    const state = await stateIn(data);
    await state.write('rollout.json', spoilt);
    await state.close();
    await assert.rejects(start(t, data, text(2)), { code: 'state_invalid', message: /and all nodes get the policy/ });
  }
});

test('a disk that takes nothing stops no change, and what could not be kept is kept once it can be', async (t) => {
  const data = await dataFolder(t);
  let full = true;
  const through = (state: State): State => ({
    held: true,
    read: (entry) => state.read(entry),
    write: (entry, bytes) => (full ? Promise.reject(new SekishoError('disk_full', 'full')) : state.write(entry, bytes)),
    remove: (entry) => state.remove(entry),
  });
  const role = await start(t, data, text(1), { through });
  role.rollout.want(await build(await policyOf(text(2))));
  role.rollout.command('force', 'taro');
  assert.deepEqual(standing(role), ['spreading', 2, 2]);
  full = false;
  await role.close();
  assert.match(String(await kept(data)), /"spreading"/);
});

test('who does not hold the lease shows what the holder has kept, and goes on from there once it does', async (t) => {
  const data = await dataFolder(t);
  const first = await start(t, data, text(1));
  await first.want(await build(await policyOf(text(2))));
  await first.close();
  let held = false;
  const writes: string[] = [];
  const through = (state: State): State => ({
    get held() {
      return held;
    },
    read: (entry) => state.read(entry),
    write: (entry, bytes) => (writes.push(entry), state.write(entry, bytes)),
    remove: (entry) => state.remove(entry),
  });
  const role = await start(t, data, text(2), { through });
  assert.deepEqual(standing(role), ['trial', 2, 1]);
  assert.equal(role.rollout.command('force', 'taro'), false);
  await role.want(await build(await policyOf(text(3))));
  assert.deepEqual(standing(role), ['steady', 1, 1], 'the holder has not heard of that policy yet');
  assert.deepEqual(writes, []);
  held = true;
  await role.heed();
  assert.deepEqual(standing(role), ['trial', 3, 1]);
  await role.close();
  assert.notDeepEqual(writes, []);
});

test('what becomes of a change is on record: by whom, what, and which nodes', async (t) => {
  const events: ControlEvent[] = [];
  const role = await start(t, await dataFolder(t), text(1), { report: (event) => void events.push(event) });
  const { rollout } = role;
  const acts = () => events.splice(0).map(({ act, actor, operator, nodes }) => [act, actor, operator, nodes.join(' ')]);
  assert.deepEqual(acts(), [['published', 'policy', '', 'egress-1 egress-2']]);
  rollout.want(await build(await policyOf(text(2))));
  assert.deepEqual(acts(), [['published', 'policy', '', 'egress-1']]);
  for (const command of ['pause', 'pause', 'resume', 'resume', 'force', 'rollback'] as const)
    rollout.command(command, 'taro');
  assert.deepEqual(acts(), [
    ['paused', 'operator', 'taro', 'egress-1'],
    ['resumed', 'operator', 'taro', 'egress-1'],
    ['published', 'rollout', '', 'egress-1 egress-2'],
    ['promoted', 'operator', 'taro', 'egress-2'],
    ['published', 'rollout', '', 'egress-1 egress-2'],
    ['rolled_back', 'operator', 'taro', 'egress-1 egress-2'],
  ]);
  await role.close();
});
