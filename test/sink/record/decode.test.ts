import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../../src/base/errors.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { recordFields } from '../../../src/sink/record/envelope.ts';
import { nameRecord } from '../../../src/sink/record/name.ts';
import { bytesField, uintField } from '../../../src/wire/protobuf.ts';
import { consoleRequest, httpEntry, recordBytes, tcpEntry } from './entries.ts';

const http = recordBytes({ node: 'n', log: 'office/http', epoch: 0, kind: 'http', identity: 'loopback' });

test('of an HTTP entry everything that has a name is read', () => {
  const { entry } = decodeRecord(http.encode(0, [], httpEntry(consoleRequest({ request_headers: { origin: 'o' } }))));
  assert.deepEqual(entry.request, {
    method: 1,
    scheme: 'https',
    authority: 'us-east-1.console.aws.amazon.com',
    path: '/ec2/home?region=us-east-1',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
    requestId: '0c8cfba2-5ac9-9d4a-8a52-1c24ae4e2d1a',
    headersBytes: 311,
    headers: new Map([['origin', 'o']]),
  });
  assert.deepEqual(entry.response, {
    code: 200,
    headersBytes: 270,
    bodyBytes: 524,
    headers: new Map([
      ['content-type', 'application/json'],
      ['x-amzn-requestid', 'aws-79f3db28-1111-2222'],
    ]),
    codeDetails: 'via_upstream',
  });
  assert.equal(entry.protocol, 3);
  assert.deepEqual(entry.common?.downstreamRemote, { address: '127.0.0.7', port: 45388 });
  assert.equal(entry.common.downstreamLocal, undefined, 'the address of an internal listener is none');
  assert.equal(entry.common.startTime, 1795442040554662000n);
  assert.equal(entry.common.duration, 23538508n);
  assert.equal(entry.common.claimedArn, 'arn%3Aaws%3Asts%3A%3A123456789012%3Aassumed-role%2FAdmin%2Ftaro');
});

test('of a TCP entry its bytes, flags and TLS properties are read', () => {
  const fields = {
    common_properties: {
      tls_properties: { tls_sni_hostname: 'x', ja3_fingerprint: 'j', peer_certificate_properties: { subject: 'CN=t' } },
      response_flags: { no_route_found: true, downstream_connection_termination: true, unauthorized_details: {} },
    },
    connection_properties: { received_bytes: 2 ** 40, sent_bytes: 7 },
  };
  const tcp = recordBytes({ node: 'n', log: 'office/connection', epoch: 1, kind: 'tcp', identity: 'certificate' });
  const { entry, epoch, identity } = decodeRecord(tcp.encode(0, [], tcpEntry(fields)));
  assert.deepEqual(entry.connection, { receivedBytes: 2 ** 40, sentBytes: 7 });
  assert.deepEqual(entry.common?.tls, { serverName: 'x', ja3: 'j', peerSubject: 'CN=t' });
  assert.deepEqual(
    entry.common.responseFlags?.toSorted((a, b) => a - b),
    [9, 13, 15],
  );
  assert.deepEqual([epoch, identity], [1, 'certificate']);
});

test('a message in several pieces is merged, as protobuf has it', () => {
  const entry = Buffer.concat([
    httpEntry({ request: { path: '/a', scheme: 'https' } }),
    httpEntry({ request: { path: '/b' } }),
  ]);
  assert.deepEqual(decodeRecord(http.encode(0, [], entry)).entry.request, { path: '/b', scheme: 'https' });
});

test('a record of a kind, an identity and with fields of a later version is read as far as it is known', () => {
  const later = Buffer.concat([
    bytesField(recordFields.node, 'n'),
    uintField(recordFields.kind, 99),
    uintField(recordFields.identity, 99),
    bytesField(recordFields.entry, 'no protobuf at all'),
    bytesField(1000, 'later'),
  ]);
  const { kind, identity, entry, node } = decodeRecord(later);
  assert.deepEqual({ kind, identity, entry, node }, { kind: 'unknown', identity: 'unknown', entry: {}, node: 'n' });
});

test('bytes without a node or an entry are no record', () => {
  for (const bytes of [Buffer.alloc(0), bytesField(recordFields.node, 'n'), bytesField(recordFields.entry, '')]) {
    assert.throws(() => decodeRecord(bytes), { code: 'record_malformed' });
  }
});

test('any bytes are a record that can be named, or record_malformed', () => {
  const isNamed = (bytes: Buffer): void => {
    try {
      JSON.stringify(nameRecord(decodeRecord(bytes), 0));
    } catch (caught) {
      assert.ok(caught instanceof SekishoError && caught.code === 'record_malformed', String(caught));
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      isNamed(Buffer.from(bytes));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(1, 2, 3), (entry, kind) => {
      isNamed(Buffer.concat([bytesField(1, 'n'), uintField(4, kind), bytesField(15, Buffer.from(entry))]));
    }),
  );
  const whole = http.encode(1795442040554, ['request.path?code'], httpEntry(consoleRequest()));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
      const damaged = Buffer.from(whole);
      damaged[at] = byte;
      isNamed(damaged);
      isNamed(whole.subarray(0, at));
    }),
    { numRuns: 2000 },
  );
});
