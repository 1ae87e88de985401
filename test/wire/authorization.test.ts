import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../src/base/errors.ts';
import { decodeAuthorizationRequest, encodeAuthorizationAnswer } from '../../src/wire/authorization.ts';
import { decode, encode } from '../../src/wire/proto-json.ts';

const requestType = 'envoy.service.auth.v3.CheckRequest';
const answerType = 'envoy.service.auth.v3.CheckResponse';

test('a question that protobufjs wrote is read in its parts', () => {
  const bytes = encode(requestType, {
    attributes: {
      source: { address: { socket_address: { address: '127.0.0.7', port_value: 4711 } }, principal: 'p' },
      destination: { address: { socket_address: { address: '127.0.0.1', port_value: 3128 } } },
      request: {
        time: '2026-11-25T00:00:00Z',
        http: {
          ...{ id: '7', method: 'CONNECT', host: 'a:443', path: '/p?q', scheme: 'https', protocol: 'HTTP/2' },
          headers: { 'proxy-authorization': 'Basic x', b: '' },
        },
      },
      context_extensions: { door: 'office' },
      metadata_context: { filter_metadata: { sekisho: { arn: 'arn' } } },
      tls_session: { sni: 'a' },
    },
  });
  const address = (ip: string, port: number) =>
    encode('envoy.config.core.v3.Address', { socket_address: { address: ip, port_value: port } });
  assert.deepEqual(decodeAuthorizationRequest(bytes), {
    client: '127.0.0.7',
    source: address('127.0.0.7', 4711),
    destination: address('127.0.0.1', 3128),
    time: encode('google.protobuf.Timestamp', '2026-11-25T00:00:00Z'),
    metadata: encode('envoy.config.core.v3.Metadata', { filter_metadata: { sekisho: { arn: 'arn' } } }),
    serverName: 'a',
    http: { method: 'CONNECT', scheme: 'https', host: 'a:443', path: '/p?q', protocol: 'HTTP/2' },
    extensions: new Map([['door', 'office']]),
    headers: new Map([
      ['proxy-authorization', 'Basic x'],
      ['b', ''],
    ]),
  });
});

test('a question without a client and without headers is read as such', () => {
  const { client, headers, http, source, serverName } = decodeAuthorizationRequest(Buffer.alloc(0));
  assert.deepEqual(
    { client, headers, http, serverName },
    { client: '', headers: new Map(), http: undefined, serverName: '' },
  );
  assert.equal(source.length, 0);
});

test('any bytes are either a question or a request_malformed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeAuthorizationRequest(Buffer.from(bytes));
      } catch (caught) {
        assert.equal(SekishoError.from(caught).code, 'request_malformed');
      }
    }),
  );
});

test('protobufjs reads an admission as it was meant', () => {
  assert.deepEqual(decode(answerType, encodeAuthorizationAnswer({ metadata: { user: '太郎' } })), {
    status: {},
    okResponse: {},
    dynamicMetadata: { user: '太郎' },
  });
});

test('protobufjs reads a refusal as it was meant', () => {
  const denied = { status: 407, headers: { 'proxy-authenticate': 'Basic', 'retry-after': '1' }, body: 'no\n' };
  assert.deepEqual(decode(answerType, encodeAuthorizationAnswer({ metadata: { denied: 'locked' }, denied })), {
    status: { code: 7 },
    deniedResponse: {
      status: { code: 'ProxyAuthenticationRequired' },
      headers: [
        { header: { key: 'proxy-authenticate', value: 'Basic' } },
        { header: { key: 'retry-after', value: '1' } },
      ],
      body: 'no\n',
    },
    dynamicMetadata: { denied: 'locked' },
  });
});
