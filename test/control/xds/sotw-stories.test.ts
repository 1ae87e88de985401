import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import { clusterType, endpointType, listenerType, routeType, secretType } from '../../../src/control/xds/type-urls.ts';
import { Line } from './line.ts';
import { snapshotOf } from './model.ts';

const body = { clusters: [] };
const changed = { clusters: [], revision: 1 };
const open = (publisher?: Publisher): Line => new Line({ variant: 'sotw', ...(publisher && { publisher }) });

describe('a state-of-the-world subscription', () => {
  test('to clusters or listeners that names nothing asks for everything, to any other type for nothing', () => {
    const line = open();
    line.publish({ clusters: { a: body, b: body }, endpoints: { a: body } });
    assert.deepEqual(line.ask(clusterType), ['Cluster +a +b']);
    assert.deepEqual(line.ask(endpointType), []);
    assert.deepEqual(line.ack(clusterType), []);
    assert.deepEqual(line.ask(listenerType), ['Listener'], 'Envoy holds its start back for it');
  });

  test('to names gets these and no others, and those that do not exist when they appear', () => {
    const line = open();
    line.publish({ clusters: { a: body, b: body, c: body } });
    assert.deepEqual(line.ask(clusterType, { names: ['b', 'z'] }), ['Cluster +b']);
    assert.deepEqual(line.ack(clusterType), []);
    line.publish({ clusters: { a: body, b: body, c: body, z: body } });
    assert.deepEqual(line.read(), ['Cluster +b +z']);
    assert.deepEqual(open().ask(clusterType, { names: ['z'] }), []);
  });

  test('that names nothing after it named something asks for nothing any more', () => {
    const line = open();
    line.publish({ clusters: { a: body } });
    line.ask(clusterType, { names: ['a'] });
    assert.deepEqual(line.ack(clusterType, { names: [] }), []);
    line.publish({ clusters: { a: changed } });
    assert.deepEqual(line.read(), []);
    assert.deepEqual(line.ack(clusterType, { names: ['a'] }), ['Cluster +a'], 'asked for again');
  });

  test('may be an explicit *, a mix, and leave the wildcard again', () => {
    const line = open();
    line.publish({ endpoints: { a: body, b: body } });
    assert.deepEqual(line.ask(endpointType, { names: ['*', 'a'] }), ['ClusterLoadAssignment +a +b']);
    assert.deepEqual(line.ack(endpointType, { names: ['a'] }), ['ClusterLoadAssignment +a']);
    line.ack(endpointType);
    line.publish({ endpoints: { a: body, b: changed } });
    assert.deepEqual(line.read(), []);
    assert.deepEqual(line.ack(endpointType, { names: ['*'] }), ['ClusterLoadAssignment +b']);
  });

  test('of a name that was left out and is named again is answered again', () => {
    const line = open();
    line.publish({ endpoints: { a: body, b: body } });
    line.ask(endpointType, { names: ['a', 'b'] });
    assert.deepEqual(line.ack(endpointType, { names: ['b'] }), []);
    assert.deepEqual(line.ack(endpointType, { names: ['a', 'b'] }), ['ClusterLoadAssignment +a']);
  });

  test('before there is a snapshot is answered when there is one', () => {
    const line = open();
    assert.deepEqual(line.ask(clusterType), []);
    line.publish({ clusters: { a: body } });
    assert.deepEqual(line.read(), ['Cluster +a']);
  });

  test('to a type that nobody knows is met with silence, told of, and leaves the others alone', () => {
    const line = open();
    line.publish({ clusters: { a: body } });
    assert.deepEqual(line.ask('type.googleapis.com/example.Thing', { names: ['x', '*'] }), []);
    assert.equal(line.events.filter(({ kind }) => kind === 'unknown-type').length, 1);
    assert.deepEqual(line.ask(clusterType), ['Cluster +a']);
  });
});

describe('a state-of-the-world push', () => {
  test('shows all clusters and listeners, and of other types what changed', () => {
    const line = open();
    const contents = {
      clusters: { a: body, b: body },
      endpoints: { a: body, b: body },
      listeners: { l: { clusters: [], route: 'r' }, m: body },
      routes: { r: body, s: body },
    };
    line.publish(contents);
    line.ask(clusterType);
    line.ask(endpointType, { names: ['a', 'b'] });
    line.ask(listenerType);
    line.ask(routeType, { names: ['r', 's'] });
    line.acknowledgeAll();
    line.publish({ ...contents, endpoints: { a: body, b: changed }, listeners: { ...contents.listeners, m: changed } });
    assert.deepEqual(line.acknowledgeAll(), ['ClusterLoadAssignment +b', 'Listener +l +m']);
    line.publish({ ...contents, clusters: { a: body }, endpoints: { a: body }, routes: { r: changed, s: body } });
    assert.deepEqual(line.acknowledgeAll(), ['Cluster +a', 'Listener +l +m', 'RouteConfiguration +r']);
  });

  test('keeps a removed cluster while something acknowledged refers to it, under the new version with a ~', () => {
    const line = open();
    line.publish({ clusters: { a: body, x: body }, listeners: { l: { clusters: ['a'] } } });
    line.ask(clusterType);
    line.ask(listenerType);
    line.acknowledgeAll();
    line.publish({ clusters: { b: body }, listeners: { l: { clusters: ['b'] } } }, '2');
    assert.deepEqual(line.read(), ['Cluster +b +a'], 'x goes at once');
    assert.equal(line.version(clusterType), '2~');
    assert.deepEqual(line.ack(clusterType), ['Listener +l']);
    assert.equal(line.version(listenerType), '2');
    assert.deepEqual(line.ack(listenerType), ['Cluster +b']);
    assert.equal(line.version(clusterType), '2');
    assert.deepEqual(line.ack(clusterType), []);
  });

  test('is not answered by a request with an old nonce, whatever else that says', () => {
    const line = open();
    line.publish({ endpoints: { a: body, b: body } });
    line.ask(endpointType, { names: ['a'] });
    const old = line.nonce(endpointType);
    line.ack(endpointType);
    line.publish({ endpoints: { a: changed, b: body } });
    assert.deepEqual(line.ask(endpointType, { nonce: old, names: ['b'] }), ['ClusterLoadAssignment +a']);
    assert.equal(line.events.filter(({ kind }) => kind === 'acked').length, 1);
  });

  test('that is refused is not repeated until the content changes, and the other types live on', () => {
    const line = open();
    line.publish({ clusters: { a: body }, secrets: { s: body } });
    line.ask(clusterType);
    assert.deepEqual(line.nack(clusterType), []);
    assert.deepEqual(line.ask(secretType, { names: ['s'] }), ['Secret +s']);
    assert.deepEqual(line.ask(clusterType, { nonce: line.nonce(clusterType) }), []);
    line.publish({ clusters: { a: changed }, secrets: { s: body } });
    assert.deepEqual(line.read(), ['Cluster +a']);
  });

  test('that is refused for what an earlier stream may have left is forgiven when all there is comes once more without it', () => {
    const earlier = open();
    earlier.publish({ clusters: { old: body } });
    earlier.ask(clusterType);
    earlier.publish({ clusters: { a: body } });
    earlier.end();
    const line = open(earlier.publisher);
    assert.deepEqual(line.ask(clusterType), ['Cluster +a +old'], 'nobody knows whether it arrived');
    line.ask(listenerType);
    assert.deepEqual(line.nack(clusterType), ['Cluster +a']);
    line.acknowledgeAll();
    assert.equal(line.events.at(-1)?.kind, 'settled');
  });
});

describe('versions that the owner of a snapshot chose', () => {
  test('are shown, and a new one is shown even where the content is the same', () => {
    const line = open();
    const contents = { clusters: { a: body }, endpoints: { a: body, b: body } };
    line.publish(contents, '1');
    line.ask(clusterType);
    line.ask(endpointType, { names: ['a'] });
    line.acknowledgeAll();
    assert.deepEqual([line.version(clusterType), line.version(endpointType)], ['1', '1']);
    line.publish(contents, '2');
    assert.deepEqual(line.acknowledgeAll(), ['Cluster +a', 'ClusterLoadAssignment +a']);
    assert.deepEqual([line.version(clusterType), line.version(endpointType)], ['2', '2']);
  });

  test('may stand for some types only', () => {
    const line = open();
    line.publish({ clusters: { a: body }, listeners: { l: body } }, new Map([[clusterType, '7']]));
    line.ask(clusterType);
    line.ask(listenerType);
    line.acknowledgeAll();
    assert.equal(line.version(clusterType), '7');
    assert.match(line.version(listenerType), /^[0-9a-f]{16}$/);
  });

  test('do not hide that a resource went and came again at the same version', () => {
    for (const variant of ['delta', 'sotw'] as const) {
      const line = new Line({ variant });
      line.publish({ endpoints: { a: body, b: body } }, '1');
      line.ask(endpointType, { names: ['a', 'b'], subscribe: ['a', 'b'] });
      line.acknowledgeAll();
      line.publish({ endpoints: { a: body } }, '1');
      assert.deepEqual(line.acknowledgeAll(), variant === 'delta' ? ['ClusterLoadAssignment -b'] : []);
      line.publish({ endpoints: { a: body, b: body } }, '1');
      assert.deepEqual(line.acknowledgeAll(), ['ClusterLoadAssignment +b']);
    }
  });
});

describe('a state-of-the-world reconnect', () => {
  const contents = { clusters: { a: body }, endpoints: { a: body, b: body }, listeners: { l: { clusters: ['a'] } } };

  /** What a first stream was shown, by type. */
  function firstStream(publisher: Publisher): Map<string, string> {
    const line = open(publisher);
    line.ask(clusterType);
    line.ask(endpointType, { names: ['a'] });
    line.ask(listenerType);
    line.acknowledgeAll();
    line.end();
    return new Map([clusterType, endpointType, listenerType].map((type) => [type, line.version(type)]));
  }

  function published(versions?: string): Publisher {
    const publisher = new Publisher({ resolve: () => 'group' });
    publisher.publish('group', snapshotOf(contents, undefined, versions));
    return publisher;
  }

  test('with hashes of ours gets nothing again, from this process or another', () => {
    for (const other of [published(), undefined]) {
      const publisher = published();
      const shown = firstStream(publisher);
      const line = open(other ?? publisher);
      const version = (type: string): string => shown.get(type) ?? '';
      assert.deepEqual(line.ask(clusterType, { version: version(clusterType) }), []);
      assert.deepEqual(line.ask(endpointType, { names: ['a'], version: version(endpointType) }), []);
      assert.deepEqual(line.ask(listenerType, { version: version(listenerType) }), []);
      assert.ok(line.events.some(({ kind }) => kind === 'settled'));
    }
  });

  test('that asks for another name beside them is told all anew by a process that does not know it', () => {
    const shown = firstStream(published());
    const line = open(published());
    const asked = line.ask(endpointType, { names: ['a', 'b'], version: shown.get(endpointType) ?? '' });
    assert.deepEqual(asked, ['ClusterLoadAssignment +a +b']);
  });

  test('with a version that is not ours is told everything anew', () => {
    assert.deepEqual(open(published()).ask(clusterType, { version: 'theirs' }), ['Cluster +a']);
  });

  test('with a version of an owner’s choice is believed by the process that showed it, and by no other', () => {
    const publisher = published('1');
    const shown = firstStream(publisher);
    assert.equal(shown.get(clusterType), '1');
    assert.deepEqual(open(publisher).ask(clusterType, { version: '1' }), []);
    assert.deepEqual(open(published('1')).ask(clusterType, { version: '1' }), ['Cluster +a']);
  });

  test('with the same version of other content is told what changed', () => {
    const publisher = published('1');
    firstStream(publisher);
    publisher.publish('group', snapshotOf({ ...contents, clusters: { a: changed } }, undefined, '1'));
    assert.deepEqual(open(publisher).ask(clusterType, { version: '1' }), ['Cluster +a']);
  });

  test('loses what was deleted meanwhile only after its listeners have moved on', () => {
    const publisher = published();
    const shown = firstStream(publisher);
    publisher.publish('group', snapshotOf({ clusters: { b: body }, listeners: { l: { clusters: ['b'] } } }));
    const line = open(publisher);
    assert.deepEqual(line.ask(clusterType, { version: shown.get(clusterType) ?? '' }), ['Cluster +b +a']);
    assert.deepEqual(line.ask(listenerType, { version: shown.get(listenerType) ?? '' }), []);
    assert.deepEqual(line.ack(clusterType), ['Listener +l']);
    assert.deepEqual(line.ack(listenerType), ['Cluster +b']);
  });
});

test('the stream of a service of one type implies the type, and refuses any other', () => {
  for (const variant of ['delta', 'sotw'] as const) {
    const line = new Line({ variant, type: clusterType });
    line.publish({ clusters: { a: body } });
    assert.deepEqual(line.ask(''), ['Cluster +a']);
    assert.deepEqual(line.ack(clusterType), []);
    assert.throws(() => line.ask(listenerType), { code: 'request_malformed' });
    assert.throws(() => new Line({ variant }).ask(''), { code: 'request_malformed' });
  }
});
