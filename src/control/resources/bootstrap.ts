import type { Policy } from '../../policy/policy.types.ts';
import { connectionLimit } from './capacity.ts';
import { ads, extension } from './types.ts';
import { names } from './names.ts';
import { sekishoCluster } from './sekisho-cluster.ts';

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
    stats_flush_interval: '5s',
    stats_sinks: [counters],
    static_resources: { clusters: [sekishoCluster(policy, nodeId, host.pki)] },
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

/**
 * What the Envoy counts goes to the sink every 5 s, whose ledger compares it with what it stored. Totals, not differences: one that is lost with
 * a connection is in the next. All of it, about 100 KB: to choose would choose for Envoy's own /stats as well.
 */
const counters = extension('envoy.stat_sinks.metrics_service', 'envoy.config.metrics.v3.MetricsServiceConfig', {
  transport_api_version: 'V3',
  grpc_service: { envoy_grpc: { cluster_name: names.sekisho }, timeout: '0s' },
  histogram_emit_mode: 'HISTOGRAM',
});
