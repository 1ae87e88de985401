import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { PushQueue } from '../../../src/control/xds/push-queue.ts';

/** A queue whose telling takes so long that a hundred do not fit into one stretch. */
function slowQueue(told: number[]): PushQueue<number> {
  return new PushQueue<number>((member) => {
    for (const end = performance.now() + 0.5; performance.now() < end;);
    told.push(member);
  });
}

test('few are told at once, each once, in the order in which it came to them', () => {
  const told: number[] = [];
  const queue = new PushQueue<number>((member) => told.push(member));
  queue.add([1, 2, 3, 2]);
  queue.add([4]);
  assert.deepEqual(told, [1, 2, 3, 4]);
});

test('many are told in stretches, and the event loop turns between them', async () => {
  const told: number[] = [];
  const queue = slowQueue(told);
  const all = Array.from({ length: 100 }, (_, index) => index);
  queue.add(all);
  const atOnce = told.length;
  assert.ok(atOnce >= 1 && atOnce <= 32, `${atOnce} were told before anything else had its turn`);
  let turns = 0;
  for (; told.length < all.length; turns += 1) await turn();
  assert.ok(turns >= 2);
  assert.deepEqual(told, all);
});

test('who waits and has more to hear is told once, and who leaves is not told', async () => {
  const told: number[] = [];
  const queue = slowQueue(told);
  const all = Array.from({ length: 100 }, (_, index) => index);
  queue.add(all);
  queue.add(all.slice(-10));
  queue.remove(95);
  while (told.length < 99) await turn();
  await turn();
  assert.deepEqual(
    told,
    all.filter((member) => member !== 95),
  );
});

test('who is told may have more to tell, and nothing is lost when telling fails', async () => {
  const told: number[] = [];
  const queue = new PushQueue<number>((member) => {
    told.push(member);
    if (member === 1) queue.add([4]);
    if (member === 2) throw new Error('as planned');
  });
  assert.throws(() => {
    queue.add([1, 2, 3]);
  }, /as planned/);
  while (told.length < 4) await turn();
  assert.deepEqual(told, [1, 2, 3, 4]);
});
