import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lockRules, Locks } from '../../../src/sink/users/locks.ts';

const minute = 60_000;

function locksAt(most?: number) {
  const clock = { time: 1_000_000, now: () => clock.time };
  return { clock, locks: new Locks(clock, most) };
}

function fail(locks: Locks, key: string, times: number): boolean[] {
  return Array.from({ length: times }, () => locks.failed(key));
}

test('nine failures lock nobody, the tenth locks for half an hour, and only whoever failed', () => {
  const { clock, locks } = locksAt();
  assert.deepEqual(fail(locks, 'taro', 9), Array(9).fill(false));
  assert.equal(locks.lockedFor('taro'), 0);
  clock.time += 29 * minute;
  assert.equal(locks.failed('taro'), true);
  assert.equal(locks.lockedFor('taro'), 30 * minute);
  assert.equal(locks.lockedFor('hanako'), 0);
  clock.time += 30 * minute - 1;
  assert.equal(locks.lockedFor('taro'), 1);
  clock.time += 1;
  assert.equal(locks.lockedFor('taro'), 0);
});

test('after a lock, and after half an hour, the count begins anew', () => {
  const { clock, locks } = locksAt();
  fail(locks, 'taro', 10);
  fail(locks, 'hanako', 9);
  clock.time += 30 * minute;
  for (const key of ['taro', 'hanako'])
    assert.deepEqual(fail(locks, key, 10), [...Array<boolean>(9).fill(false), true]);
});

test('a failure during a lock, by a check that was under way, makes it no longer', () => {
  const { clock, locks } = locksAt();
  fail(locks, 'taro', 10);
  clock.time += minute;
  assert.equal(locks.failed('taro'), false);
  assert.equal(locks.lockedFor('taro'), 29 * minute);
});

test('however many fail, so many are remembered and no more, the last ones among them', () => {
  const { locks } = locksAt(100);
  for (let index = 0; index < 1000; index += 1) locks.failed(`nobody-${index}`);
  assert.equal(locks.size, 100);
  fail(locks, 'nobody-999', 9);
  assert.ok(locks.lockedFor('nobody-999') > 0);
  for (let index = 0; index < 99; index += 1) locks.failed(`other-${index}`);
  assert.ok(locks.lockedFor('nobody-999') > 0);
});

test('in no half hour are there more than nineteen tries', () => {
  // Nine at the end of one count, and the ten of the next, of which the last one locks.
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 10 * minute }), { maxLength: 60 }), (waits) => {
      const { clock, locks } = locksAt();
      const tries: number[] = [];
      for (const wait of waits) {
        clock.time += wait;
        if (locks.lockedFor('taro') > 0) continue;
        tries.push(clock.time);
        locks.failed('taro');
      }
      for (const start of tries) {
        const within = tries.filter((time) => time >= start && time < start + lockRules.ms);
        assert.ok(within.length <= 2 * lockRules.failures - 1, `${within.length}`);
      }
    }),
  );
});
