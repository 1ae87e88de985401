import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NameList } from '../../src/wire/name-list.ts';
import { bytesField } from '../../src/wire/protobuf.ts';
import { decodeSotwRequest } from '../../src/wire/sotw-discovery.ts';

/** Long enough to be remembered, and such that one list often begins like another. */
const list = fc
  .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 5 })
  .map((names) => names.map((name) => name.repeat(70)));

function requestFor(names: readonly string[]): Buffer {
  return Buffer.concat([...names.map((name) => bytesField(3, name)), bytesField(4, 'type'), bytesField(5, 'nonce')]);
}

test('a list is read for what it says, whatever lists came before it', () => {
  fc.assert(
    fc.property(fc.array(list, { maxLength: 20 }), (lists) => {
      for (const names of lists) {
        const request = decodeSotwRequest(requestFor(names));
        assert.deepEqual([...request.names], names);
        assert.deepEqual([request.typeUrl, request.nonce], ['type', 'nonce']);
      }
    }),
  );
});

test('a long list that comes again is one and the same object', () => {
  const names = Array.from({ length: 20 }, (_, index) => `cluster-${index}`);
  const [, second, third] = [1, 2, 3].map(() => decodeSotwRequest(requestFor(names)).names);
  assert.equal(second, third);
});

test('names that another field stands between are all there', () => {
  const long = ['a', 'b'].map((name) => name.repeat(70));
  const apart = Buffer.concat([requestFor(long), ...long.map((name) => bytesField(3, name))]);
  assert.deepEqual([...decodeSotwRequest(requestFor(long)).names], long);
  assert.deepEqual([...decodeSotwRequest(apart).names], [...long, ...long]);
  assert.deepEqual([...NameList.of([])], []);
});
