import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SekishoError } from '../../../src/base/errors.ts';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import { clusterType, endpointType, listenerType, secretType } from '../../../src/control/xds/type-urls.ts';
import { Line } from './line.ts';
import { node, snapshotOf } from './model.ts';

const body = { clusters: [] };

const withoutNode = { node: undefined };

test('the node is told in the first request and counts for the whole stream', () => {
  const line = new Line();
  line.publish({ clusters: { a: body } });
  line.ask(clusterType);
  line.ask(listenerType, withoutNode);
  line.ask(endpointType, { node: { ...node, id: 'another' } });
  assert.ok(line.events.every((event) => event.kind === 'refused' || event.node.id === node.id));
});

test('a first request without a node id is malformed', () => {
  assert.throws(
    () => {
      new Line().ask(clusterType, withoutNode);
    },
    { code: 'request_malformed' },
  );
  assert.throws(() => new Line().ask(clusterType, { node: { ...node, id: '' } }), { code: 'request_malformed' });
});

test('a node that the fleet does not know, or that is not admitted, gets nothing', () => {
  const stranger = new Line();
  assert.throws(() => stranger.ask(clusterType, { node: { ...node, id: 'stranger' } }), { code: 'node_unknown' });
  const admit = (): void => {
    throw new SekishoError('identity_mismatch', 'no');
  };
  const liar = new Line({ admit });
  assert.throws(() => liar.ask(clusterType), { code: 'identity_mismatch' });
  for (const line of [stranger, liar]) {
    line.publish({ clusters: { a: body } });
    assert.deepEqual(line.read(), []);
    assert.deepEqual(line.events, []);
  }
});

test('a node that connects before anything is published is answered when it is', () => {
  const line = new Line();
  assert.deepEqual(line.ask(clusterType), []);
  line.publish({ clusters: { a: body } });
  assert.deepEqual(line.read(), ['Cluster +a']);
});

test('a full transport is given nothing, and when it has drained the newest only', () => {
  const line = new Line();
  line.publish({ clusters: { a: body } });
  line.full = true;
  assert.deepEqual(line.ask(clusterType), ['Cluster +a']);
  assert.deepEqual(line.ask(endpointType, { subscribe: ['x'] }), []);
  assert.deepEqual(line.ack(clusterType), []);
  for (let revision = 1; revision <= 100; revision += 1)
    line.publish({ clusters: { a: { clusters: [], revision }, b: body } });
  assert.deepEqual(line.read(), []);
  line.full = false;
  line.drained();
  assert.deepEqual(line.read(), ['ClusterLoadAssignment -x', 'Cluster +a +b']);
  assert.equal(line.sent.at(-1)?.includes('"revision":100'), true);
});

test('streams in step are sent the very same bytes, and so are streams that ask for the same names', () => {
  const publisher = new Publisher({ resolve: () => 'group' });
  const lines = [new Line({ publisher }), new Line({ publisher }), new Line({ publisher })];
  const contents = {
    clusters: { a: body, b: body },
    endpoints: { a: body, b: body },
    listeners: { l: { clusters: ['a'] } },
  };
  publisher.publish('group', snapshotOf(contents));
  for (const [index, line] of lines.entries()) {
    line.ask(clusterType);
    line.ask(endpointType, { subscribe: index === 1 ? ['b', 'a'] : ['a', 'b'] });
    line.ask(listenerType);
    line.acknowledgeAll();
  }
  publisher.publish(
    'group',
    snapshotOf({ clusters: { b: { clusters: [], revision: 1 }, c: body }, endpoints: { b: body } }),
  );
  const pushed = ['Cluster +b +c', 'ClusterLoadAssignment +b', 'Listener -l', 'Cluster -a', 'ClusterLoadAssignment -a'];
  for (const line of lines) assert.deepEqual(line.acknowledgeAll(), pushed);
  const [first, ...others] = lines;
  assert.ok(first);
  assert.equal(first.sent.length, 3 + pushed.length);
  for (const other of others) assert.ok(other.sent.every((bytes, index) => bytes === first.sent[index]));
  assert.equal(publisher.responses.built, first.sent.length);
});

test('a type that is withheld is answered as if there were nothing, and told of', () => {
  const line = new Line({ withheld: new Set([secretType]) });
  line.publish({ secrets: { s: body } });
  assert.deepEqual(line.ask(secretType, { subscribe: ['s'] }), ['Secret -s']);
  assert.deepEqual(line.ask(secretType, { subscribe: ['*'] }), ['Secret']);
  assert.deepEqual(
    line.events.flatMap((event) => (event.kind === 'withheld' ? [event.type] : [])),
    [secretType],
  );
});

test('a client cannot make a stream remember without bound', () => {
  const limits = { types: 3, nameBytes: 10_000, unacknowledged: 2 };
  const many = Array.from({ length: 200 }, (_, index) => `name-${index}`);
  const names = new Line({ limits });
  names.publish({});
  assert.throws(() => names.ask(endpointType, { subscribe: many }), { code: 'limit_exceeded' });

  const versions = new Line({ limits });
  const initialVersions = new Map(many.map((name) => [name, '1']));
  assert.throws(() => versions.ask(clusterType, { initialVersions }), { code: 'limit_exceeded' });

  const types = new Line({ limits });
  types.publish({});
  for (const name of ['A', 'B', 'C']) assert.deepEqual(types.ask(`x.y/${name}`, { subscribe: ['n'] }), [`${name} -n`]);
  assert.deepEqual(types.ask('x.y/D', { subscribe: ['n'] }), []);

  const silent = new Line({ limits });
  silent.publish({});
  for (const name of ['a', 'b']) assert.equal(silent.ask(endpointType, { subscribe: [name] }).length, 1);
  assert.deepEqual(silent.ask(endpointType, { subscribe: ['c'] }), []);
  assert.deepEqual(silent.ack(endpointType), ['ClusterLoadAssignment -c']);
});

test('an observer hears the story of a stream in order, and its end once', () => {
  const line = new Line();
  line.publish({ clusters: { a: body } });
  line.ask(clusterType);
  line.ack(clusterType);
  line.end();
  line.end();
  line.publish({});
  assert.deepEqual(
    line.events.map(({ kind }) => kind),
    ['connected', 'targeted', 'subscribed', 'sent', 'acked', 'settled', 'disconnected'],
  );
  assert.deepEqual(line.ask(clusterType), []);
});

test('an observer that publishes from within an event finds the stream in order', () => {
  const publisher = new Publisher({ resolve: () => 'group' });
  let left = 3;
  const line = new Line({
    publisher,
    observe: ({ kind }) => {
      if (kind === 'sent' && left-- > 0) publisher.publish('group', snapshotOf({ clusters: { [`c${left}`]: body } }));
    },
  });
  publisher.publish('group', snapshotOf({ clusters: { a: body } }));
  assert.deepEqual(line.ask(clusterType), ['Cluster +a']);
  assert.deepEqual(line.acknowledgeAll(), ['Cluster +c2 -a', 'Cluster +c1 -c2', 'Cluster +c0 -c1']);
});
