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

  test('removes a cluster that was asked for by name only after the listeners have moved on', () => {
    const line = new Line();
    line.publish({ clusters: { b: body }, listeners: { m: { clusters: ['b'] } } });
    const clusters = { subscribe: ['a', 'b'], initialVersions: versions(clusterType) };
    assert.deepEqual(line.ask(clusterType, clusters), ['Cluster'], 'its ACK tells what else the client has');
    assert.match(line.version(clusterType), /~$/);
    assert.deepEqual(line.ask(listenerType, { initialVersions: versions(listenerType) }), ['Listener +m -l']);
    assert.deepEqual(line.ack(clusterType), [], 'l may lead to a until the client has taken m in');
    assert.deepEqual(line.ack(listenerType), ['Cluster -a']);
  });

  test('sends of the names that a client asks for those that it does not bring along, or in another version', () => {
    const line = new Line();
    line.publish({ endpoints: { a: body, b: body, c: body } });
    const [resource] = resourcesOf(snapshotOf({ endpoints: { a: body } }), endpointType).values();
    const initialVersions = new Map([
      ['a', resource?.version ?? ''],
      ['b', 'another'],
    ]);
    const asked = line.ask(endpointType, { subscribe: ['a', 'b', 'c'], initialVersions });
    assert.deepEqual(asked, ['ClusterLoadAssignment +b +c']);
    line.ack(endpointType);
    assert.deepEqual(line.ask(endpointType, { subscribe: ['a'] }), ['ClusterLoadAssignment +a'], 'forgotten meanwhile');
  });

  test('removes a name that was deleted meanwhile', () => {
    const line = new Line();
    line.publish({ endpoints: { a: body } });
    const initialVersions = new Map([['gone', '1']]);
    const asked = line.ask(endpointType, { subscribe: ['gone'], initialVersions });
    assert.deepEqual(asked, ['ClusterLoadAssignment -gone']);
  });
});

describe('the order of a push', () => {
  const before = {
    clusters: { a: body },
    endpoints: { a: body },
    listeners: { l: { clusters: [], route: 'r' } },
    routes: { r: { clusters: ['a'] } },
  };
  const after = {
    clusters: { b: body },
    endpoints: { a: changed },
    listeners: { m: { clusters: [], route: 'r' } },
    routes: { r: { clusters: ['b'] } },
  };

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

  test('a response that leaves something in place until later shows its version with a ~', () => {
    const line = connected();
    line.publish(after);
    line.read();
    assert.match(line.version(clusterType), /^[0-9a-f]{16}~$/);
    line.acknowledgeAll();
    assert.match(line.version(clusterType), /^[0-9a-f]{16}$/);
  });

  test('a cluster that nothing refers to goes with what comes', () => {
    const line = connected();
    line.publish({ ...before, clusters: { a: body, unused: body } });
    line.acknowledgeAll();
    line.publish({ ...before, clusters: { a: body, b: body } });
    assert.deepEqual(line.read(), ['Cluster +b -unused']);
    assert.match(line.version(clusterType), /^[0-9a-f]{16}$/);
  });

  test('a changed cluster has its endpoints sent again at once: its ACK may wait for them', () => {
    const line = connected();
    line.publish({ ...before, clusters: { a: changed } });
    assert.deepEqual(line.read(), ['Cluster +a', 'ClusterLoadAssignment +a']);
  });

  test('a changed cluster has the endpoints sent again that it names', () => {
    const line = connected();
    const contents = { ...before, clusters: { a: { ...body, service: 's' } }, endpoints: { a: body, s: body } };
    line.publish(contents);
    line.ask(endpointType, { subscribe: ['s'] });
    line.acknowledgeAll();
    line.publish({ ...contents, clusters: { a: { ...body, service: 's', revision: 1 } } });
    assert.deepEqual(line.read(), ['Cluster +a', 'ClusterLoadAssignment +s']);
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
    line.publish({ ...before, clusters: { b: body }, routes: { r: { clusters: ['b'] }, s: { clusters: ['b'] } } });
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
      line.publish({ ...before, listeners: { l: { ...before.listeners.l, revision } } });
    assert.deepEqual(line.read(), ['Listener +l']);
    assert.deepEqual(line.acknowledgeAll(), ['Listener +l']);
  });
});

describe('a NACK', () => {
  const contents = { clusters: { a: body, b: body }, listeners: { l: { clusters: ['a'] } } };

  test('repeats nothing, is told with its reason, and holds back what refers to the refused', () => {
    const line = new Line();
    line.publish(contents);
    line.ask(clusterType);
    line.ask(listenerType);
    assert.deepEqual(line.nack(clusterType, 'goo.gle/debugproto x: 1 : no good'), []);
    const told = line.events.find((event) => event.kind === 'nacked');
    assert.equal(told?.text, 'no good');
    line.publish({ ...contents, listeners: { l: { clusters: ['a'], revision: 1 } } });
    assert.deepEqual(line.read(), [], 'the refused cluster is still the same');
  });

  test('is over when one of the refused resources changes: then all of them are tried again', () => {
    const line = new Line();
    line.publish(contents);
    line.ask(clusterType);
    line.ask(listenerType);
    line.nack(clusterType);
    line.publish({ ...contents, clusters: { a: body, b: changed } });
    assert.deepEqual(line.read(), ['Cluster +a +b']);
    assert.deepEqual(line.ack(clusterType), ['Listener +l']);
  });

  test('holds back nothing that has to do without the refused', () => {
    const line = new Line();
    line.publish(contents);
    line.ask(clusterType);
    line.ask(listenerType);
    line.nack(clusterType);
    line.publish({ clusters: { a: body, b: body, c: body }, listeners: { m: { clusters: ['c'] } } });
    assert.deepEqual(line.read(), ['Cluster +c']);
    assert.deepEqual(line.ack(clusterType), ['Listener +m']);
  });

  test('leaves what the client goes on with, and all that leads to, where it is', () => {
    const line = new Line();
    line.publish({ clusters: { a: body }, listeners: { l: { clusters: ['a'] } } });
    line.ask(clusterType);
    line.ask(listenerType);
    line.acknowledgeAll();
    line.publish({ clusters: { b: body }, listeners: { l: { clusters: ['b'] } } });
    assert.deepEqual([...line.read(), ...line.ack(clusterType)], ['Cluster +b', 'Listener +l']);
    assert.deepEqual(line.nack(listenerType), [], 'its l leads to a still');
    line.publish({ clusters: { b: body }, listeners: { l: { clusters: ['b'], revision: 1 } } });
    assert.deepEqual([...line.read(), ...line.ack(listenerType)], ['Listener +l', 'Cluster -a']);
  });

  test('does not keep secrets from being renewed', () => {
    const line = new Line();
    line.publish({ clusters: { a: body } });
    line.ask(clusterType);
    line.ask(secretType, { subscribe: ['s'] });
    line.nack(clusterType);
    line.ack(secretType);
    line.publish({ clusters: { a: body }, secrets: { s: body } });
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
