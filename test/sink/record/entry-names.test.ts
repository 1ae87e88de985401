import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as names from '../../../src/sink/record/entry-names.ts';
import { envoyApi } from '../../../src/wire/envoy-api.ts';
import { findEnvoy } from '../../support/envoy.ts';

function valuesOf(type: string): [name: string, number: number][] {
  return Object.entries(envoyApi().lookupEnum(type).values);
}

test("request methods are those of Envoy's API", () => {
  for (const [name, number] of valuesOf('envoy.config.core.v3.RequestMethod')) {
    assert.equal(names.requestMethodName(number), name === 'METHOD_UNSPECIFIED' ? undefined : name);
  }
  assert.equal(names.requestMethodName(99), undefined);
});

test("protocol versions are those of Envoy's API", () => {
  const written = { PROTOCOL_UNSPECIFIED: undefined, HTTP10: '1.0', HTTP11: '1.1', HTTP2: '2', HTTP3: '3' };
  const numbers = valuesOf('envoy.data.accesslog.v3.HTTPAccessLogEntry.HTTPVersion');
  assert.deepEqual(Object.fromEntries(numbers.map(([name, number]) => [name, names.httpVersionName(number)])), written);
});

test("TLS versions are those of Envoy's API", () => {
  const written = { VERSION_UNSPECIFIED: undefined, TLSv1: '1.0', TLSv1_1: '1.1', TLSv1_2: '1.2', TLSv1_3: '1.3' };
  const numbers = valuesOf('envoy.data.accesslog.v3.TLSProperties.TLSVersion');
  assert.deepEqual(Object.fromEntries(numbers.map(([name, number]) => [name, names.tlsVersionName(number)])), written);
});

test("access-log types are those of Envoy's API", () => {
  for (const [name, number] of valuesOf('envoy.data.accesslog.v3.AccessLogType')) {
    assert.equal(names.accessLogTypeName(number), name === 'NotSet' ? undefined : name);
  }
});

test('access-log types are those inside the real Envoy, newer ones included', async () => {
  const binary = await readFile((await findEnvoy()).path);
  for (let number = 1; ; number += 1) {
    const name = names.accessLogTypeName(number);
    if (name === undefined) break;
    // google.protobuf.EnumValueDescriptorProto: name = 1, number = 2.
    const described = Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name), Buffer.from([0x10, number])]);
    assert.ok(binary.includes(described), `${name} = ${number}`);
  }
});

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage, %RESPONSE_FLAGS%. */
const shortNames: Readonly<Record<string, string>> = {
  failed_local_healthcheck: 'LH',
  no_healthy_upstream: 'UH',
  upstream_request_timeout: 'UT',
  local_reset: 'LR',
  upstream_remote_reset: 'UR',
  upstream_connection_failure: 'UF',
  upstream_connection_termination: 'UC',
  upstream_overflow: 'UO',
  no_route_found: 'NR',
  delay_injected: 'DI',
  fault_injected: 'FI',
  rate_limited: 'RL',
  unauthorized_details: 'UAEX',
  rate_limit_service_error: 'RLSE',
  downstream_connection_termination: 'DC',
  upstream_retry_limit_exceeded: 'URX',
  stream_idle_timeout: 'SI',
  invalid_envoy_request_headers: 'IH',
  downstream_protocol_error: 'DPE',
  upstream_max_stream_duration_reached: 'UMSDR',
  response_from_cache_filter: 'RFCF',
  no_filter_config_found: 'NFCF',
  duration_timeout: 'DT',
  upstream_protocol_error: 'UPE',
  no_cluster_found: 'NC',
  overload_manager: 'OM',
  dns_resolution_failure: 'DF',
  downstream_remote_reset: 'DR',
};

test("every response flag of Envoy's API has Envoy's short name", () => {
  const { fields } = envoyApi().lookupType('envoy.data.accesslog.v3.ResponseFlags');
  const named = Object.entries(fields).map(([name, field]) => [name, names.responseFlagName(field.id)]);
  assert.deepEqual(Object.fromEntries(named), shortNames);
  assert.equal(names.responseFlagName(99), 'flag 99');
});
