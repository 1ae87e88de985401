import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import type { RecordOrigin } from '../../../src/sink/record/envelope.ts';
import { nameRecord, recordNamePrefixes, recordNames, type NamedRecord } from '../../../src/sink/record/name.ts';
import { consoleRequest, httpEntry, recordBytes, tcpEntry } from './entries.ts';

const origin: RecordOrigin = {
  node: 'egress-1',
  log: 'office/http',
  epoch: 1795442000123,
  kind: 'http',
  identity: 'certificate',
};

function named(entry: Buffer, from: Partial<RecordOrigin> = {}, marks: readonly string[] = []): NamedRecord {
  return nameRecord(decodeRecord(recordBytes({ ...origin, ...from }).encode(1795442041000, marks, entry)), 42);
}

test('a request as a door sends it is named, in a stable order', () => {
  const record = named(httpEntry(consoleRequest({ referer: 'https://x/' })), {}, ['request.path?code']);
  assert.deepEqual(Object.entries(record), [
    ['time', '2026-11-23T13:54:00.554662000Z'],
    ['sekisho.index', 42],
    ['sekisho.kind', 'http'],
    ['user.id', 'taro.yamada'],
    ['tls.client.subject', 'CN=taro.yamada,O=Example'],
    ['sekisho.claimed_arn', 'arn:aws:sts::123456789012:assumed-role/Admin/taro'],
    ['client.address', '127.0.0.7'],
    ['client.port', 45388],
    ['http.request.method', 'GET'],
    ['url.scheme', 'https'],
    ['server.address', 'us-east-1.console.aws.amazon.com'],
    ['url.path', '/ec2/home'],
    ['url.query', 'region=us-east-1'],
    ['http.response.status_code', 200],
    ['sekisho.response_code_details', 'via_upstream'],
    [
      'user_agent.original',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
    ],
    ['http.request.size', 194],
    ['http.request.body.size', 0],
    ['sekisho.request.header_size', 311],
    ['http.response.size', 734],
    ['http.response.body.size', 524],
    ['sekisho.response.header_size', 270],
    ['sekisho.duration_ms', 23.538508],
    ['network.protocol.name', 'http'],
    ['network.protocol.version', '2'],
    ['tls.client.server_name', 'us-east-1.console.aws.amazon.com'],
    ['tls.protocol.version', '1.3'],
    ['sekisho.upstream.address', '127.61.0.2'],
    ['sekisho.upstream.port', 443],
    ['sekisho.upstream.cluster', 'aws'],
    ['sekisho.upstream.attempts', 1],
    ['sekisho.entry_type', 'DownstreamEnd'],
    ['sekisho.stream_id', '0c8cfba2-5ac9-9d4a-8a52-1c24ae4e2d1a'],
    ['sekisho.tunnel_id', '5e4b060c-be01-40ae-8f7b-a1e18d0f6888'],
    ['sekisho.node', 'egress-1'],
    ['sekisho.door', 'office'],
    ['sekisho.log', 'office/http'],
    ['sekisho.epoch', '2026-11-23T13:53:20.123000000Z'],
    ['sekisho.received', '2026-11-23T13:54:01.000000000Z'],
    ['sekisho.identity', 'certificate'],
    ['sekisho.assurance', 'stream'],
    ['sekisho.redactions', ['request.path?code']],
    ['http.request.header.referer', ['https://x/']],
    ['http.request.header.x-request-id', ['0c8cfba2-5ac9-9d4a-8a52-1c24ae4e2d1a']],
    ['http.response.header.content-type', ['application/json']],
    ['http.response.header.x-amzn-requestid', ['aws-79f3db28-1111-2222']],
  ]);
});

test('a connection that found no filter chain says so', () => {
  const entry = tcpEntry({
    common_properties: {
      downstream_remote_address: { socket_address: { address: '10.9.9.9', port_value: 1 } },
      response_flags: { no_route_found: true },
      custom_tags: { uid: 'u-1', denied: 'no_filter_chain', other: 'x' },
    },
    connection_properties: {},
  });
  const record = named(entry, { kind: 'connection', log: 'office/connection', epoch: 0, identity: 'loopback' });
  assert.deepEqual(record, {
    time: '2026-11-23T13:54:01.000000000Z',
    'sekisho.index': 42,
    'sekisho.kind': 'connection',
    'client.address': '10.9.9.9',
    'client.port': 1,
    'sekisho.response_flags': ['NR'],
    'sekisho.denied.reason': 'no_filter_chain',
    'sekisho.received_bytes': 0,
    'sekisho.sent_bytes': 0,
    'sekisho.connection_id': 'u-1',
    'sekisho.node': 'egress-1',
    'sekisho.door': 'office',
    'sekisho.log': 'office/connection',
    'sekisho.received': '2026-11-23T13:54:01.000000000Z',
    'sekisho.identity': 'loopback',
    'sekisho.assurance': 'stream',
    'sekisho.tag.other': 'x',
  });
});

const closed: readonly (readonly [string, flags: object, tags: object, reason: string, user: string | undefined])[] = [
  ['whose handshake failed names a reason and nobody: anyone may show a certificate', {}, {}, 'handshake', undefined],
  ['whose handshake failed behind a CONNECT names who opened that', {}, { tunnel: 't-1' }, 'handshake', 'taro'],
  ['over which no HTTP came names who opened it', { downstream_protocol_error: true }, {}, 'protocol', 'taro'],
];
for (const [what, response_flags, tags, reason, user] of closed) {
  test(`a connection ${what}`, () => {
    const custom_tags = { user: 'CN=taro,O=Example', ...tags };
    const entry = tcpEntry({ common_properties: { response_flags, custom_tags } });
    const record = named(entry, { kind: 'connection', log: 'office/connection', epoch: 0, identity: 'loopback' });
    assert.equal(record['sekisho.denied.reason'], reason);
    assert.equal(record['user.id'], user);
    assert.equal(record['tls.client.subject'], 'CN=taro,O=Example');
  });
}

test('a claim that is no ARN names nobody', () => {
  const record = named(httpEntry(consoleRequest({}, { custom_tags: { arn: '-' }, metadata: {} })));
  assert.equal(record['sekisho.claimed_arn'], undefined);
});

test("Envoy's words for nothing name nothing", () => {
  const record = named(httpEntry(consoleRequest({}, { custom_tags: { user: '-', client: '-', tunnel: '' } })));
  assert.deepEqual(
    [record['user.id'], record['sekisho.tunnel_id'], record['client.address']],
    [undefined, undefined, '127.0.0.7'],
  );
});

test('every name is one of the known ones or begins like one of a header or tag', () => {
  const prefixes = Object.values(recordNamePrefixes);
  const maps = { 'x-a': 'b', __proto__: 'c' };
  const entry = httpEntry(
    consoleRequest(
      { request_headers: maps },
      { custom_tags: maps },
      { response_headers: maps, response_trailers: maps },
    ),
  );
  for (const name of Object.keys(named(entry))) {
    assert.ok(recordNames.includes(name) || prefixes.some((prefix) => name.startsWith(prefix)), name);
  }
  assert.equal(new Set(recordNames).size, recordNames.length);
});
