import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../src/base/errors.ts';
import { decodeDeltaRequest, encodeDeltaResponse, encodeResourceField } from '../../src/wire/delta-discovery.ts';
import { decode, encode } from '../../src/wire/proto-json.ts';
import { withheldName } from '../../src/wire/shown-name.ts';

const requestType = 'envoy.service.discovery.v3.DeltaDiscoveryRequest';
const clusterType = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

test('a request that protobufjs wrote is read in all its parts', () => {
  const bytes = encode(requestType, {
    node: {
      id: 'egress-1',
      cluster: 'tokyo',
      metadata: { sekisho: { epoch: '7' } },
      locality: { region: 'ap-northeast-1' },
      user_agent_name: 'envoy',
      user_agent_build_version: {
        version: { major_number: 1, minor_number: 40, patch: 2 },
        metadata: { ssl: 'BoringSSL' },
      },
      extensions: [{ name: 'envoy.filters.http.router', category: 'envoy.filters.http' }],
    },
    type_url: clusterType,
    resource_names_subscribe: ['a', '*'],
    resource_names_unsubscribe: ['b'],
    initial_resource_versions: { a: '1', c: '' },
    response_nonce: 'n1',
    error_detail: { code: 13, message: 'no' },
  });
  const { subscribe, unsubscribe, ...read } = decodeDeltaRequest(bytes);
  assert.deepEqual([...subscribe], ['a', '*']);
  assert.deepEqual([...unsubscribe], ['b']);
  assert.deepEqual(read, {
    node: { id: 'egress-1', cluster: 'tokyo', agent: 'envoy', version: '1.40.2' },
    typeUrl: clusterType,
    initialVersions: new Map([
      ['a', '1'],
      ['c', ''],
    ]),
    nonce: 'n1',
    error: { code: 13, message: 'no' },
  });
});

test('names of a node that are none are not read, for they would be shown', () => {
  const node = { id: 'a=b', cluster: 'a@b', user_agent_name: '"', user_agent_version: 'a%3db' };
  const withheld = { id: withheldName, cluster: withheldName, agent: withheldName, version: withheldName };
  assert.deepEqual(decodeDeltaRequest(encode(requestType, { type_url: 't', node })).node, withheld);
});

test('a client that is no Envoy tells its version in words, or not at all', () => {
  const read = (node: object): unknown => decodeDeltaRequest(encode(requestType, { type_url: 't', node })).node;
  assert.deepEqual(read({ id: 'n', user_agent_name: 'gRPC', user_agent_version: '1.14.1' }), {
    id: 'n',
    cluster: '',
    agent: 'gRPC',
    version: '1.14.1',
  });
  assert.deepEqual(read({ id: 'n' }), { id: 'n', cluster: '', agent: '' });
});

test('any bytes are either a request or a request_malformed', () => {
  const isRead = (bytes: Uint8Array): void => {
    try {
      decodeDeltaRequest(Buffer.from(bytes));
    } catch (caught) {
      assert.ok(caught instanceof SekishoError);
      assert.equal(caught.code, 'request_malformed');
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), isRead));
  const whole = encode(requestType, { type_url: clusterType, node: { id: 'n' }, resource_names_subscribe: ['abc'] });
  for (let length = 0; length < whole.length; length += 1) isRead(whole.subarray(0, length));
});

test('a response that we wrote is read by protobufjs in all its parts', () => {
  const any = encode('google.protobuf.Any', { '@type': clusterType, name: 'up' });
  const bytes = encodeDeltaResponse({
    systemVersion: 'v1',
    resources: [encodeResourceField({ name: 'up', version: 'abc', bytes: any })],
    typeUrl: clusterType,
    removed: ['gone', ''],
    nonce: 'n1',
  });
  assert.deepEqual(decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes), {
    systemVersionInfo: 'v1',
    resources: [{ name: 'up', version: 'abc', resource: { '@type': clusterType, name: 'up' } }],
    typeUrl: clusterType,
    removedResources: ['gone', ''],
    nonce: 'n1',
  });
});

test('responses that differ in their nonce alone share everything before it', () => {
  const response = { systemVersion: 'v1', resources: [], typeUrl: clusterType, removed: ['x'] };
  const one = encodeDeltaResponse({ ...response, nonce: '1' });
  const other = encodeDeltaResponse({ ...response, nonce: '2' });
  assert.deepEqual(one.subarray(0, -1), other.subarray(0, -1));
  assert.equal(one.at(-1), '1'.charCodeAt(0));
});
