import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { FleetJson, NodeJson } from '../../src/control/fleet/fleet.types.ts';
import type { RolloutJson } from '../../src/control/rollout/rollout.types.ts';
import { untilLive } from '../../src/edge/demo/until-live.ts';
import type { RunningEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import { eventually } from '../support/envoy.ts';
import { nodeId, openHouse, type House } from '../support/house.ts';
import { sekisho } from '../support/sekisho.ts';
import { takePort } from '../support/taken-port.ts';

const url = 'https://us-east-1.console.aws.amazon.com/console/home';
const restId = 'rest-1';

/** Two nodes, each with a door of its own: `lab` at the canary, `rest` at the other one. */
let house: House;
let rest: RunningEnvoy;
let goodPins: Record<string, string[]>;
before(async () => {
  house = await openHouse({
    futureHosts: ['one.example.com', 'two.example.com', 'three.example.com'],
    policy: (policy) => {
      const { address = '' } = policy.fleet.nodes.egress[0] ?? {};
      policy.fleet.nodes['others'] = [{ id: restId, address }];
      policy.doors = policy.doors.filter(({ name }) => name === 'lab');
      policy.doors.push({ name: 'rest', on: 'others', kind: 'forward', listen: `${address}:3130`, users: 'none' });
      policy.rollout = { canary: [nodeId], soak: '3s' };
    },
  });
  rest = await house.startStranger(restId, restId);
  await untilLive(rest);
});
after(() => house.close());
afterEach(async () => {
  for (const one of walking.splice(0)) await one.stop();
});
beforeEach(() =>
  eventually('a steady fleet', async () => (await fleet()).healthy && (await rolloutOf()).state === 'steady'),
);

test('a good change goes to the canary alone, and on to all others once it has soaked and has been used', async () => {
  const [canary, other] = [people('lab'), people('rest')];
  const was = await nodes();
  await house.reload((policy) => void (policy.console.also = ['one.example.com']));
  const { state, canaries } = await until('the canary has it', ({ state }) => state === 'canary');
  assert.deepEqual([state, canaries], ['canary', [nodeId]]);
  await eventually('the canary runs it', async () => (await nodes()).canary.running !== was.canary.running);
  assert.equal((await nodes()).rest.target, was.rest.target, 'the other has not been told');

  await until('it goes on', ({ state }) => state === 'spreading' || state === 'steady');
  await eventually('the other runs it', async () => {
    const { rest } = await nodes();
    return rest.inStep && rest.running !== was.rest.running;
  });
  await until('it is over', ({ state }) => state === 'steady');
  assert.equal(await knows(rest, 'one.example.com'), true);
  assert.deepEqual([...(await canary.stop()), ...(await other.stop())], []);
});

test('a change that the canary refuses is rolled back, nobody else has seen it, and a restart does not try it again', async () => {
  const [canary, other] = [people('lab'), people('rest')];
  const was = await nodes();
  const { listen, free } = await takePort(house.address);
  await house.reload((policy) => {
    policy.console.also = ['two.example.com'];
    policy.doors.push({ name: 'taken', on: 'egress', kind: 'forward', listen, users: 'none' });
  });
  const { refusal } = await until('it is rolled back', ({ state }) => state === 'rolled-back');
  assert.equal(refusal?.cause, 'nack');
  assert.match(refusal.text, /^egress-1 refused it: [^]*taken\/connect/);
  const rolledBack = await house.record({
    'sekisho.control.act': 'rolled_back',
    'sekisho.control.actor': 'rollout',
  });
  assert.match(String(rolledBack['sekisho.control.text']), /^nack: egress-1 refused it/);
  assert.deepEqual(rolledBack['sekisho.control.nodes'], [nodeId]);
  await eventually('the canary is back', async () => {
    const { canary: now } = await nodes();
    return now.inStep && now.running === was.canary.running;
  });
  assert.equal((await nodes()).rest.target, was.rest.target);
  assert.equal(await knows(rest, 'two.example.com'), false);
  assert.doesNotMatch(await house.ask('/listeners'), /taken/);
  const told = await sekisho(['fleet', '--admin', admin()]);
  assert.equal(told.code, 1, 'the file is not what runs');
  assert.match(told.stdout, /ROLLOUT {2}rolled-back[^]*because +nack: egress-1 refused it/);
  assert.deepEqual([...(await canary.stop()), ...(await other.stop())], []);

  await restart('SIGKILL');
  await eventually('both are back', async () => (await fleet()).nodes.every(({ inStep }) => inStep));
  assert.equal((await rolloutOf()).state, 'rolled-back');
  assert.doesNotMatch(await house.ask('/listeners'), /taken/);
  assert.equal(await knows(rest, 'two.example.com'), false);
  const folder = join(house.dir, 'data', 'state');
  const [name = ''] = (await readdir(folder)).filter((one) => one.startsWith('rollout.json.'));
  assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
  assert.doesNotMatch(await readFile(join(folder, name), 'utf8'), /PRIVATE KEY/);

  await free();
  await house.reload((policy) => {
    policy.console.also = ['one.example.com'];
    policy.doors = policy.doors.filter(({ name }) => name !== 'taken');
  });
});

test('a change that turns the answers of the canary into 503 is rolled back, and nobody else sees an error', async () => {
  const [canary, other] = [people('lab'), people('rest')];
  await house.reload((policy) => {
    goodPins = policy.console.pins;
    policy.console.pins = Object.fromEntries(Object.keys(goodPins).map((host) => [host, [`${house.address}:1`]]));
  });
  const { refusal } = await until('it is rolled back', ({ state }) => state === 'rolled-back');
  assert.equal(refusal?.cause, 'server-errors');
  assert.match(
    refusal.text,
    /% of \d+ answers of the canary nodes were server errors \(5xx\), and 0\.0 % of \d{2,} of the others/,
  );
  await eventually('the canary is well again', async () => {
    const { status } = await house.visitor().request({ url });
    return status === 200;
  });
  const seen = await canary.stop();
  assert.ok(
    seen.length >= 50 && seen.every((status) => status === '503'),
    `${seen.length} ${[...new Set(seen)].join()}`,
  );
  assert.deepEqual(await other.stop(), []);
  await house.reload((policy) => void (policy.console.pins = goodPins));
});

test('a restart in the middle of a soak goes on where it was', async () => {
  await house.reload((policy) => {
    policy.rollout = { canary: [nodeId], soak: '12s' };
  });
  assert.equal((await rolloutOf()).state, 'steady', 'no node gets anything by that');
  const walking = people('lab');
  await house.reload((policy) => void (policy.console.also = ['one.example.com', 'two.example.com']));
  await until('most of the soak is over', ({ soak }) => soak.left <= 4);
  await restart('SIGKILL');
  const { state, soak } = await rolloutOf();
  assert.equal(state, 'canary');
  assert.ok(soak.left <= 9, `${soak.left} s left`);
  await eventually('the nodes are back', async () => (await fleet()).nodes.every(({ inStep }) => inStep));
  const each = async () => [await knows(house.envoy(), 'two.example.com'), await knows(rest, 'two.example.com')];
  assert.deepEqual(await each(), [true, false], 'each has what it had');
  await until('it goes on', ({ state }) => state === 'spreading');
  await eventually('the other has it', async () => (await each()).every(Boolean));
  await walking.stop();
});

test('a change is paused, resumed, forced and rolled back from the command line', async () => {
  await house.reload((policy) => {
    policy.rollout = { canary: [nodeId], soak: '2s' };
  });
  const nothing = await told('pause');
  assert.deepEqual([nothing.code, nothing.rollout.state], [1, 'steady']);
  assert.match(nothing.stderr, /nothing to pause/);

  const was = await nodes();
  await house.reload((policy) => void (policy.console.also = ['three.example.com']));
  assert.deepEqual(shown(await told('pause')), [0, 'paused']);
  const paused = await house.record({ ...byHand, 'sekisho.control.act': 'paused' });
  assert.deepEqual(paused['sekisho.control.nodes'], [nodeId]);
  await eventually('the canary runs it', async () => (await nodes()).canary.inStep);
  assert.ok((await rolloutOf()).waits.some((wait) => wait.startsWith('paused')));
  assert.deepEqual(shown(await told('resume')), [0, 'canary']);
  await until('it waits for traffic alone', ({ waits }) => waits.length === 1);
  const [wait] = (await rolloutOf()).waits;
  assert.match(wait ?? '', /^0 of 50 answers of the canary nodes; with less traffic, sekisho fleet resume --force/);
  assert.equal((await nodes()).rest.target, was.rest.target);
  assert.deepEqual(shown(await told('resume', '--force')), [0, 'spreading']);
  await eventually('the other runs it', async () => (await nodes()).rest.running !== was.rest.running);

  const promoted = await house.record({ ...byHand, 'sekisho.control.act': 'promoted' });
  assert.deepEqual(promoted['sekisho.control.nodes'], [restId]);

  assert.deepEqual(shown(await told('rollback')), [0, 'rolled-back']);
  await eventually('both run what they ran', async () => {
    const { canary, rest } = await nodes();
    return canary.running === was.canary.running && rest.running === was.rest.running;
  });
  assert.deepEqual((await rolloutOf()).refusal?.cause, 'operator');
  assert.deepEqual(shown(await told('resume')), [0, 'canary'], 'it is tried again');
  assert.deepEqual(shown(await told('rollback')), [0, 'rolled-back']);
  await house.reload((policy) => void (policy.console.also = ['one.example.com', 'two.example.com']));
});

const byHand = {
  'sekisho.control.actor': 'operator',
  'sekisho.control.operator': userInfo().username,
} as const;

/** `sekisho fleet COMMAND`, and what it says of the rollout. */
async function told(...command: string[]) {
  const ran = await sekisho(['fleet', ...command, '-o', 'json', '--admin', admin()]);
  return { ...ran, rollout: (JSON.parse(ran.stdout) as { rollout: RolloutJson }).rollout };
}

function shown({ code, rollout }: Awaited<ReturnType<typeof told>>): unknown[] {
  return [code, rollout.state];
}

function admin(): string {
  return `http://${house.address}:18080`;
}

async function restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const service = house.service();
  service.signal(signal);
  await service.ended;
  await house.startService();
}

const walking: { stop(): Promise<string[]> }[] = [];

/** Whether the routes of an Envoy lead to a host. */
async function knows(envoy: RunningEnvoy, host: string): Promise<boolean> {
  return (await house.ask('/config_dump?resource=dynamic_route_configs', envoy)).includes(host);
}

/** Somebody who asks a door without a pause; `stop` gives what was not answered with 200. */
function people(door: string): { bad: string[]; stop(): Promise<string[]> } {
  const bad: string[] = [];
  const leaving = new AbortController();
  const visitor = house.visitor({ door });
  const asked = (async () => {
    while (!leaving.signal.aborted) {
      const answered = await visitor.request({ url }).then(({ status }) => String(status), String);
      if (answered !== '200') bad.push(answered);
    }
  })();
  const one = {
    bad,
    stop: async () => {
      leaving.abort();
      await asked;
      await visitor.close();
      return bad;
    },
  };
  walking.push(one);
  return one;
}

async function fleet(): Promise<FleetJson & { rollout: RolloutJson }> {
  return JSON.parse(await house.fleet()) as FleetJson & { rollout: RolloutJson };
}

async function rolloutOf(): Promise<RolloutJson> {
  return (await fleet()).rollout;
}

async function until(what: string, is: (rollout: RolloutJson) => boolean): Promise<RolloutJson> {
  let last: RolloutJson | undefined;
  await eventually(what, async () => is((last = await rolloutOf())), 40_000).catch((caught: unknown) => {
    throw new Error(JSON.stringify(last), { cause: caught });
  });
  assert.ok(last);
  return last;
}

async function nodes(): Promise<{ canary: NodeJson; rest: NodeJson }> {
  const all = (await fleet()).nodes;
  const [canary, rest] = [nodeId, restId].map((id) => all.find((node) => node.id === id));
  assert.ok(canary && rest);
  return { canary, rest };
}
