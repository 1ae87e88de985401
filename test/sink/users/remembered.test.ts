import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Remembered, rememberedMs } from '../../../src/sink/users/remembered.ts';

function rememberedAt(most?: number) {
  const clock = { time: 1_000_000, now: () => clock.time };
  return { clock, remembered: new Remembered(clock, most) };
}

test('a mark is remembered for five minutes, however often it is asked for, and then gone from memory', () => {
  const { clock, remembered } = rememberedAt();
  remembered.add('taro');
  clock.time += rememberedMs - 1;
  assert.equal(remembered.has('taro'), true);
  assert.equal(remembered.has('hanako'), false);
  clock.time += 1;
  assert.equal(remembered.has('taro'), false);
  assert.equal(remembered.size, 0);
  assert.equal(rememberedMs, 300_000);
});

test('so many are remembered and no more, the last ones among them', () => {
  const { remembered } = rememberedAt(10);
  for (let index = 0; index < 100; index += 1) remembered.add(`mark-${index}`);
  assert.equal(remembered.size, 10);
  assert.equal(remembered.has('mark-99'), true);
  assert.equal(remembered.has('mark-89'), false);
});
