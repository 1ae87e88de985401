import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSnapshot, resourcesOf } from '../../../src/control/xds/snapshot.ts';
import { clusterType, listenerType } from '../../../src/control/xds/type-urls.ts';

const a = { type: clusterType, name: 'a', bytes: Buffer.from('one') };
const b = { type: clusterType, name: 'b', bytes: Buffer.from('two') };
const l = { type: listenerType, name: 'l', bytes: Buffer.from('three') };

test('the order in which resources come does not matter to a snapshot', () => {
  assert.deepEqual(makeSnapshot([l, b, a]), makeSnapshot([a, b, l]));
  assert.deepEqual([...resourcesOf(makeSnapshot([b, a]), clusterType).keys()], ['a', 'b']);
});

test('versions follow content and nothing else', () => {
  const first = makeSnapshot([a, b]);
  const second = makeSnapshot([a, { ...b, bytes: Buffer.from('changed') }]);
  assert.notEqual(second.version, first.version);
  assert.equal(resourcesOf(second, clusterType).get('a')?.version, resourcesOf(first, clusterType).get('a')?.version);
  assert.notEqual(
    resourcesOf(second, clusterType).get('b')?.version,
    resourcesOf(first, clusterType).get('b')?.version,
  );
});

test('versions that are given are used as they are', () => {
  const snapshot = makeSnapshot([{ ...a, version: '7' }], { versions: 'release 3' });
  assert.equal(snapshot.version, 'release 3');
  assert.equal(resourcesOf(snapshot, clusterType).get('a')?.version, '7');
});

test('what equals the previous snapshot is taken over from it, so that it may be compared by identity', () => {
  const first = makeSnapshot([a, l]);
  const second = makeSnapshot(
    [
      { ...a, bytes: Buffer.from('one') },
      { ...l, bytes: Buffer.from('new') },
    ],
    { previous: first },
  );
  assert.equal(resourcesOf(second, clusterType), resourcesOf(first, clusterType));
  assert.notEqual(resourcesOf(second, listenerType), resourcesOf(first, listenerType));
});

test('two resources of one type with one name are refused', () => {
  assert.throws(() => makeSnapshot([a, { ...b, name: 'a' }]), { code: 'resource_invalid' });
  assert.doesNotThrow(() => makeSnapshot([a, { ...l, name: 'a' }]));
});
