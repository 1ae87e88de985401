import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canaryOf } from '../../../src/control/rollout/canaries.ts';
import { policy } from '../../support/policies.ts';

const named = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `egress-${n}` }));
const fleetOf = (count: number) => ({
  ...policy().fleet,
  groups: [
    { name: 'egress', nodes: named(count) },
    { name: 'host', nodes: [], pattern: { match: 'host-*', max: 9000 } },
  ],
});

test('named canary nodes are those that are named', () => {
  const isCanary = canaryOf(fleetOf(3), { nodes: ['egress-1', 'host-7'] });
  assert.deepEqual(['egress-0', 'egress-1', 'host-7', 'host-8'].filter(isCanary), ['egress-1', 'host-7']);
});

test('without a rollout there are none', () => {
  assert.equal(canaryOf(fleetOf(3), undefined)('egress-1'), false);
});

for (const [count, percent, expected] of [
  [1, 1, 1],
  [2, 10, 1],
  [10, 10, 1],
  [11, 10, 2],
  [200, 99, 198],
] as const) {
  test(`${percent} % of ${count} named nodes are ${expected}`, () => {
    const isCanary = canaryOf(fleetOf(count), { percent });
    assert.equal(named(count).filter(({ id }) => isCanary(id)).length, expected);
  });
}

test('of nodes that a pattern admits about the share is taken, of strangers nobody', () => {
  const isCanary = canaryOf(fleetOf(1), { percent: 10 });
  const of = (prefix: string) => Array.from({ length: 5000 }, (_, n) => `${prefix}-${n}`).filter(isCanary).length;
  const taken = of('host');
  assert.ok(taken > 400 && taken < 600, `${taken} of 5000`);
  assert.equal(of('stranger'), 0);
});

test('who is taken does not depend on the order of the nodes, and a larger share takes the same ones and more', () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 98 }), (all, percent) => {
      const fleet = (nodes: readonly string[]) => ({
        ...fleetOf(0),
        groups: [{ name: 'g', nodes: nodes.map((id) => ({ id })) }],
      });
      const taken = all.filter(canaryOf(fleet(all), { percent }));
      assert.deepEqual(all.filter(canaryOf(fleet([...all].reverse()), { percent })), taken);
      const more = canaryOf(fleet(all), { percent: percent + 1 });
      assert.ok(taken.length > 0 && taken.every(more));
    }),
  );
});
