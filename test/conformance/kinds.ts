import { resource, type ResourceInput } from '../../src/xds/index.ts';

/** The discovery services by their names in Envoy's documentation. */
export type KindName = 'CDS' | 'EDS' | 'LDS' | 'RDS' | 'SDS' | 'RTDS' | 'ECDS';

/** A type of resource, and the service that serves it alone. */
export interface Kind {
  readonly type: string;
  /** Where its two methods are: `/service/Stream…`, `/service/Delta…`. */
  readonly service: string;
  readonly methods: string;
  /** Whether a first request without names asks for everything, and a state-of-the-world response shows everything. */
  readonly root: boolean;
  /** A resource that refers to others of the same name: listener to route, route to cluster, cluster to endpoints. */
  make(name: string, revision: number): object;
}

const envoy = (name: string): string => `type.googleapis.com/envoy.${name}`;
const ads = { ads: {}, resource_api_version: 'V3' };
const at = (address: string, port_value: number): object => ({ socket_address: { address, port_value } });

/** Everything is written down here once more, so that a wrong name in the tables of the server is seen. */
export const kinds: Readonly<Record<KindName, Kind>> = {
  CDS: {
    type: envoy('config.cluster.v3.Cluster'),
    service: 'envoy.service.cluster.v3.ClusterDiscoveryService',
    methods: 'Clusters',
    root: true,
    make: (name, revision) => ({
      name,
      type: 'EDS',
      connect_timeout: `${revision}s`,
      eds_cluster_config: { eds_config: ads },
    }),
  },
  EDS: {
    type: envoy('config.endpoint.v3.ClusterLoadAssignment'),
    service: 'envoy.service.endpoint.v3.EndpointDiscoveryService',
    methods: 'Endpoints',
    root: false,
    make: (cluster_name, revision) => ({
      cluster_name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: at('10.0.0.1', 1000 + revision) } }] }],
    }),
  },
  LDS: {
    type: envoy('config.listener.v3.Listener'),
    service: 'envoy.service.listener.v3.ListenerDiscoveryService',
    methods: 'Listeners',
    root: true,
    make: (name, revision) => ({
      name,
      address: at('127.0.0.1', 2000 + revision),
      filter_chains: [{ filters: [{ name: 'http', typed_config: connectionManager(name) }] }],
    }),
  },
  RDS: {
    type: envoy('config.route.v3.RouteConfiguration'),
    service: 'envoy.service.route.v3.RouteDiscoveryService',
    methods: 'Routes',
    root: false,
    make: (name, revision) => ({
      name,
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: `/${revision}` }, route: { cluster: name } }] },
      ],
    }),
  },
  SDS: {
    type: envoy('extensions.transport_sockets.tls.v3.Secret'),
    service: 'envoy.service.secret.v3.SecretDiscoveryService',
    methods: 'Secrets',
    root: false,
    make: (name, revision) => ({ name, generic_secret: { secret: { inline_string: `secret ${revision}` } } }),
  },
  RTDS: {
    type: envoy('service.runtime.v3.Runtime'),
    service: 'envoy.service.runtime.v3.RuntimeDiscoveryService',
    methods: 'Runtime',
    root: false,
    make: (name, revision) => ({ name, layer: { revision } }),
  },
  ECDS: {
    type: envoy('config.core.v3.TypedExtensionConfig'),
    service: 'envoy.service.extension.v3.ExtensionConfigDiscoveryService',
    methods: 'ExtensionConfigs',
    root: false,
    make: (name, revision) => ({
      name,
      typed_config: {
        '@type': envoy('extensions.filters.http.header_mutation.v3.HeaderMutation'),
        mutations: { request_mutations: [{ remove: `x-${revision}` }] },
      },
    }),
  },
};

function connectionManager(name: string): object {
  return {
    '@type': envoy('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'http',
    rds: { config_source: ads, route_config_name: name },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': envoy('extensions.filters.http.router.v3.Router') },
      },
    ],
  };
}

export const kindNames: readonly KindName[] = ['CDS', 'EDS', 'LDS', 'RDS', 'SDS', 'RTDS', 'ECDS'];

export function kindOf(type: string): KindName | undefined {
  return kindNames.find((name) => kinds[name].type === type);
}

/** Which revision of which resource there is of each kind. */
export type Contents = Readonly<Partial<Record<KindName, Readonly<Record<string, number>>>>>;

export function resourcesOf(contents: Contents): ResourceInput[] {
  return kindNames.flatMap((kind) =>
    Object.entries(contents[kind] ?? {}).map(([name, revision]) =>
      resource({ '@type': kinds[kind].type, ...kinds[kind].make(name, revision) }),
    ),
  );
}
