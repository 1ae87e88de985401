import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryFolder } from '../../src/base/temporary-folder.ts';
import type { FleetJson } from '../../src/control/fleet/fleet.types.ts';
import type { RolloutJson } from '../../src/control/rollout/rollout.types.ts';
import type { LeaseJson } from '../../src/control/state/lease-json.ts';
import { untilLive } from '../../src/edge/demo/until-live.ts';
import type { RunningEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import { eventually, get } from '../support/envoy.ts';
import { nodeId, openHouse, type House, type PolicyFile } from '../support/house.ts';
import { planePorts, startSecondPlane, twoPlanes, type SecondPlane } from '../support/second-plane.ts';
import { sekisho } from '../support/sekisho.ts';
import { takePort } from '../support/taken-port.ts';

const url = 'https://us-east-1.console.aws.amazon.com/console/home';
/** The canary node. It prefers the second control plane, by its id; the other node is at the first one, which holds the lease. */
const farId = 'far-3';

type Plane = keyof typeof planePorts;
let house: House;
let state: Awaited<ReturnType<typeof temporaryFolder>>;
let second: SecondPlane;
let far: RunningEnvoy;

before(async () => {
  state = await temporaryFolder('sekisho-rollout-replicas-');
  house = await openHouse({
    serveArgs: ['--state', join(state.path, 'state')],
    futureHosts: ['one.example.com', 'two.example.com', 'three.example.com'],
    policy: (policy) => {
      twoPlanes(policy, farId);
      policy.rollout = { canary: [farId], soak: '2s' };
    },
  });
  second = await startSecondPlane(house, join(state.path, 'state'));
  // A first discovery stream goes to whoever answers first: while the first control plane stands still, that is the second.
  house.service().signal('SIGSTOP');
  far = await house.startStranger(farId, farId);
  await untilLive(far);
  house.service().signal('SIGCONT');
  await eventually('each has its node', async () => (await at('first', nodeId)) && (await at('second', farId)));
});
after(async () => {
  second.program.signal('SIGTERM');
  await second.program.ended;
  await house.close();
  await state.remove();
});

test('a change goes to the canary node at the control plane without the lease, and by what that one sees on to all', async () => {
  // Nobody has told the second one; it takes what the holder has.
  await house.reload(also('one.example.com'));
  await until('second', 'the canary has it', ({ state }) => state === 'canary');
  await eventually('the canary runs it', () => knows(far, 'one.example.com'));
  assert.equal(await knows(house.envoy(), 'one.example.com'), false);
  await until('first', 'it waits for traffic alone', ({ waits }) => waits.join().startsWith('0 of 50 answers'));
  const visitor = house.visitor({ door: 'far' });
  for (let n = 0; n < 60; n += 1) assert.equal((await visitor.request({ url })).status, 200);
  await eventually('all nodes run it', () => knows(house.envoy(), 'one.example.com'));
  for (const plane of ['first', 'second'] as const) await until(plane, 'it is over', ({ state }) => state === 'steady');
});

test('a change that the canary node refuses at the control plane without the lease is rolled back by the one that holds it', async () => {
  const { listen, free } = await takePort(house.address);
  await house.reload((policy) => {
    policy.doors.push({ name: 'taken', on: 'far', kind: 'forward', listen, users: 'none' });
  });
  const { refusal } = await until('first', 'it is rolled back', ({ state }) => state === 'rolled-back');
  assert.match(refusal?.text ?? '', /^far-3 refused it: [^]*taken\/connect/);
  await until('second', 'the other follows', ({ state }) => state === 'rolled-back');
  await eventually('the canary is back', async () => !(await house.ask('/listeners', far)).includes('taken'));
  await free();
  await house.reload((policy) => {
    policy.doors = policy.doors.filter(({ name }) => name !== 'taken');
  });
  await until('second', 'nothing is left of it', ({ state }) => state === 'steady');
});

test('commands are for the holder of the lease; when it is killed in the middle of a trial, the other one goes on with it', async () => {
  await house.reload(also('two.example.com'));
  await second.reload();
  await until('second', 'the canary has it', ({ state }) => state === 'canary');
  const elsewhere = await told('second', 'pause');
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, new RegExp(`decides about a rollout, and that is \\S+:${house.service().pid} `));
  assert.equal((await told('first', 'pause')).code, 0);
  await until('second', 'it is paused', ({ state }) => state === 'paused');
  await eventually('the canary runs it', () => knows(far, 'two.example.com'));

  house.service().signal('SIGKILL');
  await eventually('the second one holds the lease', async () => (await fleet('second')).lease.held, 25_000);
  await eventually('both nodes are there', async () => (await at('second', nodeId)) && (await at('second', farId)));
  assert.equal((await fleet('second')).rollout.state, 'paused');
  assert.deepEqual([await knows(far, 'two.example.com'), await knows(house.envoy(), 'two.example.com')], [true, false]);
  assert.equal((await told('second', 'resume', '--force')).code, 0);
  await eventually('all nodes run it', () => knows(house.envoy(), 'two.example.com'));
});

function also(host: string): (policy: PolicyFile) => void {
  return (policy) => {
    policy.console.also = [...new Set([...policy.console.also, host])];
  };
}

function told(plane: Plane, ...command: string[]) {
  return sekisho(['fleet', ...command, '--admin', admin(plane)]);
}

function admin(plane: Plane): string {
  return `http://${house.address}:${planePorts[plane].admin}`;
}

async function fleet(plane: Plane): Promise<FleetJson & { rollout: RolloutJson; lease: LeaseJson }> {
  const { body } = await get(`${admin(plane)}/fleet`);
  return JSON.parse(body) as FleetJson & { rollout: RolloutJson; lease: LeaseJson };
}

/** Whether a node is connected to a control plane and has all that it shall have. */
async function at(plane: Plane, id: string): Promise<boolean> {
  const { nodes } = await fleet(plane);
  const node = nodes.find((one) => one.id === id);
  return node?.connected === true && node.inStep;
}

async function until(plane: Plane, what: string, is: (rollout: RolloutJson) => boolean): Promise<RolloutJson> {
  let last: RolloutJson | undefined;
  await eventually(what, async () => is((last = (await fleet(plane)).rollout)), 20_000).catch((caught: unknown) => {
    throw new Error(JSON.stringify(last), { cause: caught });
  });
  assert.ok(last);
  return last;
}

/** Whether the routes of an Envoy lead to a host. */
async function knows(envoy: RunningEnvoy, host: string): Promise<boolean> {
  return (await house.ask('/config_dump?resource=dynamic_route_configs', envoy)).includes(host);
}
