import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEnvoy } from '../support/envoy.ts';
import { describedFields } from '../support/descriptors.ts';
import { newerFields } from '../../src/wire/newer-fields.ts';
import { encode } from '../../src/wire/proto-json.ts';

/** The files of Envoy's API that describe the messages of the table. */
const files = new Set([
  'envoy/config/common/mutation_rules/v3/mutation_rules.proto',
  'envoy/extensions/access_loggers/open_telemetry/v3/logs_service.proto',
  'envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache.proto',
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  'envoy/type/matcher/v3/address.proto',
  'envoy/type/tracing/v3/custom_tag.proto',
]);

test('every newer field is what the descriptors inside the real Envoy say', async () => {
  const described = describedFields((await findEnvoy()).path, files);
  for (const field of newerFields) {
    const real = described.get(`${field.message}/${field.field}`);
    assert.deepEqual(
      { number: real?.number, repeated: real?.repeated, typeName: real?.typeName },
      {
        number: field.number,
        repeated: field.repeated ?? false,
        typeName: field.enumName ?? (field.type.includes('.') ? field.type : ''),
      },
      `${field.message}.${field.field}`,
    );
  }
});

test('a newer field reaches the bytes instead of being dropped', () => {
  const type = 'envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig';
  const without = encode(type, { name: 'console' });
  const filter = { ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] };
  const withFilter = encode(type, { name: 'console', resolved_address_filter: filter });
  assert.ok(withFilter.length > without.length + '10.0.0.0'.length);
});
