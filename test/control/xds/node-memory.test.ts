import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answers } from '../../../src/control/xds/answers.ts';
import { Holding } from '../../../src/control/xds/holding.ts';
import { NodeMemory } from '../../../src/control/xds/node-memory.ts';
import { resourcesOf } from '../../../src/control/xds/snapshot.ts';
import { Subscription } from '../../../src/control/xds/subscription.ts';
import type { TypeState } from '../../../src/control/xds/type-state.types.ts';
import { clusterType } from '../../../src/control/xds/type-urls.ts';
import { snapshotOf } from './model.ts';

const map = resourcesOf(snapshotOf({ clusters: { a: { clusters: [] } } }), clusterType);

function state(label: string): TypeState {
  const holding = new Holding();
  holding.beginWith(map, () => true);
  const [subscription, answers] = [new Subscription(clusterType), new Answers()];
  return { type: clusterType, subscription, holding, answers, shown: label, label, claimed: '' };
}

test('a node that left is remembered for a while with what it held, then forgotten', () => {
  let now = 0;
  const memory = new NodeMemory({ now: () => now }, { keepMs: 1000, nodes: 10 });
  memory.remember('n', [state('1')]);
  now = 1000;
  assert.deepEqual(memory.recall('n', clusterType), { label: '1', held: map, shown: '1', isCertain: true });
  now = 1001;
  assert.equal(memory.recall('n', clusterType), undefined);
});

test('of more nodes than there is room for the first to leave are forgotten', () => {
  const memory = new NodeMemory({ now: () => 0 }, { keepMs: 1000, nodes: 2 });
  for (const node of ['a', 'b', 'c']) memory.remember(node, [state('1')]);
  memory.remember('b', [state('2')]);
  assert.equal(memory.recall('a', clusterType), undefined);
  memory.remember('d', [state('1')]);
  assert.equal(memory.recall('c', clusterType), undefined);
  assert.notEqual(memory.recall('b', clusterType), undefined);
});

test('where something was under way when the node left, all that it may hold is remembered, and that it is not certain', () => {
  const memory = new NodeMemory({ now: () => 0 });
  memory.remember('n', [state('1')]);
  const left = state('2');
  const removed = { changed: [], removed: ['a'] };
  const replaced = left.holding.move(removed, undefined, []);
  left.holding.sent({ nonce: 'x', version: '2', difference: removed, whole: undefined, replaced });
  memory.remember('n', [left]);
  const recalled = memory.recall('n', clusterType);
  assert.equal(recalled?.isCertain, false);
  assert.deepEqual([...recalled.held.keys()], ['a']);
});
