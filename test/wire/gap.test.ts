import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { decodeGap, encodeGap, gapCauses, gapStates } from '../../src/wire/gap.ts';
import { protoFile } from '../../src/wire/proto-files.ts';

const root = new protobuf.Root();
root.resolvePath = (_, target) => protoFile(target);
root.loadSync('sekisho/v1/gap.proto');
const type = root.lookupType('sekisho.v1.Gap');

const names = <T extends string>(of: Readonly<Record<T, number>>) => fc.constantFrom(...(Object.keys(of) as T[]));
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const gap = fc.record(
  {
    ...{ state: names(gapStates), cause: names(gapCauses), missing: count, atLeast: fc.boolean() },
    ...{ from: time, to: time, handled: count, stored: count, opened: time },
  },
  { noNullPrototype: true },
);

test('a gap comes back as it was, and is what gap.proto says', () => {
  fc.assert(
    fc.property(gap, (one) => {
      const bytes = encodeGap(one);
      assert.deepEqual(decodeGap(bytes), one);
      const read = type.toObject(type.decode(bytes), { longs: Number, enums: String, defaults: true }) as Record<
        string,
        unknown
      >;
      assert.equal(read['state'], one.state.toUpperCase());
      assert.equal(read['cause'], one.cause.toUpperCase());
      assert.deepEqual([read['missing'], read['atLeast']], [one.missing, one.atLeast]);
      assert.deepEqual([read['handled'], read['stored']], [one.handled, one.stored]);
    }),
  );
});
