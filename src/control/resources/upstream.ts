import type { HostPin, Inspection, Policy } from '../../policy/policy.types.ts';
import { circuitBreakers } from './capacity.ts';
import { ads, extension } from './types.ts';
import { dnsCache } from './dns.ts';
import { outgoingHeaders } from './headers.ts';
import { names } from './names.ts';

/** Debian's bundle, where the Envoy image has it. */
const systemTrust = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Every cluster through which a node reaches the console, for the ways in which its doors look at what passes. `source` is the local address from
 * which it dials.
 */
export function upstreamClusters(
  policy: Policy,
  inspections: ReadonlySet<Inspection>,
  source: string | undefined,
): object[] {
  const common = { circuit_breakers: circuitBreakers, ...bind(source) };
  const { pins } = policy.console;
  const full = { ...common, ...transport(policy) };
  return [
    ...(inspections.has('full')
      ? [
          byDns(names.console, policy, { ...full, ...http('any') }),
          byDns(names.consoleHttp1, policy, { ...full, ...http('http1') }),
          ...pins.flatMap((pin) => [
            byPin(names.pin(pin.host), pin, { ...full, ...http('any') }),
            byPin(names.pinHttp1(pin.host), pin, { ...full, ...http('http1') }),
          ]),
        ]
      : []),
    ...(inspections.has('tunnel')
      ? [
          byDns(names.tunnel(names.console), policy, common),
          ...pins.map((pin) => byPin(names.tunnel(names.pin(pin.host)), pin, common)),
        ]
      : []),
  ];
}

/** The endpoints of the pinned hosts; both clusters of a pin share one set. */
export function pinnedEndpoints(policy: Policy): object[] {
  return policy.console.pins.map((pin) => ({
    cluster_name: names.pin(pin.host),
    endpoints: [
      {
        lb_endpoints: pin.endpoints.map(({ host, port }) => ({
          endpoint: { address: { socket_address: { address: host, port_value: port } } },
        })),
      },
    ],
  }));
}

function byDns(name: string, policy: Policy, rest: object): object {
  return {
    name,
    connect_timeout: '5s',
    lb_policy: 'CLUSTER_PROVIDED',
    cluster_type: extension(
      'envoy.clusters.dynamic_forward_proxy',
      'envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig',
      { dns_cache_config: dnsCache(policy) },
    ),
    ...rest,
  };
}

function byPin(name: string, pin: HostPin, rest: object): object {
  return {
    name,
    connect_timeout: '5s',
    type: 'EDS',
    eds_cluster_config: { eds_config: ads, service_name: names.pin(pin.host) },
    ...rest,
  };
}

/** TLS to the console: the chain is verified against the trusted bundle, and the SAN against the host that was asked for. */
function transport({ console: { trust } }: Policy): object {
  return {
    transport_socket: extension(
      'envoy.transport_sockets.tls',
      'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      {
        common_tls_context: {
          // The maximum too: for clients Envoy's default is TLS 1.2.
          tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
          validation_context: {
            trusted_ca: trust === undefined ? { filename: systemTrust } : { inline_string: trust },
          },
        },
      },
    ),
  };
}

/** A WebSocket needs HTTP/1.1 all the way: with HTTP/2 upstream Envoy answers 502. */
function http(versions: 'any' | 'http1'): object {
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    typed_extension_protocol_options: {
      [type]: {
        '@type': `type.googleapis.com/${type}`,
        upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true },
        ...(versions === 'any'
          ? { auto_config: { http_protocol_options: {}, http2_protocol_options: {} } }
          : { explicit_http_config: { http_protocol_options: {} } }),
        http_filters: [
          outgoingHeaders,
          extension(
            'envoy.filters.http.upstream_codec',
            'envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec',
          ),
        ],
      },
    },
  };
}

function bind(source: string | undefined): object {
  return source === undefined ? {} : { upstream_bind_config: { source_address: { address: source, port_value: 0 } } };
}
