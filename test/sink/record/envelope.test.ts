import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  recordFields,
  recordEncoder,
  recordKinds,
  recordLimit,
  suppressedFields,
  suppressedLimit,
  withSuppressed,
  writeRecord,
  type RecordOrigin,
} from '../../../src/sink/record/envelope.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { recordIdentities } from '../../../src/wire/control-event.ts';
import { bytesField } from '../../../src/wire/protobuf.ts';
import { protoFile } from '../../../src/wire/proto-files.ts';
import { consoleRequest, decode, httpEntry, httpEntryType, recordBytes, tcpEntry } from './entries.ts';

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => (target.startsWith('google/') ? protoFile(target) : target);
root.loadSync('proto/sekisho/v1/record.proto', { keepCase: true }).resolveAll();
const recordType = root.lookupType('sekisho.v1.Record');

const origin: RecordOrigin = {
  node: 'egress-1',
  log: 'office/http',
  epoch: 1795442000123,
  kind: 'http',
  identity: 'certificate',
};
const received = 1795442040554.5;

function encode(marks: readonly string[], entry: Buffer, from = origin): Buffer {
  return recordBytes(from).encode(received, marks, entry);
}

test('the numbers of a record are those of record.proto', () => {
  const declared = Object.fromEntries(recordType.fieldsArray.map(({ name, id }) => [name, id]));
  assert.deepEqual(declared, recordFields);
  const upper = (names: object): object =>
    Object.fromEntries(Object.entries(names).map(([name, number]) => [name.toUpperCase(), number as number]));
  const { KIND_UNSPECIFIED, ...kinds } = recordType.lookupEnum('Kind').values;
  const { IDENTITY_UNSPECIFIED, ...identities } = recordType.lookupEnum('Identity').values;
  assert.deepEqual(kinds, upper(recordKinds));
  assert.deepEqual(identities, upper(recordIdentities));
  assert.deepEqual([KIND_UNSPECIFIED, IDENTITY_UNSPECIFIED], [0, 0]);
  const { fieldsArray } = root.lookupType('sekisho.v1.Record.Suppressed');
  assert.deepEqual(Object.fromEntries(fieldsArray.map(({ name, id }) => [name, id])), suppressedFields);
});

test('protobufjs reads in a record what was put into it', () => {
  const entry = httpEntry(consoleRequest());
  const read = recordType.toObject(recordType.decode(encode(['request.path?code', 'tags.arn'], entry)), {
    longs: Number,
    enums: String,
  });
  assert.deepEqual(read, {
    node: 'egress-1',
    log: 'office/http',
    epoch: 1795442000123,
    kind: 'HTTP',
    identity: 'CERTIFICATE',
    received: { seconds: 1795442040, nanos: 554500000 },
    redactions: ['request.path?code', 'tags.arn'],
    entry,
  });
});

test('protobufjs and Sekisho read for how many refusals a record stands, within the bytes that are kept free for it', () => {
  const entry = httpEntry(consoleRequest());
  const most = { count: Number.MAX_SAFE_INTEGER, since: 253_402_300_799_999.5, shared: true };
  for (const suppressed of [{ count: 1, since: received, shared: false }, most]) {
    const plain = recordEncoder(origin).encode(received, ['tags.arn'], entry);
    const record = withSuppressed(plain, suppressed);
    assert.ok(record.length <= plain.length + suppressedLimit);
    const bytes = Buffer.alloc(record.length);
    writeRecord(record, bytes, 0);
    const { suppressed: read, entry: shown } = recordType.toObject(recordType.decode(bytes), { longs: Number }) as {
      suppressed: { count: number; since: { seconds: number; nanos: number }; shared?: boolean };
      entry: Buffer;
    };
    const { count, since, shared } = suppressed;
    assert.deepEqual([read.count, read.shared ?? false, shown], [count, shared, entry]);
    assert.deepEqual(
      [read.since.seconds, read.since.nanos],
      [Math.floor(since / 1000), 554_500_000 + (shared ? 445_000_000 : 0)],
    );
    const decoded = decodeRecord(bytes).suppressed;
    assert.deepEqual(decoded, { count, since: BigInt(since * 10) * 100_000n, shared });
  }
  assert.equal(decodeRecord(encode([], entry)).suppressed, undefined);
});

test('records of one stream differ in their times of receipt', () => {
  const encoder = recordBytes(origin);
  const times = [5, 5, 7, 5].map((time) => decodeRecord(encoder.encode(time, [], Buffer.alloc(0))).received);
  assert.deepEqual(times, [5_000_000n, 5_000_000n, 7_000_000n, 5_000_000n]);
});

test('an entry that fits exactly is stored whole, one byte more is shortened and marked', () => {
  const made = (size: number): Buffer =>
    httpEntry({ request: { path: '/', request_headers: { big: 'x'.repeat(size) } } });
  let size = recordLimit - 200;
  while (encode([], made(size + 1)).length === encode([], made(size)).length + 1) size += 1;
  const [whole, shorter] = [encode([], made(size)), encode([], made(size + 1))];
  assert.equal(whole.length, recordLimit);
  assert.equal(decodeRecord(whole).truncated, false);
  assert.equal(decodeRecord(shorter).truncated, true);
  assert.deepEqual(decodeRecord(shorter).redactions, ['request.headers.big:cut']);
  assert.equal(decodeRecord(shorter).entry.request?.headers?.get('big'), 'x'.repeat(256));
});

const huge = 'x'.repeat(70_000);
const foreign = { metadata: { filter_metadata: { f: { fields: { k: { stringValue: huge } } } } } };
const steps: Readonly<Record<string, readonly [entry: Buffer, ...marks: string[]]>> = {
  'logged headers first': [
    httpEntry(consoleRequest({ request_headers: { big: huge } }, {}, { response_headers: { big: huge } })),
    ...['request.headers.big:cut', 'response.headers.big:cut'],
  ],
  'then what other filters left': [httpEntry(consoleRequest({}, foreign)), 'metadata.f:dropped'],
  "then the request's own texts": [httpEntry(consoleRequest({ path: `/${huge}` })), 'request.path:cut'],
  'for connections, too': [
    tcpEntry({ common_properties: { connection_termination_details: huge } }),
    'connection_termination_details:cut',
  ],
  'many headers as a whole': [
    httpEntry({
      request: {
        request_headers: Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`h${at}`, 'x'.repeat(300)])),
      },
    }),
    ...Array.from({ length: 64 }, (_, at) => `request.headers.h${at}:dropped`),
    'more',
  ],
};

for (const [name, [entry, ...marks]] of Object.entries(steps)) {
  test(`too large an entry is shortened where it costs least evidence: ${name}`, () => {
    const kind = name.includes('connections') ? 'connection' : 'http';
    const record = decodeRecord(encode(['before'], entry, { ...origin, kind }));
    assert.equal(record.truncated, true);
    assert.deepEqual(record.redactions, ['before', ...marks]);
  });
}

test('a shortened entry keeps who, when, where and with what result', () => {
  const whole = consoleRequest({ path: `/?${huge}` }, foreign, { response_headers: { big: huge } });
  const record = encode([], httpEntry(whole));
  const entry = decodeRecord(record).entry;
  const expected = decodeRecord(encode([], httpEntry(consoleRequest()))).entry;
  const { claimedArn, ...common } = expected.common ?? {};
  assert.deepEqual({ ...entry.common }, common);
  assert.ok(claimedArn);
  assert.equal(entry.response?.code, 200);
  assert.equal(entry.request?.authority, expected.request?.authority);
});

test('texts are cut between characters', () => {
  const record = decodeRecord(encode([], httpEntry(consoleRequest({ path: `/${'日'.repeat(30_000)}` }))));
  assert.match(record.entry.request?.path ?? '', /^\/日{1365}$/);
});

test('what cannot be shortened enough is record_too_large', () => {
  assert.throws(() => encode([], bytesField(9999, huge)), { code: 'record_too_large' });
});

test('no record is longer than 65,535 bytes, and a shortened entry is still protobuf', () => {
  const size = fc.oneof(fc.nat(100), fc.nat(70_000));
  const sizes = fc.tuple(size, size, size, size, size);
  fc.assert(
    fc.property(sizes, fc.array(fc.constant('m'.repeat(160)), { maxLength: 65 }), ([a, b, c, d, e], marks) => {
      const entry = httpEntry(
        consoleRequest(
          { path: '/'.repeat(a), referer: 'r'.repeat(b), request_headers: { h: 'h'.repeat(c) } },
          { custom_tags: { t: 't'.repeat(d) } },
          { response_headers: { h: 'h'.repeat(e) } },
        ),
      );
      const record = encode(marks, entry);
      assert.ok(record.length <= recordLimit);
      const read = decodeRecord(record);
      const stored = recordType.toObject(recordType.decode(record)) as { entry: Buffer };
      decode(httpEntryType, stored.entry);
      assert.equal(read.truncated, !stored.entry.equals(entry));
      assert.equal(
        read.redactions.some((mark) => /:(cut|dropped)$/.test(mark)),
        read.truncated,
      );
    }),
    { numRuns: 60 },
  );
});
