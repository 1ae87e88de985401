import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import { makeSnapshot } from '../../../src/control/xds/snapshot.ts';
import {
  clusterType,
  endpointType,
  listenerType,
  shortType,
  type TypeUrl,
} from '../../../src/control/xds/type-urls.ts';
import { encodeAny } from '../../../src/wire/proto-json.ts';
import { FakeClock } from '../../control/ca/ca-fixture.ts';
import { Line } from '../../control/xds/line.ts';
import { node, snapshotOf, type Body } from '../../control/xds/model.ts';
import { rowsOf, told, type RowJson } from './client-status-fixture.ts';

const body: Body = { clusters: [] };
const changed: Body = { clusters: [], revision: 1 };

/** What the content of a resource is called in the tables, by its version. */
const contents = new Map(
  Object.entries({ old: body, new: changed }).flatMap(([label, one]) =>
    [...snapshotOf({ clusters: { a: one, b: one }, endpoints: { a: one } }).types.values()].flatMap((resources) =>
      [...resources.values()].map(({ version }) => [version, label] as const),
    ),
  ),
);

type Drive = (line: Line) => void;
const ask =
  (type: TypeUrl, ...names: string[]): Drive =>
  (line) =>
    line.ask(type, line.variant === 'delta' ? { subscribe: names } : { names });
const ack: Drive = (line) => line.acknowledgeAll();
const nack =
  (type: TypeUrl, text = 'bad'): Drive =>
  (line) =>
    line.nack(type, text);
const clusters =
  (resources: Record<string, Body>): Drive =>
  (line) => {
    line.publish({ clusters: resources });
    line.read();
  };
const endpoints =
  (resources: Record<string, Body>): Drive =>
  (line) => {
    line.publish({ endpoints: resources });
    line.read();
  };

/** What happens on the stream, and then the state of each resource: the client's, that of what it shall have, and what it runs. */
const states: readonly [does: string, steps: Drive[], delta: readonly string[], sotw?: readonly string[]][] = [
  ['asks before there is a snapshot', [ask(clusterType, 'a')], ['Cluster a REQUESTED NOT_SENT -']],
  ['has been sent a resource', [clusters({ a: body }), ask(clusterType)], ['Cluster a REQUESTED STALE -']],
  ['has acknowledged it', [clusters({ a: body }), ask(clusterType), ack], ['Cluster a ACKED SYNCED old']],
  [
    'has been sent another version of it',
    [clusters({ a: body }), ask(clusterType), ack, clusters({ a: changed })],
    ['Cluster a ACKED STALE old'],
  ],
  [
    'has acknowledged that one too',
    [clusters({ a: body }), ask(clusterType), ack, clusters({ a: changed }), ack],
    ['Cluster a ACKED SYNCED new'],
  ],
  [
    'does not read, so that a change waits',
    [
      clusters({ a: body, b: body }),
      ask(clusterType),
      ack,
      (line) => (line.full = true),
      clusters({ a: changed, b: body }),
      clusters({ a: changed, b: changed }),
    ],
    ['Cluster a ACKED STALE old', 'Cluster b ACKED NOT_SENT old'],
  ],
  [
    'refused the first version',
    [clusters({ a: body }), ask(clusterType), nack(clusterType)],
    ['Cluster a NACKED ERROR -'],
  ],
  [
    'refused a change, and goes on with what it had',
    [clusters({ a: body, b: body }), ask(clusterType), ack, clusters({ a: changed, b: body }), nack(clusterType)],
    ['Cluster a NACKED ERROR old', 'Cluster b ACKED SYNCED old'],
  ],
  [
    'refused a change that was then taken back, and has not said more',
    [clusters({ a: body }), ask(clusterType), ack, clusters({ a: changed }), nack(clusterType), clusters({ a: body })],
    ['Cluster a NACKED STALE old'],
  ],
  [
    'refused a change that was then taken back, and acknowledged that',
    [
      clusters({ a: body }),
      ask(clusterType),
      ack,
      clusters({ a: changed }),
      nack(clusterType),
      clusters({ a: body }),
      ack,
    ],
    ['Cluster a ACKED SYNCED old'],
  ],
  [
    'refused a resource that is then no more',
    [clusters({}), ask(clusterType), ack, clusters({ a: body }), nack(clusterType), clusters({}), ack],
    [],
  ],
  [
    'has been told that a resource is gone',
    [clusters({ a: body }), ask(clusterType), ack, clusters({})],
    ['Cluster a ACKED STALE old'],
  ],
  ['has acknowledged that it is gone', [clusters({ a: body }), ask(clusterType), ack, clusters({}), ack], []],
  [
    'refused to let it go',
    [clusters({ a: body }), ask(clusterType), ack, clusters({}), nack(clusterType)],
    ['Cluster a NACKED ERROR old'],
  ],
  [
    'asks for a listener that waits for its clusters',
    [
      (line) => {
        line.publish({ clusters: { a: body }, listeners: { l: { clusters: ['a'] } } });
      },
      ask(clusterType),
      ask(listenerType),
    ],
    ['Cluster a REQUESTED STALE -', 'Listener l REQUESTED NOT_SENT -'],
  ],
  [
    'has a cluster that nobody else shall use, but its listener still does',
    [
      (line) => {
        line.publish({ clusters: { a: body, b: body }, listeners: { l: { clusters: ['a'] } } });
      },
      ask(clusterType),
      ask(listenerType),
      ack,
      (line) => {
        line.publish({ clusters: { b: body }, listeners: { l: { clusters: ['b'] } } });
      },
    ],
    ['Cluster a ACKED NOT_SENT old', 'Cluster b ACKED SYNCED old', 'Listener l ACKED STALE *'],
  ],
  [
    'asks for a name that does not exist, and has heard so where that can be said',
    [endpoints({}), ask(endpointType, 'a'), ack],
    ['ClusterLoadAssignment a DOES_NOT_EXIST SYNCED -'],
    ['ClusterLoadAssignment a DOES_NOT_EXIST NOT_SENT -'],
  ],
  [
    'has not acknowledged that a name does not exist',
    [endpoints({}), ask(endpointType, 'a')],
    ['ClusterLoadAssignment a REQUESTED STALE -'],
    ['ClusterLoadAssignment a DOES_NOT_EXIST NOT_SENT -'],
  ],
  [
    'had a name that does not exist any more',
    [endpoints({ a: body }), ask(endpointType, 'a'), ack, endpoints({}), ack],
    ['ClusterLoadAssignment a DOES_NOT_EXIST SYNCED -'],
    ['ClusterLoadAssignment a DOES_NOT_EXIST NOT_SENT -'],
  ],
  [
    'asks for a cluster by a name that does not exist',
    [clusters({ b: body }), ask(clusterType, 'a', 'b'), ack],
    ['Cluster a DOES_NOT_EXIST SYNCED -', 'Cluster b ACKED SYNCED old'],
  ],
];

for (const variant of ['delta', 'sotw'] as const) {
  describe(`over ${variant}, the state of a node that`, () => {
    for (const [does, steps, delta, sotw] of states) {
      const expected = variant === 'delta' ? delta : (sotw ?? delta);
      test(`${does} is ${expected.length === 0 ? 'nothing' : expected.join(', ')}`, async (t) => {
        const line = new Line({ variant });
        for (const step of steps) step(line);
        const rows = rowsOf(await told(t, line.publisher));
        assert.deepEqual(rows.map((row) => described(row, variant)).sort(), forVariant(expected, variant));
      });
    }
  });
}

test('a row tells version, time, content and, where there is one, the refusal with a cut text and no configuration', async (t) => {
  const clock = new FakeClock();
  const publisher = new Publisher({ resolve: () => 'group', clock });
  const line = new Line({ publisher });
  const address = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const publish = (port: number): string | undefined => {
    const bytes = encodeAny({ '@type': listenerType, name: 'door', address: address(port) });
    publisher.publish('group', makeSnapshot([{ type: listenerType, name: 'door', bytes }]));
    return publisher.current('group')?.types.get(listenerType)?.get('door')?.version;
  };
  const good = publish(1000);
  line.ask(listenerType);
  clock.at += 1250;
  line.ack(listenerType);
  const bad = publish(2000);
  line.read();
  clock.at += 2000;
  line.nack(listenerType, `Error adding listener door: ${JSON.stringify({ private_key: 'abc' })} ${'x'.repeat(2000)}`);
  const [row] = rowsOf(await told(t, publisher));
  assert.ok(row);
  const { errorState: failure, ...rest } = row;
  assert.deepEqual(rest, {
    typeUrl: listenerType,
    name: 'door',
    versionInfo: good,
    xdsConfig: {
      '@type': listenerType,
      name: 'door',
      address: { socketAddress: { address: '127.0.0.1', portValue: 1000 } },
    },
    lastUpdated: '2026-11-24T00:00:01.750Z',
    configStatus: 'ERROR',
    clientStatus: 'NACKED',
  });
  assert.deepEqual(
    [failure?.versionInfo, failure?.lastUpdateAttempt],
    [line.version(listenerType), '2026-11-24T00:00:03.750Z'],
  );
  assert.notEqual(good, bad);
  assert.match(failure?.details ?? '', /^Error adding listener door: .*\[withheld\]/);
  assert.ok((failure?.details ?? '').length <= 300);
  assert.doesNotMatch(JSON.stringify(failure), /abc/);
  assert.equal(failure?.failedConfiguration, undefined);
});

test('in the state-of-the-world variant the version is that of the last response that the node took in', async (t) => {
  const line = new Line({ variant: 'sotw' });
  line.publish({ clusters: { a: body } }, '1');
  line.ask(clusterType);
  line.ack(clusterType);
  line.publish({ clusters: { a: changed } }, '2');
  assert.deepEqual(
    rowsOf(await told(t, line.publisher)).map(({ versionInfo }) => versionInfo),
    ['1'],
  );
  line.read();
  line.ack(clusterType);
  line.publish({ clusters: { a: body } }, '3');
  line.read();
  line.nack(clusterType);
  assert.deepEqual(
    rowsOf(await told(t, line.publisher)).map(({ versionInfo, errorState }) => [versionInfo, errorState?.versionInfo]),
    [['2', '3']],
  );
});

test('a node that comes back over another stream is known by the version that it shows', async (t) => {
  const publisher = new Publisher({ resolve: () => 'group' });
  const before = new Line({ variant: 'sotw', publisher });
  before.publish({ clusters: { a: body } });
  before.ask(clusterType);
  before.ack(clusterType);
  const version = before.version(clusterType);
  before.end();
  assert.deepEqual((await told(t, publisher)).config, undefined, 'who has left is not told of');
  const after = new Line({ variant: 'sotw', publisher });
  assert.deepEqual(after.ask(clusterType, { version }), []);
  const [row] = rowsOf(await told(t, publisher));
  assert.deepEqual(
    [row?.clientStatus, row?.configStatus, row?.versionInfo, row?.lastUpdated],
    ['ACKED', 'SYNCED', version, undefined],
  );

  const delta = new Line({ publisher });
  delta.ask(clusterType, { node: { ...node, id: 'other' }, initialVersions: new Map([['a', 'of long ago']]) });
  assert.deepEqual(
    rowsOf(await told(t, publisher), 'other').map((one) => [one.clientStatus, one.configStatus, one.versionInfo]),
    [['ACKED', 'STALE', 'of long ago']],
  );
});

test('two refusals of one type keep their own texts', async (t) => {
  const line = new Line();
  line.publish({ clusters: { a: body, b: body } });
  line.ask(clusterType);
  line.ack(clusterType);
  line.publish({ clusters: { a: changed, b: body } });
  line.read();
  line.nack(clusterType, 'a is bad');
  line.publish({ clusters: { a: changed, b: changed } });
  line.read();
  line.nack(clusterType, 'b is bad');
  assert.deepEqual(
    rowsOf(await told(t, line.publisher)).map(({ name, errorState }) => [name, errorState?.details]),
    [
      ['a', 'a is bad'],
      ['b', 'b is bad'],
    ],
  );
});

test('the streams of a node are one node, and of two that ask for the same the newer one tells', async (t) => {
  const publisher = new Publisher({ resolve: () => 'group' });
  const [older, endpointsOnly, newer] = [
    new Line({ publisher }),
    new Line({ publisher, type: endpointType }),
    new Line({ publisher }),
  ];
  older.publish({ clusters: { a: body }, endpoints: { e: body } });
  older.ask(clusterType);
  older.ack(clusterType);
  endpointsOnly.ask(endpointType, { subscribe: ['e'] });
  newer.ask(clusterType, { node: { ...node, version: '1.41.0' } });
  const answer = await told(t, publisher);
  assert.deepEqual(
    answer.config?.map(({ node: { id, userAgentVersion } }) => [id, userAgentVersion]),
    [['egress-1', '1.41.0']],
  );
  assert.deepEqual(
    rowsOf(answer).map(({ name, configStatus }) => [name, configStatus]),
    [
      ['a', 'STALE'],
      ['e', 'STALE'],
    ],
  );
});

function described(row: RowJson, variant: Line['variant']): string {
  const { versionInfo: version } = row;
  const content = version === undefined ? '-' : variant === 'delta' ? (contents.get(version) ?? '*') : '+';
  return [shortType(row.typeUrl), row.name, row.clientStatus, row.configStatus, content].join(' ');
}

/** A version of the other variant says nothing about one resource. */
function forVariant(expected: readonly string[], variant: Line['variant']): readonly string[] {
  return variant === 'delta' ? expected : expected.map((line) => line.replace(/(old|new|\*)$/, '+'));
}
