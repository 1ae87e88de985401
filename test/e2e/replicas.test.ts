import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryFolder } from '../../src/base/temporary-folder.ts';
import type { FleetJson } from '../../src/control/fleet/fleet.types.ts';
import type { LeaseJson } from '../../src/control/state/lease-json.ts';
import { untilLive } from '../../src/edge/demo/until-live.ts';
import type { RunningEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { eventually, get } from '../support/envoy.ts';
import { collect, nodeId, openHouse, type House } from '../support/house.ts';
import { sekisho, type Ran } from '../support/sekisho.ts';
import { planePorts, startSecondPlane, twoPlanes, type SecondPlane } from '../support/second-plane.ts';

const consoleHost = 'us-east-1.console.aws.amazon.com';
/** Prefers the other control plane, by its id. */
const farId = 'far-3';

type Plane = keyof typeof planePorts;

let house: House;
let state: Awaited<ReturnType<typeof temporaryFolder>>;
let second: SecondPlane;
let far: RunningEnvoy;
const secondRecords: NamedRecord[] = [];
const reading = new AbortController();

before(async () => {
  state = await temporaryFolder('sekisho-replicas-');
  house = await openHouse({
    serveArgs: ['--state', join(state.path, 'state')],
    authoritiesDaysAgo: 300,
    policy: (policy) => {
      twoPlanes(policy, farId);
    },
  });
  second = await startSecondPlane(house, join(state.path, 'state'));
  void collect(second.data, secondRecords, reading.signal);
  // A first discovery stream goes to whoever answers first: while the first control plane stands still, that is the second.
  house.service().signal('SIGSTOP');
  far = await house.startStranger(farId, farId);
  await untilLive(far);
  house.service().signal('SIGCONT');
});
after(async () => {
  reading.abort();
  second.program.signal('SIGTERM');
  await second.program.ended;
  await house.close();
  await state.remove();
});

test('two Envoys are at two control planes, which show the same certificate; each lists its own node and says who holds the lease', async () => {
  await settled('first', nodeId);
  await settled('second', farId);
  assert.deepEqual([await connectedTo('first'), await connectedTo('second')], [[nodeId], [farId]]);
  const [own, other] = [await leafAt('lab'), await leafAt('far')];
  assert.equal(own, other);
  const [here, there] = [await fleet('first'), await fleet('second')];
  assert.deepEqual([here.lease.held, there.lease.held], [true, false]);
  assert.ok(here.lease.name.endsWith(`:${house.service().pid}`));
  assert.equal(there.lease.holder, here.lease.name);
});

test('certificates that the holder of the lease issues anew reach the Envoys of both', async () => {
  const old = await leafAt('lab');
  await house.renewAuthorities();
  house.service().signal('SIGHUP');
  for (const door of ['lab', 'far']) {
    await eventually(`a new leaf at ${door}`, async () => (await leafAt(door)) !== old);
  }
  assert.equal(await leafAt('lab'), await leafAt('far'));
  // The other control plane gets the new intermediate later, and has nothing to change by it.
  const [leaf, sent] = [await leafAt('far'), await sentBy('second')];
  await second.reload();
  assert.deepEqual([await leafAt('far'), await sentBy('second')], [leaf, sent]);
});

test('the records of both sinks are read as those of one; a sink that cannot be reached is told of, and then the exit code is 1', async () => {
  await house.visitor().request({ url: `https://${consoleHost}/api/here` });
  await house.record({ 'url.path': '/api/here' });
  await house.visitor({ door: 'far' }).request({ url: `https://${consoleHost}/api/there` });
  await eventually('a record at the second', () =>
    Promise.resolve(secondRecords.some((record) => record['url.path'] === '/api/there')),
  );
  const ask = ['records', '--data', join(house.dir, 'data'), '--kind', 'http', '-o', 'json'];
  const other = `${house.address}:${planePorts.second.grpc}`;
  const sinks = ({ stdout }: Ran): unknown[] =>
    stdout.split('\n').flatMap((line) => {
      const record = JSON.parse(line || '{}') as NamedRecord;
      return /here/.test(String(record['url.path'])) ? [[record['url.path'], record['sekisho.sink']]] : [];
    });

  const both = await sekisho([...ask, '--sink', other]);
  assert.equal(both.code, 0, both.stderr);
  assert.deepEqual(sinks(both), [
    ['/api/here', undefined],
    ['/api/there', other],
  ]);

  const nobody = `${house.address}:9`;
  const without = await sekisho([...ask, '--sink', other, '--sink', nobody]);
  assert.equal(without.code, 1);
  assert.match(without.stderr, new RegExp(`^! the sink ${nobody} cannot be read to its end`, 'm'));
  assert.deepEqual(sinks(without), sinks(both));

  assert.equal((await sekisho([...ask, '--sink', other, '--follow'])).code, 2);
});

test('an Envoy whose control plane is killed moves to the other one, gets nothing again, and its doors never close', async () => {
  await settled('first', nodeId);
  const has = await holdings();
  const [applied, sent, received] = [await updates(), await sentBy('second'), await receivedBytes()];
  const failures: unknown[] = [];
  const ended = new AbortController();
  const people = crowd(ended.signal, failures);
  after(() => {
    ended.abort();
  });

  house.service().signal('SIGKILL');
  await settled('second', nodeId);
  assert.deepEqual(await holdings(), has);
  assert.deepEqual(await updates(), applied);
  assertOnlyAnswered(sent, await sentBy('second'));
  // Two empty answers and a few checks of health, where all resources together are a hundred times that.
  const more = (await receivedBytes()) - received;
  assert.ok(more < received / 20, `${more} bytes after ${received}`);

  // And goes on leaving records, in the journal of the other sink.
  await house.visitor().request({ url: `https://${consoleHost}/api/moved` });
  await eventually('a record at the second', () =>
    Promise.resolve(secondRecords.some((record) => record['url.path'] === '/api/moved')),
  );
  ended.abort();
  assert.ok((await people) > 20);
  assert.deepEqual(failures, []);
});

test('the other control plane takes the lease, and one that starts beside it has what both Envoys have', async () => {
  await eventually('the second one holds the lease', async () => (await fleet('second')).lease.held, 25_000);
  const has = await holdings();
  await house.startService();
  assert.equal((await fleet('first')).lease.holder, (await fleet('second')).lease.name);

  const applied = await updates();
  second.program.signal('SIGKILL');
  await second.program.ended;
  await settled('first', nodeId);
  await settled('first', farId);
  assert.deepEqual(await connectedTo('first'), [nodeId, farId].sort());
  assert.deepEqual([await holdings(), await updates()], [has, applied]);
  assertOnlyAnswered({}, await sentBy('first'));
  assert.equal(
    (await house.visitor({ door: 'far' }).request({ url: `https://${consoleHost}/console/home` })).status,
    200,
  );
});

/** Somebody who asks at the door `lab` all the time, each time anew; resolves with how many answers there were. */
async function crowd(until: AbortSignal, failures: unknown[]): Promise<number> {
  let answered = 0;
  while (!until.aborted) {
    const person = house.visitor();
    await person.request({ url: `https://${consoleHost}/console/home` }).then(
      ({ status }) => (status === 200 ? (answered += 1) : failures.push(status)),
      (caught: unknown) => failures.push(caught),
    );
    await person.close();
  }
  return answered;
}

async function fleet(plane: Plane): Promise<FleetJson & { readonly lease: LeaseJson }> {
  const { body } = await get(`http://${house.address}:${planePorts[plane].admin}/fleet`);
  return JSON.parse(body) as FleetJson & { readonly lease: LeaseJson };
}

async function connectedTo(plane: Plane): Promise<string[]> {
  return (await fleet(plane)).nodes.filter(({ connected }) => connected).map(({ id }) => id);
}

/** The node is at this control plane and has all that it shall have. */
async function settled(plane: Plane, id: string): Promise<void> {
  await eventually(`${id} in step at the ${plane}`, async () => {
    const { nodes } = await fleet(plane);
    const node = nodes.find((one) => one.id === id);
    return node?.inStep === true && node.types.length >= 5;
  });
}

/** How many responses with something in them a control plane has sent, by type. */
async function sentBy(plane: Plane): Promise<Record<string, number>> {
  const { body } = await get(`http://${house.address}:${planePorts[plane].admin}/metrics`);
  const samples = body.matchAll(/^sekisho_xds_responses_total\{type="(\w+)",result="sent"\} (\d+)$/gm);
  return Object.fromEntries([...samples].map(([, type = '', count]) => [type, Number(count)]));
}

/** Whoever asks for all clusters and all listeners is answered also where there is nothing new; of nothing else was anything said. */
function assertOnlyAnswered(before: Record<string, number>, now: Record<string, number>): void {
  const more = Object.entries(now).filter(([type, count]) => count !== (before[type] ?? 0));
  assert.deepEqual(more.map(([type]) => type).sort(), ['Cluster', 'Listener']);
}

/** All that the Envoy at `lab` has read from control planes. */
function receivedBytes(): Promise<number> {
  return house.stat('cluster.sekisho.upstream_cx_rx_bytes_total');
}

/** What both Envoys hold: names, versions, and when each came. */
async function holdings(): Promise<string[]> {
  const dumps = await Promise.all([house.envoy(), far].map((envoy) => house.ask('/config_dump?include_eds', envoy)));
  return dumps.flatMap((dump) =>
    [...dump.matchAll(/"(?:name|version_info|last_updated)": "[^"]*"/g)].map(([found]) => found),
  );
}

/** How often the Envoy at `lab` took something over. */
async function updates(): Promise<Record<string, number>> {
  const names = [
    'cluster_manager.cluster_added',
    'cluster_manager.cluster_modified',
    'cluster_manager.cds.config_reload',
    'listener_manager.listener_modified',
    'listener_manager.listener_in_place_updated',
    'listener_manager.lds.config_reload',
    'http.lab/http.rds.lab/http.config_reload',
  ];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await house.stat(name)] as const)));
}

async function leafAt(door: string): Promise<string> {
  const connection = await house.connect(consoleHost, door);
  const { fingerprint256 } = connection.getPeerCertificate();
  connection.destroy();
  return fingerprint256;
}
