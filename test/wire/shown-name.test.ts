import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shownName, withheldName } from '../../src/wire/shown-name.ts';
import { bearing } from '../support/secret-bearers.ts';

const names = [
  ...['', 'egress-1', 'office/http', 'host-7.example.com', '1.40.0-dev+abc', 'Envoy of the 3rd floor', '東京'],
  'type.googleapis.com/envoy.config.cluster.v3.Cluster',
];
for (const name of names) {
  test(`a name is shown as it is: ${name}`, () => {
    assert.equal(shownName(name), name);
  });
}

for (const text of ['token=x', 'a:b', 'a\n{"level":"forged"}', 'a\u202eb', 'a\u001b[31m', '%74oken']) {
  test(`what is no name is withheld: ${JSON.stringify(text)}`, () => {
    assert.equal(shownName(text), withheldName);
  });
}

test('no text in which a secret can be told is a name, and what stands in its place is none either', () => {
  fc.assert(
    fc.property(bearing('secret'), (text) => {
      assert.equal(shownName(text), withheldName);
    }),
  );
  assert.equal(shownName(withheldName), withheldName);
});
