import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alsStream } from '../../../src/sink/intake/als.ts';
import { receiptsIntake, type ReceiptsObserver } from '../../../src/sink/intake/receipts.ts';
import { SeenEntries } from '../../../src/sink/intake/seen-entries.ts';
import { frameHeaderBytes } from '../../../src/sink/journal/format.ts';
import type { Frames } from '../../../src/sink/journal/frames.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { nameRecord, type NamedRecord } from '../../../src/sink/record/name.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { alsMessage, httpEntry, tcpEntry } from '../record/entries.ts';
import { otlpMessage, type LogRecord } from './otlp.ts';

const start = 1_795_442_040_554_662_000n;
const identifier = { node: { id: 'egress-1' }, log_name: 'office/http' };

/** A sink for both copies; with `dedup` it takes each entry once. */
function openSink({ dedup = false, admits = true } = {}) {
  const told: unknown[][] = [];
  const seen = dedup ? new SeenEntries() : undefined;
  const rules = redactionRules(['code']);
  const observer: ReceiptsObserver = {
    message: ({ entries }) => told.push(['message', entries]),
    redacted: (marks) => told.push(['redacted', marks]),
    incomplete: () => told.push(['incomplete']),
    suppressed: (node) => told.push(['suppressed', node]),
    refused: (reason) => told.push(['refused', reason]),
    duplicate: (copy) => told.push(['duplicate', copy]),
    distinct: ({ node, log }, { type, id }) => told.push(['distinct', node, log, type, id]),
  };
  const options = {
    rules: () => rules,
    clock: { now: () => 1000 },
    refusals: { admits: () => admits },
    observer,
    seen: () => seen,
    assurance: () => 'receipt' as const,
  };
  const intake = receiptsIntake({ ...options, admits: (node) => node !== 'unknown' });
  const als = alsStream({ ...options, identity: { kind: 'certificate', node: 'egress-1' } });
  return {
    told,
    receipts: (bytes: Buffer, node = 'egress-1') =>
      intake.message(bytes, { kind: 'certificate', node }).flatMap(rowsOf),
    stream: (entries: { http?: Buffer[]; tcp?: Buffer[] }) =>
      rowsOf(als.message(alsMessage({ identifier, ...entries }))),
  };
}

function rowsOf({ bytes, ends }: Frames): NamedRecord[] {
  return ends.map((end, index) => {
    const payload = bytes.subarray((ends[index - 1] ?? 0) + frameHeaderBytes, end);
    return nameRecord(decodeRecord(payload), 0);
  });
}

const http = (texts: LogRecord['texts'] = {}, more: Partial<LogRecord> = {}): LogRecord => ({
  layout: 'http',
  time: start,
  texts: { stream_id: 'id-1', access_log_type: 'DownstreamEnd', path: '/', ...texts },
  ...more,
});

/** What an entry says and how Envoy writes it down, in each of the two ways. */
interface Pair {
  readonly entry: Buffer;
  readonly record: LogRecord;
}

const peer = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65535 })).map(([ip, port]) => ({ ip, port, text: `${ip}:${port}` })),
  fc.integer({ min: 1, max: 65535 }).map((port) => ({ ip: '2001:db8::7', port, text: `[2001:db8::7]:${port}` })),
);
const some = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const word = fc.stringMatching(/^[a-z0-9/?&=. %:-]{1,60}$/).filter((text) => text !== '-');
const count = fc.integer({ min: 0, max: 2 ** 40 });
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const versions = [
  ['HTTP/1.0', 'HTTP10'],
  ['HTTP/1.1', 'HTTP11'],
  ['HTTP/2', 'HTTP2'],
  ['HTTP/3', 'HTTP3'],
  ['-', 'PROTOCOL_UNSPECIFIED'],
] as const;
const flags = [
  ['UF', 'upstream_connection_failure'],
  ['NR', 'no_route_found'],
  ['DC', 'downstream_connection_termination'],
  ['DPE', 'downstream_protocol_error'],
] as const;

const facts = fc.record({
  remote: some(peer),
  local: some(peer),
  upstream: some(peer),
  id: some(word),
  cluster: some(word),
  route: some(word),
  failure: some(word),
  sni: some(word),
  subject: some(word),
  tls: fc.integer({ min: 0, max: 4 }),
  flags: fc.subarray([...flags]),
  nanos: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  type: fc.constantFrom('DownstreamStart', 'DownstreamEnd', 'TcpConnectionEnd'),
  numbers: fc.record({ rx: count, tx: count, wireRx: count, wireTx: count, attempts: fc.nat(9), head: count }),
  code: fc.constantFrom(0, 200, 404, 503),
  tags: fc.dictionary(fc.constantFrom('client', 'user', 'tunnel', 'id', 'other'), word),
  method: some(fc.constantFrom(...methods)),
  version: fc.constantFrom(...versions),
  texts: fc.record({
    authority: some(word),
    path: some(word),
    referer: some(word),
    origin: some(word),
    agent: some(word),
  }),
  response: fc.record({ details: some(word), location: some(word), type: some(word) }),
});

function pairOf(layout: 'http' | 'tcp', f: typeof facts extends fc.Arbitrary<infer T> ? T : never): Pair {
  const { texts, response, numbers } = f;
  const address = (one: { ip: string; port: number } | undefined) =>
    one && { socket_address: { address: one.ip, port_value: one.port } };
  const common = present({
    downstream_remote_address: address(f.remote),
    downstream_local_address: address(f.local),
    upstream_remote_address: address(f.upstream),
    stream_id: f.id,
    upstream_cluster: f.cluster,
    route_name: f.route,
    upstream_transport_failure_reason: f.failure,
    tls_properties: present({
      tls_version: f.tls,
      tls_sni_hostname: f.sni,
      peer_certificate_properties: f.subject === undefined ? undefined : { subject: f.subject },
    }),
    response_flags: Object.fromEntries(f.flags.map(([, name]) => [name, true])),
    start_time: { seconds: Number(start / 1_000_000_000n), nanos: Number(start % 1_000_000_000n) },
    duration: { seconds: Math.floor(f.nanos / 1e9), nanos: f.nanos % 1e9 },
    access_log_type: f.type,
    downstream_wire_bytes_received: numbers.wireRx,
    downstream_wire_bytes_sent: numbers.wireTx,
    upstream_request_attempt_count: numbers.attempts,
    custom_tags: f.tags,
  });
  const entry =
    layout === 'tcp'
      ? tcpEntry({
          common_properties: common,
          connection_properties: { received_bytes: numbers.rx, sent_bytes: numbers.tx },
        })
      : httpEntry({
          common_properties: common,
          protocol_version: f.version[1],
          request: present({
            request_method: f.method,
            authority: texts.authority,
            path: texts.path,
            referer: texts.referer,
            user_agent: texts.agent,
            request_headers: present({ referer: texts.referer, origin: texts.origin }),
            request_headers_bytes: numbers.head,
            request_body_bytes: numbers.rx,
          }),
          response: present({
            response_code: f.code === 0 ? undefined : { value: f.code },
            response_code_details: response.details,
            response_headers: present({ location: response.location, 'content-type': response.type }),
            response_body_bytes: numbers.tx,
          }),
        });
  const record: LogRecord = {
    layout,
    time: start,
    texts: present({
      stream_id: f.id,
      access_log_type: f.type,
      downstream_remote_address: f.remote?.text,
      downstream_local_address: f.local?.text,
      upstream_remote_address: f.upstream?.text,
      upstream_cluster: f.cluster,
      route_name: f.route,
      upstream_transport_failure_reason: f.failure,
      tls_sni_hostname: f.sni,
      peer_subject: f.subject,
      words: `${f.version[0]} ${f.flags.map(([name]) => name).join(',') || '-'} ${['-', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'][f.tls] ?? ''}`,
      duration: `${absl(f.nanos)} 0`,
      ...(layout === 'http' && {
        request_method: f.method,
        authority: texts.authority,
        path: texts.path,
        referer: texts.referer,
        origin: texts.origin,
        user_agent: texts.agent,
        response_code_details: response.details,
        location: response.location,
        response_content_type: response.type,
      }),
    }) as Record<string, string>,
    numbers: {
      response_code: f.code,
      received_bytes: numbers.rx,
      sent_bytes: numbers.tx,
      downstream_wire_bytes_received: numbers.wireRx,
      downstream_wire_bytes_sent: numbers.wireTx,
      upstream_request_attempt_count: numbers.attempts,
      request_headers_bytes: numbers.head,
    },
    tags: f.tags,
  };
  return { entry, record };
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** As absl::FormatDuration does: units of a second and more apart, smaller ones as a fraction. */
function absl(nanos: number): string {
  if (nanos === 0) return '0';
  if (nanos < 1e3) return `${nanos}ns`;
  if (nanos < 1e6) return `${nanos / 1e3}us`;
  if (nanos < 1e9) return `${nanos / 1e6}ms`;
  const [hours, minutes] = [Math.floor(nanos / 3.6e12), Math.floor((nanos % 3.6e12) / 6e10)];
  const seconds = (nanos % 6e10) / 1e9;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${seconds}s` : ''}`;
}

for (const layout of ['http', 'tcp'] as const) {
  test(`whatever an ${layout} entry says, its receipt makes the same row`, () => {
    fc.assert(
      fc.property(fc.array(facts, { minLength: 1, maxLength: 5 }), (all) => {
        const sink = openSink();
        const pairs = all.map((one) => pairOf(layout, one));
        const stream = sink.stream({ [layout]: pairs.map(({ entry }) => entry) });
        const receipts = sink.receipts(otlpMessage({ records: pairs.map(({ record }) => record) }));
        assert.deepEqual(
          receipts,
          stream.map((row) => ({ ...withCopy(row) })),
        );
      }),
    );
  });

  test(`of the two copies of an ${layout} entry the one that comes first is stored, whichever it is`, () => {
    fc.assert(
      fc.property(facts, fc.boolean(), (one, streamFirst) => {
        const sink = openSink({ dedup: true });
        const { entry, record } = pairOf(layout, one);
        const ways = [
          () => sink.stream({ [layout]: [entry] }),
          () => sink.receipts(otlpMessage({ records: [record] })),
        ] as const;
        const [first, second] = streamFirst ? ways : [ways[1], ways[0]];
        assert.deepEqual([first().length, second().length, second().length, first().length], [1, 0, 0, 0]);
      }),
    );
  });
}

/** The order of names is part of a row. */
function withCopy(row: NamedRecord): NamedRecord {
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) =>
      name === 'sekisho.assurance'
        ? [
            [name, value],
            ['sekisho.copy', 'receipt'],
          ]
        : [[name, value]],
    ),
  );
}

/** Two log records that are not copies of each other, though they have a lot in common. */
const distinct: Readonly<Record<string, readonly [LogRecord, LogRecord]>> = {
  'start and end of one stream': [http({ access_log_type: 'DownstreamStart' }), http()],
  'two requests under one id, which a client chose': [http(), http({}, { time: start + 1n })],
  'two requests without an id from one client': [
    http({ stream_id: '-', downstream_remote_address: '10.0.0.1:1' }),
    http({ stream_id: '-', downstream_remote_address: '10.0.0.1:1' }, { time: start + 1n }),
  ],
  'two clients without an id at one moment': [
    http({ stream_id: '-', downstream_remote_address: '10.0.0.1:1' }),
    http({ stream_id: '-', downstream_remote_address: '10.0.0.1:2' }),
  ],
  'an id that is the address of a client without one': [
    http({ stream_id: '10.0.0.1:1' }),
    http({ stream_id: '-', downstream_remote_address: '10.0.0.1:1' }),
  ],
  'two looks at a connection that lasts': [
    http({ access_log_type: 'TcpPeriodic', duration: '- 1000' }),
    http({ access_log_type: 'TcpPeriodic', duration: '- 2000' }),
  ],
};
for (const [name, [one, other]] of Object.entries(distinct)) {
  test(`both are stored: ${name}`, () => {
    const sink = openSink({ dedup: true });
    assert.equal(sink.receipts(otlpMessage({ records: [one, other] })).length, 2);
    assert.equal(sink.receipts(otlpMessage({ records: [one, other] })).length, 0);
  });
}

test('the same of another node, or in another log, is another entry', () => {
  const sink = openSink({ dedup: true });
  const records = [http()];
  assert.equal(sink.receipts(otlpMessage({ records })).length, 1);
  assert.equal(sink.receipts(otlpMessage({ records, log: 'office/connect' })).length, 1);
  assert.equal(sink.receipts(otlpMessage({ records, node: 'egress-2' }), 'egress-2').length, 1);
});

test('copies of one look at a connection are one, although each has the duration of its own moment', () => {
  const sink = openSink({ dedup: true });
  const looked = (duration: string) => http({ access_log_type: 'TcpPeriodic', duration });
  assert.equal(sink.receipts(otlpMessage({ records: [looked('- 999')] })).length, 1);
  assert.equal(sink.receipts(otlpMessage({ records: [looked('- 1003')] })).length, 0);
});

test('a refusal that is counted instead of stored is counted once', () => {
  const sink = openSink({ dedup: true, admits: false });
  const records = [http({}, { tags: { denied: 'host' } })];
  for (let time = 0; time < 3; time += 1) assert.deepEqual(sink.receipts(otlpMessage({ records })), []);
  const count = (what: string) => sink.told.filter(([name]) => name === what).length;
  assert.deepEqual([count('suppressed'), count('duplicate'), count('distinct')], [1, 2, 1]);
});

test('a bad log record is counted and the good ones beside it are stored; nor does it hide a good copy', () => {
  const sink = openSink({ dedup: true });
  const bad = [Buffer.from([0x2a, 0x7f]), Buffer.alloc(0), Buffer.from([0x2a, 0x02, 0x0a, 0x00])];
  const rows = sink.receipts(otlpMessage({ records: [bad[0] ?? '', http({ path: '/a' }), ...bad.slice(1)] as never }));
  assert.deepEqual(
    rows.map((row) => row['url.path']),
    ['/a'],
  );
  assert.equal(sink.told.filter(([what]) => what === 'refused').length, 3);
});

test('a message that is none, or does not say who sends, is refused whole', () => {
  const sink = openSink();
  const code = 'record_malformed';
  assert.throws(() => sink.receipts(Buffer.from('garbage')), { code });
  assert.throws(() => sink.receipts(otlpMessage({ node: '', records: [http()] })), { code });
  assert.throws(() => sink.receipts(otlpMessage({ log: '', records: [http()] })), { code });
  assert.throws(() => sink.receipts(otlpMessage({ node: 'egress-2', records: [http()] })), {
    code: 'identity_mismatch',
  });
  assert.throws(() => sink.receipts(otlpMessage({ node: 'unknown', records: [http()] }), 'unknown'), {
    code: 'node_unknown',
  });
  assert.deepEqual(sink.told, []);
});

test('whatever bytes come, they are refused or recorded', () => {
  const whole = otlpMessage({ records: [http({ path: '/x?code=secret' }), http({ stream_id: 'id-2' })] });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 4 }), (at, bytes) => {
      const broken = Buffer.from(whole);
      Buffer.from(bytes).copy(broken, at);
      const sink = openSink({ dedup: true });
      try {
        sink.receipts(broken);
      } catch (caught) {
        assert.ok(
          ['record_malformed', 'identity_mismatch', 'node_unknown'].includes((caught as { code: string }).code),
        );
      }
    }),
    { numRuns: 2000 },
  );
});

test('secrets are withheld, and bytes that are no text or names of 64 KB kept out of the way', () => {
  const sink = openSink();
  const texts = {
    path: '/x?code=hidden&a=1',
    referer: 'https://taro:hidden@host/',
    user_agent: Buffer.from([0xff, 0xfe, 0x41]),
  };
  const [row] = sink.receipts(
    otlpMessage({ records: [http(texts, { tags: { 'x-token': 'hidden', note: 'n'.repeat(70_000) } })] }),
  );
  assert.ok(row);
  assert.ok(!JSON.stringify(row).includes('hidden'));
  assert.equal(row['url.query'], 'code=REDACTED&a=1');
  assert.equal(row['sekisho.truncated'], true);
});

test('where Envoy cut a text, what may be half of a secret goes and a mark stays', () => {
  const sink = openSink();
  const path = `/?a=1&u=https%3A%2F%2Ftaro%3Ahidden${'x'.repeat(9000)}`.slice(0, 8192);
  const [row] = sink.receipts(otlpMessage({ records: [http({ path })] }));
  assert.equal(row?.['url.query'], 'a=1&');
  assert.equal(row['sekisho.truncated'], true);
  assert.deepEqual(row['sekisho.redactions'], ['request.path:cut']);
});
