import type { Policy } from '../../policy/policy.types.ts';
import { serverName } from '../../wire/server-name.ts';
import { connectionLimit } from './capacity.ts';
import { ads, extension } from './types.ts';
import { names } from './names.ts';

/** Where the node's own files lie on its host, and where its administration listens. */
export interface NodeHost {
  /** Folder with node.crt, node.key and fleet-ca.crt. */
  readonly pki: string;
  readonly admin: { readonly host: string; readonly port: number };
}

/** What an Envoy starts from: who it is, how it reaches Sekisho by mutual TLS. Everything else comes by xDS. */
export function bootstrap(policy: Policy, nodeId: string, host: NodeHost): object {
  return {
    node: { id: nodeId, cluster: policy.fleet.name },
    admin: { address: { socket_address: { address: host.admin.host, port_value: host.admin.port } } },
    bootstrap_extensions: [
      extension(
        'envoy.bootstrap.internal_listener',
        'envoy.extensions.bootstrap.internal_listener.v3.InternalListener',
      ),
    ],
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: names.sekisho } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: { clusters: [sekishoCluster(policy, host.pki)] },
    overload_manager: {
      resource_monitors: [
        extension(
          'envoy.resource_monitors.global_downstream_max_connections',
          'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
          { max_active_downstream_connections: connectionLimit },
        ),
      ],
    },
  };
}

function sekishoCluster(policy: Policy, pki: string): object {
  const { host, port } = policy.server.grpc.address;
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    name: names.sekisho,
    type: 'STRICT_DNS',
    connect_timeout: '2s',
    load_assignment: {
      cluster_name: names.sekisho,
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { address: host, port_value: port } } } }] },
      ],
    },
    typed_extension_protocol_options: {
      [type]: {
        '@type': `type.googleapis.com/${type}`,
        explicit_http_config: {
          // A sink that hangs is found within seconds, and the loggers open a new stream.
          http2_protocol_options: { connection_keepalive: { interval: '10s', timeout: '5s' } },
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
