import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { realDisk } from '../../../src/base/disk.ts';
import { silentLog } from '../../../src/base/log.ts';
import { createMetrics } from '../../../src/base/metrics.ts';
import { FleetStatus } from '../../../src/control/fleet/fleet-status.ts';
import { History, type ControlReport } from '../../../src/control/history/history.ts';
import { plan } from '../../../src/control/plan.ts';
import { policyId } from '../../../src/control/rollout/kept-policy.ts';
import type { Revision } from '../../../src/control/rollout/reach.ts';
import { openPrivateState } from '../../../src/control/state/open-state.ts';
import type { SharedState } from '../../../src/control/state/shared-state.types.ts';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import { openRollout, type RolloutRole } from '../../../src/edge/service/rollout-role.ts';
import { loadPolicy } from '../../../src/policy/load.ts';
import type { Policy } from '../../../src/policy/policy.types.ts';
import type { ControlEvent } from '../../../src/wire/control-event.ts';
import { sharedState } from '../../control/state/state-fixture.ts';
import { eventually } from '../../support/envoy.ts';
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

const stateIn = (data: string) =>
  openPrivateState({
    folder: join(data, 'state'),
    fleet: 'tokyo',
    name: 'test',
    disk: realDisk,
    now: () => Date.now(),
  });

/** The service starts with this in its file; it ends with the test at the latest. */
async function start(t: TestContext, data: string, from: string, report?: ControlReport): Promise<RolloutRole> {
  const state = await stateIn(data);
  let ended: Promise<void> | undefined;
  const opened = openAt(state, await policyOf(from), report);
  const role = await opened.catch(async (caught: unknown) => {
    await state.close();
    throw caught;
  });
  const close = () => (ended ??= role.close().finally(() => state.close()));
  atEnd(t, close);
  return { ...role, close };
}

function openAt(state: SharedState, policy: Policy, report: ControlReport = () => undefined): Promise<RolloutRole> {
  const publisher: Publisher = new Publisher({ resolve: () => undefined });
  const history = new History({ clock: systemClock, report });
  return openRollout({
    state,
    policy,
    build,
    turn: (work) => work(),
    publisher,
    status: new FleetStatus({ clock: systemClock }),
    published: (publication) => {
      history.published(publication);
    },
    history,
    log: silentLog,
    metrics: createMetrics({ process: false }),
  });
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
  await first.adopt(await policyOf(text(2)));
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
  await first.adopt(await policyOf(text(2)));
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
  await first.adopt(await policyOf(text(2)));
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
  await first.adopt(await policyOf(text(2)));
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
  const role = await start(t, data, text(1));
  await rename(join(data, 'state'), join(data, 'away'));
  await role.adopt(await policyOf(text(2)));
  role.rollout.command('force', 'taro');
  assert.deepEqual(standing(role), ['spreading', 2, 2]);
  await rename(join(data, 'away'), join(data, 'state'));
  await role.close();
  assert.match(String(await kept(data)), /"spreading"/);
});

test('what becomes of a change is on record: by whom, what, and which nodes', async (t) => {
  const events: ControlEvent[] = [];
  const role = await start(t, await dataFolder(t), text(1), (event) => void events.push(event));
  const { rollout } = role;
  const acts = () => events.splice(0).map(({ act, actor, operator, nodes }) => [act, actor, operator, nodes.join(' ')]);
  assert.deepEqual(acts(), [['published', 'policy', '', 'egress-1 egress-2']]);
  await role.adopt(await policyOf(text(2)));
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

test('of two control planes the holder of the lease decides, and the other one shows its nodes the same', async (t) => {
  const { first, second } = await pair(t, text(1));
  assert.deepEqual(
    [standing(first), standing(second)],
    [
      ['steady', 1, 1],
      ['steady', 1, 1],
    ],
  );

  // Whose file changes first does not matter.
  await second.adopt(await policyOf(text(2)));
  assert.deepEqual(
    [standing(first), standing(second)],
    [
      ['steady', 1, 1],
      ['steady', 1, 1],
    ],
  );
  assert.throws(() => second.command('force', 'taro'), { code: 'lease_elsewhere', facts: { holder: 'first' } });
  await first.adopt(await policyOf(text(2)));
  await until(second, ['trial', 2, 1]);
  first.command('pause', 'taro');
  await untilPaused(second);
  first.command('force', 'taro');
  await until(second, ['spreading', 2, 2]);
  first.command('rollback', 'taro');
  await until(second, ['steady', 1, 1]);
  assert.equal(second.rollout.state.refused[0]?.cause, 'operator');
});

test('a change that only the file of another control plane has is followed all the same', async (t) => {
  const { first, second } = await pair(t, text(1));
  await first.adopt(await policyOf(text(2)));
  await until(second, ['trial', 2, 1]);
});

test('who takes the lease over goes on with the trial, and with its own file once it decides', async (t) => {
  const { first, second, states, pass } = await pair(t, text(1));
  await first.adopt(await policyOf(text(2)));
  await second.adopt(await policyOf(text(2)));
  first.command('pause', 'taro');
  await untilPaused(second);
  const { state } = second.rollout;
  // The first one stands still.
  await states[1].look();
  pass(15_000);
  await states[1].look();
  assert.equal(states[1].held, true);
  await eventually('the second one decides', () => Promise.resolve(second.leads()));
  assert.deepEqual(second.rollout.state, state);
  // It wakes up, has not looked yet, and can do nothing.
  assert.throws(() => first.command('force', 'taro'), { code: 'lease_elsewhere' });
  second.command('force', 'taro');
  await until(second, ['spreading', 2, 2]);
  await states[0].look();
  await until(first, ['spreading', 2, 2]);
});

async function untilPaused(role: RolloutRole): Promise<void> {
  await eventually('the pause is known', () => {
    const { phase } = role.rollout.state;
    return Promise.resolve(phase.kind === 'trial' && phase.paused);
  });
}

async function pair(t: TestContext, from: string) {
  const clock = { at: 1_000 };
  const folder = await dataFolder(t);
  const states = [await sharedState(t, folder, 'first', clock), await sharedState(t, folder, 'second', clock)] as const;
  const policy = await policyOf(from);
  const first = await openAt(states[0], policy);
  const second = await openAt(states[1], policy);
  for (const role of [first, second]) atEnd(t, () => role.close());
  return { first, second, states, pass: (ms: number) => void (clock.at += ms) };
}

async function until(role: RolloutRole, expected: unknown[]): Promise<void> {
  await eventually(JSON.stringify(expected), () =>
    Promise.resolve(JSON.stringify(standing(role)) === JSON.stringify(expected)),
  );
}
