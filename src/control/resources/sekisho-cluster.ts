import { createHash } from 'node:crypto';
import type { Policy, SocketAddress } from '../../policy/policy.types.ts';
import { serverName } from '../../wire/server-name.ts';
import { names } from './names.ts';
import { extension } from './types.ts';

/** How a node reaches Sekisho: by mutual TLS, under one name, at one of several addresses. `pki` is the folder of the node's own files. */
export function sekishoCluster(policy: Policy, nodeId: string, pki: string): object {
  const addresses = inOrderOf(nodeId, policy.server.grpc.addresses);
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    name: names.sekisho,
    type: 'STRICT_DNS',
    connect_timeout: '2s',
    load_assignment: { cluster_name: names.sekisho, endpoints: addresses.map(endpoint) },
    circuit_breakers: { thresholds: [unbroken] },
    ...(addresses.length > 1 && failover),
    typed_extension_protocol_options: {
      [type]: {
        '@type': `type.googleapis.com/${type}`,
        explicit_http_config: {
          // A sink that hangs is found within seconds, and the loggers open a new stream.
          http2_protocol_options: { connection_keepalive: { interval: '2s', timeout: '2s' } },
        },
      },
    },
    transport_socket: extension(
      'envoy.transport_sockets.tls',
      'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      {
        sni: serverName,
        common_tls_context: {
          // The maximum too: for clients Envoy's default is TLS 1.2.
          tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
          alpn_protocols: ['h2'],
          tls_certificates: [
            { certificate_chain: { filename: `${pki}/node.crt` }, private_key: { filename: `${pki}/node.key` } },
          ],
          validation_context: {
            trusted_ca: { filename: `${pki}/fleet-ca.crt` },
            match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: serverName } }],
          },
        },
      },
    ),
  };
}

/**
 * By default three calls may be retried at a time, and Envoy drops every other one: what waits for a sink to come back is bounded by Envoy's memory
 * alone.
 */
const unbroken = {
  max_connections: 1_000_000,
  max_pending_requests: 1_000_000,
  max_requests: 1_000_000,
  max_retries: 1_000_000,
};

/** Each of them is a priority of its own: the next one is asked only while those before it are down. */
function endpoint({ host, port }: SocketAddress, priority: number): object {
  return {
    ...(priority > 0 && { priority }),
    lb_endpoints: [{ endpoint: { address: { socket_address: { address: host, port_value: port } } } }],
  };
}

/**
 * Each node prefers another one, by its id, so that the control planes share the fleet. Only its very first stream may go to any of them: of several addresses Envoy
 * starts with the one that is resolved and found well first.
 */
function inOrderOf(nodeId: string, addresses: readonly SocketAddress[]): SocketAddress[] {
  const first = createHash('sha256').update(nodeId).digest().readUInt32BE() % addresses.length;
  return [...addresses.slice(first), ...addresses.slice(0, first)];
}

/**
 * How a node notices that a control plane is down: a connection that fails sends it to the next one at once, for 30 s at first; gRPC health keeps it away for as long
 * as nobody answers, so that no question of a door tries in vain. A check every 10 s, as thousands of nodes ask.
 */
const failover = {
  outlier_detection: {
    split_external_local_origin_errors: true,
    consecutive_local_origin_failure: 1,
    interval: '1s',
    max_ejection_percent: 100,
  },
  health_checks: [
    {
      timeout: '2s',
      interval: '10s',
      interval_jitter: '1s',
      no_traffic_interval: '10s',
      unhealthy_threshold: 2,
      healthy_threshold: 1,
      grpc_health_check: {},
    },
  ],
};
