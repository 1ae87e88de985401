import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../src/base/errors.ts';
import { NameList } from '../../src/wire/name-list.ts';
import { decode, encode } from '../../src/wire/proto-json.ts';
import { decodeSotwRequest, encodeSotwResponse } from '../../src/wire/sotw-discovery.ts';

const requestType = 'envoy.service.discovery.v3.DiscoveryRequest';
const clusterType = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

test('a state-of-the-world request that protobufjs wrote is read in all its parts', () => {
  const bytes = encode(requestType, {
    version_info: 'v7',
    node: { id: 'egress-1', cluster: 'tokyo', user_agent_name: 'envoy' },
    resource_names: ['a', 'b', 'é'],
    type_url: clusterType,
    response_nonce: 'n1',
    error_detail: { code: 13, message: 'no' },
  });
  const { names, ...read } = decodeSotwRequest(bytes);
  assert.deepEqual([...names], ['a', 'b', 'é']);
  assert.deepEqual(read, {
    node: { id: 'egress-1', cluster: 'tokyo', agent: 'envoy' },
    typeUrl: clusterType,
    version: 'v7',
    nonce: 'n1',
    error: { code: 13, message: 'no' },
  });
});

test('names are the same whether they stand together in a message or apart', () => {
  const name = (text: string): Buffer => encode(requestType, { resource_names: [text] });
  const apart = Buffer.concat([name('a'), encode(requestType, { version_info: '1' }), name('b'), name('')]);
  assert.deepEqual([...decodeSotwRequest(apart).names], ['a', 'b', '']);
  const strings = fc.array(fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(strings, (names) => {
      assert.deepEqual([...NameList.of(names)], names);
      assert.deepEqual([...decodeSotwRequest(encode(requestType, { resource_names: names })).names], names);
    }),
  );
});

test('any bytes are either a state-of-the-world request or a request_malformed', () => {
  const isRead = (bytes: Uint8Array): void => {
    try {
      decodeSotwRequest(Buffer.from(bytes));
    } catch (caught) {
      assert.ok(caught instanceof SekishoError);
      assert.equal(caught.code, 'request_malformed');
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), isRead));
});

test('a state-of-the-world response that we wrote is read by protobufjs in all its parts', () => {
  const any = encode('google.protobuf.Any', { '@type': clusterType, name: 'up' });
  const bytes = encodeSotwResponse({ version: 'v1', resources: [any], typeUrl: clusterType, nonce: 'n1' });
  assert.deepEqual(decode('envoy.service.discovery.v3.DiscoveryResponse', bytes), {
    versionInfo: 'v1',
    resources: [{ '@type': clusterType, name: 'up' }],
    typeUrl: clusterType,
    nonce: 'n1',
  });
});
