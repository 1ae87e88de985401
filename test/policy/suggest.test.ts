import { test } from 'node:test';
import assert from 'node:assert/strict';
import { didYouMean, nearest } from '../../src/policy/suggest.ts';

const keys = ['partitions', 'regions', 'also', 'resolvers', 'pins', 'trust'];
for (const [word, expected] of [
  ['region', 'regions'],
  ['regoins', 'regions'],
  ['Pins', 'pins'],
  ['pisn', 'pins'],
  ['resolver', 'resolvers'],
  ['aws', undefined],
  ['x', undefined],
  ['', undefined],
  ['r'.repeat(100_000), undefined],
] as const) {
  test(`"${word.slice(0, 20)}" is near ${String(expected)}`, () => {
    assert.equal(nearest(word, keys), expected);
  });
}

test('without a near word all are told', () => {
  assert.ok(keys.every((key) => didYouMean('x', keys).includes(key)));
});
