import {
  clusterType,
  endpointType,
  extensionType,
  listenerType,
  routeType,
  runtimeType,
  secretType,
  type TypeUrl,
} from '../../../control/xds/type-urls.ts';

/** A discovery service of Envoy's API: its name, its two streaming methods, and the one type that it serves, if it is not the aggregated one. */
export interface DiscoveryService {
  readonly service: string;
  readonly sotw: string;
  readonly delta: string;
  readonly type?: TypeUrl;
}

/**
 * All discovery services; source: envoy/service/[name]/v3 of the Envoy API. Each has a third method, Fetch…, for REST, which is not implemented; gRPC
 * says so by itself.
 */
export const serviceTable: readonly DiscoveryService[] = [
  {
    service: 'envoy.service.discovery.v3.AggregatedDiscoveryService',
    sotw: 'StreamAggregatedResources',
    delta: 'DeltaAggregatedResources',
  },
  {
    service: 'envoy.service.cluster.v3.ClusterDiscoveryService',
    sotw: 'StreamClusters',
    delta: 'DeltaClusters',
    type: clusterType,
  },
  {
    service: 'envoy.service.endpoint.v3.EndpointDiscoveryService',
    sotw: 'StreamEndpoints',
    delta: 'DeltaEndpoints',
    type: endpointType,
  },
  {
    service: 'envoy.service.listener.v3.ListenerDiscoveryService',
    sotw: 'StreamListeners',
    delta: 'DeltaListeners',
    type: listenerType,
  },
  {
    service: 'envoy.service.route.v3.RouteDiscoveryService',
    sotw: 'StreamRoutes',
    delta: 'DeltaRoutes',
    type: routeType,
  },
  {
    service: 'envoy.service.secret.v3.SecretDiscoveryService',
    sotw: 'StreamSecrets',
    delta: 'DeltaSecrets',
    type: secretType,
  },
  {
    service: 'envoy.service.runtime.v3.RuntimeDiscoveryService',
    sotw: 'StreamRuntime',
    delta: 'DeltaRuntime',
    type: runtimeType,
  },
  {
    service: 'envoy.service.extension.v3.ExtensionConfigDiscoveryService',
    sotw: 'StreamExtensionConfigs',
    delta: 'DeltaExtensionConfigs',
    type: extensionType,
  },
];
