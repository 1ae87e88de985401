import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeClientStatusRequest,
  encodeClientConfig,
  encodeGenericConfig,
  type GenericConfig,
} from '../../src/wire/client-status.ts';
import { encodeAny } from '../../src/wire/proto-json.ts';
import { decode, encode } from '../sink/record/entries.ts';

const request = (fields: object): Buffer => encode('envoy.service.status.v3.ClientStatusRequest', fields);

test('a request is read as its .proto file says', () => {
  assert.deepEqual(decodeClientStatusRequest(Buffer.alloc(0)), { nodes: [], excludeContents: false });
  const fields = {
    node: { id: 'asker', cluster: 'a' },
    node_matchers: [
      {},
      { node_id: { exact: '' } },
      { node_id: { prefix: 'a', ignore_case: true } },
      { node_id: { suffix: 'b' } },
      { node_id: { contains: 'c' } },
    ],
    exclude_resource_contents: true,
  };
  assert.deepEqual(decodeClientStatusRequest(request(fields)), {
    nodes: [
      'any',
      { kind: 'exact', text: '', ignoreCase: false },
      { kind: 'prefix', text: 'a', ignoreCase: true },
      { kind: 'suffix', text: 'b', ignoreCase: false },
      { kind: 'contains', text: 'c', ignoreCase: false },
    ],
    excludeContents: true,
  });
});

test('any bytes are a request, or request_malformed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeClientStatusRequest(Buffer.from(bytes));
      } catch (caught) {
        assert.equal((caught as { code?: string }).code, 'request_malformed');
      }
    }),
  );
});

test('a response is written as its .proto file says', () => {
  const content = encodeAny({ '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', name: 'a' });
  const row: GenericConfig = {
    type: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
    name: 'a',
    version: '1',
    content,
    updated: 1_790_000_000_250,
    config: 'ERROR',
    client: 'NACKED',
    refusal: { version: '2', text: 'bad', at: 1_790_000_001_000 },
  };
  const bare: GenericConfig = {
    ...row,
    version: '',
    content: undefined,
    updated: undefined,
    config: 'NOT_SENT',
    client: 'REQUESTED',
    refusal: undefined,
  };
  const node = { id: 'egress-1', cluster: 'tokyo', agent: 'envoy', version: '1.40.0' };
  const bytes = encodeClientConfig(node, [encodeGenericConfig(row), encodeGenericConfig(bare)]);
  const { type, name } = row;
  assert.deepEqual(decode('envoy.service.status.v3.ClientStatusResponse', bytes), {
    config: [
      {
        node: { id: 'egress-1', cluster: 'tokyo', user_agent_name: 'envoy', user_agent_version: '1.40.0' },
        generic_xds_configs: [
          {
            type_url: type,
            name,
            version_info: '1',
            xds_config: decode('google.protobuf.Any', content),
            last_updated: { seconds: '1790000000', nanos: 250_000_000 },
            config_status: 'ERROR',
            client_status: 'NACKED',
            error_state: { last_update_attempt: { seconds: '1790000001' }, details: 'bad', version_info: '2' },
          },
          { type_url: type, name, config_status: 'NOT_SENT', client_status: 'REQUESTED' },
        ],
      },
    ],
  });
});
