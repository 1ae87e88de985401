import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordFilter, type RecordQuestion } from '../../../src/sink/query/filter.ts';
import type { NamedRecord } from '../../../src/sink/record/name.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const arn = 'arn:aws:sts::123456789012:assumed-role/Admin/taro';
const record: NamedRecord = {
  time: '2026-11-24T10:00:00.500000000Z',
  'sekisho.kind': 'http',
  'user.id': 'taro',
  'sekisho.claimed_arn': arn,
  'client.address': '10.1.2.3',
  'server.address': 'us-east-1.console.aws.amazon.com',
  'http.response.status_code': 403,
};

/** question → whether the record above answers it. */
const questions: readonly (readonly [question: RecordQuestion, admitted: boolean])[] = [
  [{}, true],
  [{ since: '2026-11-24T10:00:00.5Z' }, true],
  [{ since: '2026-11-24T10:00:00.500000001Z' }, false],
  [{ until: '2026-11-24T10:00:00.5Z' }, false],
  [{ until: '2026-11-24T10:00:00.500000001Z' }, true],
  [{ since: '3h', until: '1h' }, true],
  [{ since: '1h' }, false],
  [{ user: 'taro' }, true],
  [{ user: ' taro ' }, true],
  [{ user: 'tar' }, false],
  [{ user: arn }, true],
  [{ user: `${arn}o` }, false],
  [{ host: 'us-east-1.console.aws.amazon.com' }, true],
  [{ host: 'US-EAST-1.Console.AWS.amazon.com' }, true],
  [{ host: 'console.aws.amazon.com' }, false],
  [{ host: '*.aws.amazon.com' }, true],
  [{ host: '*.us-east-1.console.aws.amazon.com' }, false],
  [{ client: '10.1.2.3' }, true],
  [{ client: '10.0.0.0/8' }, true],
  [{ client: '192.168.0.0/16' }, false],
  [{ client: '::ffff:10.1.2.3' }, true],
  [{ client: '2001:db8::/32' }, false],
  [{ status: '403' }, true],
  [{ status: '2xx,4XX' }, true],
  [{ status: '500-599' }, false],
  [{ kind: 'http' }, true],
  [{ kind: 'connection' }, false],
  [{ kind: 'control' }, false],
  [{ user: 'taro', status: '403', client: '10.0.0.0/8' }, true],
  [{ user: 'taro', status: '200' }, false],
];
for (const [question, admitted] of questions) {
  test(`${JSON.stringify(question)} ${admitted ? 'admits' : 'leaves out'} the record`, () => {
    assert.equal(recordFilter(question, now)(record), admitted);
  });
}

test('a connection is found by its TLS server name and by its IPv6 client', () => {
  const connection: NamedRecord = { 'tls.client.server_name': 'x.example.com', 'client.address': '2001:db8::7' };
  assert.equal(recordFilter({ host: '*.example.com' }, now)(connection), true);
  assert.equal(recordFilter({ client: '2001:db8::/32' }, now)(connection), true);
  assert.equal(recordFilter({ client: '10.0.0.0/8' }, now)(connection), false);
});

test('what a record does not say answers no question', () => {
  for (const question of [
    { since: '1h' },
    { user: 'taro' },
    { host: 'x' },
    { client: '::/0' },
    { status: '1xx' },
    { kind: 'tcp' },
  ]) {
    assert.equal(recordFilter(question, now)({}), false);
  }
});

const misunderstood: readonly RecordQuestion[] = [
  ...['', 'x y', '*', '*.*.example.com', 'https://x'].map((host) => ({ host })),
  ...['', '10.1.2', '10.1.2.3/33', 'localhost', '10.0.0.0/x', '0x0a010203'].map((client) => ({ client })),
  ...['', '99', '600', '6xx', '4', '499-400', '200,', 'ok'].map((status) => ({ status })),
  ...['', 'HTTP', 'intents', 'toString'].map((kind) => ({ kind })),
  ...['', '1', '1w', 'yesterday', '2026-13-01', '2026-11-24T10:00:00'].map((since) => ({ since })),
  { user: ' ' },
];
for (const question of misunderstood) {
  test(`${JSON.stringify(question)} is wrong use`, () => {
    assert.throws(() => recordFilter(question, now), { code: 'usage' });
  });
}
