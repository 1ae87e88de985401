import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { controlIntake } from '../../../src/sink/intake/control.ts';
import { answerOf } from '../../../src/sink/query/answers.ts';
import { recordFilter, type RecordQuestion } from '../../../src/sink/query/filter.ts';
import { glimpse, payloadFilter } from '../../../src/sink/query/glimpse.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { nameRecord } from '../../../src/sink/record/name.ts';
import { noEvent, type ControlEvent } from '../../../src/wire/control-event.ts';
import { Source } from '../outputs/fixture.ts';
import { consoleRequest } from '../record/entries.ts';

const now = Date.UTC(2026, 10, 24, 12);
const names = ['time', 'sekisho.kind', 'server.address', 'tls.client.server_name', 'http.response.status_code'];

/** A payload as the sink stores it. */
async function stored(entry: { http: object } | { tcp: object } | { control: ControlEvent }): Promise<Buffer> {
  const source = await new Source().open();
  if ('control' in entry) await controlIntake(source).take(entry.control);
  else await source.storeEntries('http' in entry ? { http: [entry.http] } : { tcp: [entry.tcp] });
  const [payload] = await source.payloads();
  assert.ok(payload);
  return payload;
}

const seconds = fc.integer({ min: 1_795_000_000, max: 1_796_000_000 });
const start = fc.option(fc.record({ seconds, nanos: fc.integer({ min: 0, max: 999_999_999 }) }), { nil: null });
const host = fc.constantFrom(
  'console.aws.amazon.com',
  'Signin.AWS.amazon.com:443',
  '[::1]:8443',
  'user@x.example',
  '',
  '::',
);
const tls = fc.option(fc.record({ tls_sni_hostname: host }), { nil: null });
const common = fc.record({ start_time: start, tls_properties: tls });
const http = fc
  .record({ common, authority: host, code: fc.option(fc.constantFrom(0, 200, 403, 503), { nil: undefined }) })
  .map(({ common: parts, authority, code }) => ({
    http: consoleRequest({ authority }, parts, { response_code: code === undefined ? null : { value: code } }),
  }));
const tcp = common.map((parts) => ({
  tcp: { common_properties: parts, connection_properties: { received_bytes: 7 } },
}));
const control = fc.bigInt({ min: 1_795_000_000_000_000_000n, max: 1_796_000_000_000_000_000n }).map((time) => ({
  control: { ...noEvent, time, nodes: ['egress-1'], act: 'published', actor: 'policy' } as const,
}));
const entry = fc.oneof(http, tcp, control);

test('a glimpse says of a record what naming it in full says', async () => {
  await fc.assert(
    fc.asyncProperty(entry, async (one) => {
      const bytes = await stored(one);
      const full = nameRecord(decodeRecord(bytes), 0);
      const wanted = Object.fromEntries(names.flatMap((name) => (name in full ? [[name, full[name]]] : [])));
      const seen = Object.fromEntries(
        Object.entries(glimpse(bytes) ?? {}).filter(([, value]) => value !== '' && value !== 0),
      );
      assert.deepEqual(seen, wanted);
    }),
    { numRuns: 100 },
  );
});

const question: fc.Arbitrary<RecordQuestion> = fc.record(
  {
    since: fc.constantFrom('2026-11-20', '1h'),
    until: fc.constantFrom('2026-11-21', '1h'),
    host: fc.constantFrom('console.aws.amazon.com', '*.amazon.com', '::1'),
    status: fc.constantFrom('200', '4xx,5xx'),
    kind: fc.constantFrom('http', 'tcp', 'connection', 'control'),
    user: fc.constantFrom('taro.yamada', 'arn:aws:sts::123456789012:assumed-role/Admin/taro'),
    client: fc.constantFrom('127.0.0.0/8', '10.0.0.1'),
  },
  { requiredKeys: [] },
);

test('a question is answered by the same records, whether or not payloads are glimpsed at first', async () => {
  await fc.assert(
    fc.asyncProperty(entry, question, async (one, asked) => {
      const bytes = await stored(one);
      const wanted = recordFilter(asked, now)(nameRecord(decodeRecord(bytes), 0));
      const answer = answerOf({ question: asked, form: 'payload' }, now)({ kind: 'payload', index: 0, payload: bytes });
      assert.equal(answer !== undefined, wanted);
      if (wanted) assert.ok(payloadFilter(asked, now)(bytes));
    }),
    { numRuns: 200 },
  );
});

test('what is no record passes, for an auditor must see it', () => {
  const mayAnswer = payloadFilter({ status: '200' }, now);
  for (const bytes of [Buffer.from('no record'), Buffer.from([0x20, 1]), Buffer.from([0x20, 77, 0x7a, 0])])
    assert.ok(mayAnswer(bytes));
});
