import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeenHashes } from '../../../src/sink/intake/seen-hashes.ts';
import { HalfSipHash } from '../../../src/sink/intake/sip-hash.ts';

const bounds = { generations: 4, generationBytes: 64 * 1024, ms: 4000 };

test('a hash is known from when it was added, and no other one is', () => {
  const half = fc.integer({ min: 0, max: 0xffffffff });
  const hash = fc.tuple(half, half).filter(([low, high]) => low !== 0 || high !== 0);
  fc.assert(
    fc.property(fc.uniqueArray(hash, { maxLength: 300, selector: String }), fc.nat(300), (all, known) => {
      const seen = new SeenHashes(() => 0, bounds);
      const added = all.slice(0, known);
      for (const [low, high] of added) seen.add(low, high);
      assert.deepEqual(
        all.filter(([low, high]) => seen.has(low, high)),
        added,
      );
    }),
  );
});

test('however many come, the bytes are bounded and the newest are known', () => {
  const seen = new SeenHashes(() => 0, bounds);
  const each = bounds.generationBytes / 16;
  for (let index = 1; index <= 10 * each; index += 1) seen.add(Math.imul(index, 0x9e3779b1) >>> 0, index);
  assert.ok(seen.bytes <= bounds.generations * bounds.generationBytes, String(seen.bytes));
  const knows = (index: number) => seen.has(Math.imul(index, 0x9e3779b1) >>> 0, index);
  for (let index = 10 * each; index > 7 * each; index -= 1) assert.ok(knows(index), String(index));
  assert.ok(!knows(1));
});

test('what came longer ago than the time allowed is forgotten, what came lately is not', () => {
  let now = 0;
  const seen = new SeenHashes(() => now, bounds);
  seen.add(1, 1);
  now = 2900;
  seen.add(2, 2);
  assert.ok(seen.has(1, 1));
  now = 5000;
  seen.add(3, 3);
  assert.deepEqual([seen.has(1, 1), seen.has(2, 2), seen.has(3, 3)], [false, true, true]);
});

test('a hash depends on each byte, on the length and on the key', () => {
  const of = (bytes: Buffer, key = Buffer.from('01234567')): string => {
    const sip = new HalfSipHash(key);
    sip.of(bytes, bytes.length);
    return `${sip.low} ${sip.high}`;
  };
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (array, at, by) => {
        const bytes = Buffer.from(array);
        const other = Buffer.from(bytes);
        const place = at % bytes.length;
        other[place] = (bytes[place] ?? 0) ^ by;
        assert.notEqual(of(bytes), of(other));
        assert.notEqual(of(bytes), of(bytes.subarray(1)));
        assert.notEqual(of(bytes), of(bytes, Buffer.from('76543210')));
      },
    ),
  );
});
