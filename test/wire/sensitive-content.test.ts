import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAny, type TypedJson } from '../../src/wire/proto-json.ts';
import { bytesField } from '../../src/wire/protobuf.ts';
import { mayHoldSecret } from '../../src/wire/sensitive-content.ts';

const prefix = 'type.googleapis.com/envoy';
const tls = `${prefix}.extensions.transport_sockets.tls.v3`;

const context = (certificates: object): TypedJson => ({
  '@type': `${prefix}.config.cluster.v3.Cluster`,
  name: 'a',
  transport_socket: {
    name: 'tls',
    typed_config: { '@type': `${tls}.UpstreamTlsContext`, common_tls_context: { tls_certificates: [certificates] } },
  },
});
const body = (text: string): TypedJson => ({
  '@type': `${prefix}.config.route.v3.RouteConfiguration`,
  name: 'a',
  virtual_hosts: [
    {
      name: 'a',
      domains: ['*'],
      routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: text } } }],
    },
  ],
});

const cases: readonly [what: string, any: Buffer, held: boolean][] = [
  ['a cluster without one', encodeAny({ '@type': `${prefix}.config.cluster.v3.Cluster`, name: 'a' }), false],
  ['a text in a route', encodeAny(body('hello')), false],
  ['a key in PEM, wherever it is', encodeAny(body('-----BEGIN EC PRIVATE KEY-----')), true],
  ['a private key as a file', encodeAny(context({ private_key: { filename: '/etc/key' } })), false],
  ['a private key in place', encodeAny(context({ private_key: { inline_bytes: 'AAAA' } })), true],
  ['a password in place', encodeAny(context({ password: { inline_string: 'hunter2' } })), true],
  ['a ticket key', encodeAny({ '@type': `${tls}.TlsSessionTicketKeys`, keys: [{ inline_bytes: 'AAAA' }] }), true],
  ['a type that nobody knows', Buffer.concat([bytesField(1, 'type.googleapis.com/x.Y'), bytesField(2, 'a')]), true],
  ['bytes that are no message', Buffer.from([0xff, 0xff]), true],
];
for (const [what, any, held] of cases) {
  test(`${what} ${held ? 'is, or may be, a secret' : 'is no secret'}`, () => {
    assert.equal(mayHoldSecret(any), held);
  });
}
