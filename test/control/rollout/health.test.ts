import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addTraffic, noTraffic, worse } from '../../../src/control/rollout/health.ts';

type Row = readonly [requests: number, serverErrors: number, denied: number];

/** Canary, rest → in what it is worse. */
const table: readonly (readonly [canary: Row, rest: Row, worse: 'server-errors' | 'denied' | undefined])[] = [
  [[0, 0, 0], [0, 0, 0], undefined],
  [[49, 49, 0], [1000, 0, 0], undefined],
  [[50, 50, 0], [1000, 0, 0], 'server-errors'],
  [[50, 0, 50], [1000, 0, 0], 'denied'],
  [[50, 1, 0], [1000, 0, 0], undefined],
  [[50, 2, 0], [1000, 0, 0], 'server-errors'],
  // Twice the rest's, and not more.
  [[100, 20, 0], [100, 10, 0], undefined],
  [[100, 21, 0], [100, 10, 0], 'server-errors'],
  // More than twice, and just two points above, or more.
  [[100, 3, 0], [100, 1, 0], undefined],
  [[1000, 30, 0], [1000, 10, 0], undefined],
  [[1000, 31, 0], [1000, 10, 0], 'server-errors'],
  // A fleet that is ill as a whole is not the change's fault.
  [[100, 60, 0], [100, 50, 0], undefined],
  [[100, 0, 7], [100, 0, 4], undefined],
  [[100, 0, 9], [100, 0, 4], 'denied'],
  // Nobody to compare with.
  [[100, 1, 0], [0, 0, 0], undefined],
  [[100, 3, 0], [0, 0, 0], 'server-errors'],
];
for (const [canary, rest, expected] of table) {
  test(`canary ${canary.join('/')} beside ${rest.join('/')} is ${expected ?? 'no'} worse`, () => {
    const counts = ([requests, serverErrors, denied]: Row) => ({ requests, serverErrors, denied });
    assert.equal(worse({ canary: counts(canary), rest: counts(rest) })?.cause, expected);
  });
}

test('the reason gives both shares', () => {
  const counts = { requests: 200, serverErrors: 50, denied: 0 };
  const rest = { requests: 1000, serverErrors: 3, denied: 0 };
  assert.equal(
    worse({ canary: counts, rest })?.text,
    '25.0 % of 200 answers of the canary nodes were server errors (5xx), and 0.3 % of 1000 of the others',
  );
  assert.deepEqual(addTraffic(noTraffic, { canary: counts, rest }), { canary: counts, rest });
});
