import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { protoFile } from '../../src/wire/proto-files.ts';
import { decodeTrafficReport, encodeTrafficReport } from '../../src/wire/traffic-report.ts';

const root = new protobuf.Root();
root.resolvePath = (_, target) => protoFile(target);
root.loadSync('sekisho/v1/traffic.proto');
const type = root.lookupType('sekisho.v1.TrafficReport');

const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const node = fc.record(
  { node: fc.string({ minLength: 1 }), requests: count, serverErrors: count, denied: count },
  { noNullPrototype: true },
);

test('a report is what traffic.proto says, and comes back as it was', () => {
  fc.assert(
    fc.property(fc.record({ from: count, to: count, nodes: fc.array(node) }, { noNullPrototype: true }), (report) => {
      const bytes = encodeTrafficReport(report);
      assert.deepEqual(decodeTrafficReport(bytes), report);
      assert.deepEqual({ ...type.toObject(type.decode(bytes), { longs: Number, defaults: true }) }, report);
    }),
  );
});

test('bytes that are no report are refused', () => {
  assert.throws(() => decodeTrafficReport(Buffer.from([0x1a, 9, 1])), { code: 'request_malformed' });
});
