import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldChanges } from '../../../src/control/preview/field-changes.ts';

const cases: readonly (readonly [what: string, old: unknown, now: unknown, changes: readonly object[]])[] = [
  ['a value', { a: { b: 1 } }, { a: { b: 2 } }, [{ path: 'a.b', old: 1, new: 2 }]],
  ['a field more', { a: {} }, { a: { b: 2 } }, [{ path: 'a.b', new: 2 }]],
  ['a field less', { a: { b: 1 } }, { a: {} }, [{ path: 'a.b', old: 1 }]],
  ['a key of a map', { m: {} }, { m: { 'x.example': 1 } }, [{ path: 'm[x.example]', new: 1 }]],
  ['another kind of value', { a: [1] }, { a: { b: 1 } }, [{ path: 'a', old: [1], new: { b: 1 } }]],
  ['an element in the middle', ['a', 'c', 'd'], ['a', 'b', 'c', 'd'], [{ path: '[1]', new: 'b' }]],
  [
    'an element less, and one more behind it',
    ['a', 'b', 'c'],
    ['b', 'c', 'd'],
    [
      { path: '[0]', old: 'a' },
      { path: '[2]', new: 'd' },
    ],
  ],
  [
    'an element that is another one',
    { l: [{ x: 1 }, { x: 2 }] },
    { l: [{ x: 1 }, { x: 3 }] },
    [{ path: 'l[1].x', old: 2, new: 3 }],
  ],
  [
    'a named element, wherever it stands',
    [{ name: 'a', x: 1 }],
    [{ name: 'b' }, { name: 'a', x: 2 }],
    [
      { path: '[a].x', old: 1, new: 2 },
      { path: '[b]', new: { name: 'b' } },
    ],
  ],
  [
    'the order of named elements',
    [{ name: 'a' }, { name: 'b' }],
    [{ name: 'b' }, { name: 'a' }],
    [{ path: ' (order)', old: ['a', 'b'], new: ['b', 'a'] }],
  ],
  [
    'elements of which two have one name',
    [
      { name: 'a', x: 1 },
      { name: 'a', x: 2 },
    ],
    [
      { name: 'a', x: 1 },
      { name: 'a', x: 3 },
    ],
    [{ path: '[1].x', old: 2, new: 3 }],
  ],
];
for (const [what, old, now, changes] of cases) {
  test(`what changed: ${what}`, () => {
    assert.deepEqual(fieldChanges(old, now), changes);
  });
}

test('lists too long to compare in full are told to differ all the same', () => {
  const list = (from: number) => Array.from({ length: 3000 }, (_, at) => `${from + at}`);
  assert.deepEqual(fieldChanges(list(0), list(0)), []);
  assert.ok(fieldChanges(list(0), list(1)).length >= 2);
});

test('values differ exactly when a change is told', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const pair = fc.oneof(
    fc.tuple(value, value),
    value.map((one) => [one, structuredClone(one)] as const),
  );
  fc.assert(
    fc.property(pair, ([old, now]) => {
      assert.equal(fieldChanges(old, now).length === 0, isDeepStrictEqual(old, now));
    }),
  );
});
