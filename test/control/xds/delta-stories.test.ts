import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resourcesOf } from '../../../src/control/xds/snapshot.ts';
import { clusterType, endpointType, listenerType, routeType, secretType } from '../../../src/control/xds/type-urls.ts';
import { Line } from './line.ts';
import { snapshotOf } from './model.ts';

const body = { clusters: [] };
const changed = { clusters: [], revision: 1 };

describe('the wildcard', () => {
  test('an empty first request for clusters or listeners asks for everything', () => {
    const line = new Line();
    line.publish({ clusters: { a: body, b: body }, listeners: { l: body } });
    assert.deepEqual(line.ask(clusterType), ['Cluster +a +b']);
    assert.deepEqual(line.ack(clusterType), []);
    assert.deepEqual(line.ask(listenerType), ['Listener +l']);
  });

  test('an empty first request for any other type asks for nothing', () => {
    const line = new Line();
    line.publish({ endpoints: { a: body }, routes: { r: body } });
    assert.deepEqual(line.ask(endpointType), []);
    assert.deepEqual(line.ask(routeType), []);
  });

  test('its first answer comes even when it is empty, as Envoy holds its start back for it', () => {
    const line = new Line();
    line.publish({});
    assert.deepEqual(line.ask(clusterType), ['Cluster']);
    line.ack(clusterType);
    assert.deepEqual(line.ask(listenerType), ['Listener']);
    assert.deepEqual(line.ack(listenerType), []);
  });

  test('an explicit * asks for everything of any type, and goes when it is taken back', () => {
    const line = new Line();
    line.publish({ endpoints: { a: body, b: body } });
    assert.deepEqual(line.ask(endpointType, { subscribe: ['*', 'a'] }), ['ClusterLoadAssignment +a +b']);
    line.ack(endpointType);
    assert.deepEqual(line.ask(endpointType, { unsubscribe: ['*'] }), []);
    line.publish({ endpoints: { a: changed, b: changed, c: body } });
    assert.deepEqual(line.read(), ['ClusterLoadAssignment +a']);
  });

  test('an empty second request does not turn names into a wildcard', () => {
    const line = new Line();
    line.publish({ clusters: { a: body, b: body } });
    assert.deepEqual(line.ask(clusterType, { subscribe: ['a'] }), ['Cluster +a']);
    line.ack(clusterType);
    assert.deepEqual(line.ask(clusterType), []);
  });

  test('a name taken back under it is answered with what becomes of it', () => {
    const line = new Line();
    line.publish({ clusters: { a: body } });
    line.ask(clusterType, { subscribe: ['*', 'a', 'x'] });
    line.ack(clusterType);
    assert.deepEqual(line.ask(clusterType, { unsubscribe: ['a', 'x'] }), ['Cluster +a -x']);
  });
});

describe('names', () => {
  test('a name that does not exist is answered as removed, and sent once it exists', () => {
    const line = new Line();
    line.publish({});
    assert.deepEqual(line.ask(endpointType, { subscribe: ['a'] }), ['ClusterLoadAssignment -a']);
    line.ack(endpointType);
    line.publish({ endpoints: { a: body } });
    assert.deepEqual(line.read(), ['ClusterLoadAssignment +a']);
  });

  test('a known name that is subscribed to again is sent again', () => {
    const line = new Line();
    line.publish({ endpoints: { a: body } });
    line.ask(endpointType, { subscribe: ['a'] });
    line.ack(endpointType);
    assert.deepEqual(line.ask(endpointType, { subscribe: ['a'] }), ['ClusterLoadAssignment +a']);
  });

  test('a name that was taken back is not sent any more', () => {
    const line = new Line();
    line.publish({ endpoints: { a: body } });
    line.ask(endpointType, { subscribe: ['a'] });
    line.ack(endpointType);
    line.ask(endpointType, { unsubscribe: ['a'] });
    line.publish({ endpoints: { a: changed } });
    assert.deepEqual(line.read(), []);
  });

  test('a request may acknowledge and subscribe at once', () => {
    const line = new Line();
    line.publish({ endpoints: { a: body, b: body } });
    line.ask(endpointType, { subscribe: ['a'] });
    const fields = { subscribe: ['b'], nonce: line.nonce(endpointType) };
    assert.deepEqual(line.ask(endpointType, fields), ['ClusterLoadAssignment +b']);
    assert.deepEqual(line.events.filter(({ kind }) => kind === 'acked').length, 1);
  });

  test('a type that nobody knows is answered that there is nothing, and told of once', () => {
    const line = new Line();
    line.publish({ clusters: { a: body } });
    assert.deepEqual(line.ask('type.googleapis.com/example.Thing', { subscribe: ['x'] }), ['Thing -x']);
    assert.deepEqual(line.ask('type.googleapis.com/example.Thing', { subscribe: ['y'] }), ['Thing -y']);
    assert.equal(line.events.filter(({ kind }) => kind === 'unknown-type').length, 1);
    assert.deepEqual(line.ask(clusterType), ['Cluster +a']);
  });
});

describe('a reconnect', () => {
  const contents = { clusters: { a: body, b: body }, listeners: { l: body } };
  const versions = (type: string): Map<string, string> =>
    new Map([...resourcesOf(snapshotOf(contents), type).values()].map(({ name, version }) => [name, version]));

  test('pushes nothing again that is still the same', () => {
    const line = new Line();
    line.publish(contents);
    assert.deepEqual(line.ask(clusterType, { initialVersions: versions(clusterType) }), ['Cluster']);
    assert.deepEqual(line.ask(listenerType, { initialVersions: versions(listenerType) }), []);
    assert.deepEqual(line.ack(clusterType), ['Listener']);
  });

  test('removes what was deleted meanwhile, clusters only after the listeners have moved on', () => {
    const line = new Line();
    line.publish({ clusters: { b: body, c: body }, listeners: { m: body } });
    assert.deepEqual(line.ask(clusterType, { initialVersions: versions(clusterType) }), ['Cluster +c']);
    assert.deepEqual(line.ask(listenerType, { initialVersions: versions(listenerType) }), []);
    assert.deepEqual(line.ack(clusterType), ['Listener +m -l']);
    assert.deepEqual(line.ack(listenerType), ['Cluster -a']);
  });

  test('answers names even if the client says that it knows them', () => {
    const line = new Line();
    line.publish({ endpoints: { a: body } });
    const [resource] = resourcesOf(snapshotOf({ endpoints: { a: body } }), endpointType).values();
    const initialVersions = new Map([['a', resource?.version ?? '']]);
    assert.deepEqual(line.ask(endpointType, { subscribe: ['a'], initialVersions }), ['ClusterLoadAssignment +a']);
  });
});

describe('the order of a push', () => {
  const before = { clusters: { a: body }, endpoints: { a: body }, listeners: { l: body }, routes: { r: body } };
  const after = { clusters: { b: body }, endpoints: { a: changed }, listeners: { m: body }, routes: { r: changed } };

  function connected(): Line {
    const line = new Line();
    line.publish(before);
    line.ask(clusterType);
    line.ask(endpointType, { subscribe: ['a'] });
    line.ask(listenerType);
    line.ask(routeType, { subscribe: ['r'] });
    line.acknowledgeAll();
    return line;
  }

  test('each type waits for the ACK of those before it, and clusters go last', () => {
    const line = connected();
    line.publish(after);
    assert.deepEqual(line.read(), ['Cluster +b']);
    assert.deepEqual(line.ack(clusterType), ['ClusterLoadAssignment +a']);
    assert.deepEqual(line.ack(endpointType), ['Listener +m -l']);
    assert.deepEqual(line.ack(listenerType), ['RouteConfiguration +r']);
    assert.deepEqual(line.ack(routeType), ['Cluster -a']);
    assert.deepEqual(line.ack(clusterType), []);
  });

  test('a changed cluster has its endpoints sent again at once: its ACK may wait for them', () => {
    const line = connected();
    line.publish({ ...before, clusters: { a: changed } });
    assert.deepEqual(line.read(), ['Cluster +a', 'ClusterLoadAssignment +a']);
  });

  test('new endpoints and secrets are answered at once, whatever waits for an ACK', () => {
    const line = connected();
    line.publish({ ...before, clusters: { a: body, b: body }, endpoints: { a: body, b: body } });
    assert.deepEqual(line.read(), ['Cluster +b']);
    assert.deepEqual(line.ask(endpointType, { subscribe: ['b'] }), ['ClusterLoadAssignment +b']);
    assert.deepEqual(line.ask(secretType, { subscribe: ['s'] }), ['Secret -s']);
  });

  test('a new route is answered from the newest snapshot whose clusters have arrived', () => {
    const line = connected();
    line.publish({ ...before, clusters: { b: body }, routes: { r: changed, s: body } });
    assert.deepEqual(line.read(), ['Cluster +b']);
    assert.deepEqual(line.ask(routeType, { subscribe: ['r'] }), ['RouteConfiguration +r']);
    assert.deepEqual(line.ask(routeType, { subscribe: ['s'] }), [], 's may lead to b');
    line.ack(routeType);
    assert.deepEqual(line.ack(clusterType), ['RouteConfiguration +s']);
    assert.deepEqual(line.ack(routeType), ['RouteConfiguration +r']);
    assert.deepEqual(line.ack(routeType), ['Cluster -a']);
  });

  test('of snapshots that come while an ACK is awaited only the newest is sent', () => {
    const line = connected();
    for (let revision = 1; revision <= 50; revision += 1)
      line.publish({ ...before, listeners: { l: { ...body, revision } } });
    assert.deepEqual(line.read(), ['Listener +l']);
    assert.deepEqual(line.acknowledgeAll(), ['Listener +l']);
  });
});

describe('a NACK', () => {
  test('stops the later types, repeats nothing, and is told with its reason', () => {
    const line = new Line();
    line.publish({ clusters: { a: body, b: body }, listeners: { l: body } });
    line.ask(clusterType);
    line.ask(listenerType);
    assert.deepEqual(line.nack(clusterType, 'goo.gle/debugproto x: 1 : no good'), []);
    const told = line.events.find((event) => event.kind === 'nacked');
    assert.equal(told?.text, 'no good');
    line.publish({ clusters: { a: body, b: body }, listeners: { l: changed } });
    assert.deepEqual(line.read(), [], 'the refused cluster is still the same');
  });

  test('is over when one of the refused resources changes: then all of them are tried again', () => {
    const line = new Line();
    line.publish({ clusters: { a: body, b: body }, listeners: { l: body } });
    line.ask(clusterType);
    line.ask(listenerType);
    line.nack(clusterType);
    line.publish({ clusters: { a: body, b: changed }, listeners: { l: body } });
    assert.deepEqual(line.read(), ['Cluster +a +b']);
    assert.deepEqual(line.ack(clusterType), ['Listener +l']);
  });

  test('does not keep secrets from being renewed', () => {
    const line = new Line();
    const secret = (version: string) => ({ type: secretType, name: 's', version, bytes: Buffer.from('{}') });
    line.publisher.publish('group', snapshotOf({ clusters: { a: body } }));
    line.ask(clusterType);
    line.ask(secretType, { subscribe: ['s'] });
    line.nack(clusterType);
    line.ack(secretType);
    const types = new Map(snapshotOf({ clusters: { a: body } }).types);
    line.publisher.publish('group', { version: '2', types: types.set(secretType, new Map([['s', secret('1')]])) });
    assert.deepEqual(line.read(), ['Secret +s']);
  });

  test('of a response of long ago is nothing to us', () => {
    const line = new Line();
    line.publish({ clusters: { a: body } });
    line.ask(clusterType);
    line.ask(clusterType, { nonce: 'of long ago', error: { code: 3, message: 'bad' } });
    assert.deepEqual(
      line.events.filter(({ kind }) => kind === 'nacked'),
      [],
    );
    line.ack(clusterType);
    assert.equal(line.events.at(-1)?.kind, 'settled');
  });
});

test('an ACK answers the responses of its type that came before it', () => {
  const line = new Line();
  line.publish({ endpoints: { a: body, b: body } });
  line.ask(endpointType, { subscribe: ['a'] });
  line.ask(endpointType, { subscribe: ['b'] });
  line.ack(endpointType);
  assert.equal(line.events.at(-1)?.kind, 'settled');
});
