/** The type of a resource, as in `Any.type_url`. */
export type TypeUrl = string;

export const clusterType: TypeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
export const endpointType: TypeUrl = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';
export const listenerType: TypeUrl = 'type.googleapis.com/envoy.config.listener.v3.Listener';
export const routeType: TypeUrl = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';
export const secretType: TypeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

/** Types that a client may ask for and that are not ours to wonder about. Any other is counted, and answered empty. */
const familiarTypes: ReadonlySet<TypeUrl> = new Set([
  clusterType,
  endpointType,
  listenerType,
  routeType,
  secretType,
  'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
  'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration',
  'type.googleapis.com/envoy.config.route.v3.VirtualHost',
  'type.googleapis.com/envoy.service.runtime.v3.Runtime',
]);

export function isFamiliar(type: TypeUrl): boolean {
  return familiarTypes.has(type);
}

/**
 * The types whose first request means "everything" when it names nothing. Only these two: to read an empty first request for any
 * other type so breaks on-demand subscriptions.
 * Source: "xDS REST and gRPC protocol", How the client specifies what resources to return.
 */
export function hasLegacyWildcard(type: TypeUrl): boolean {
  return type === clusterType || type === listenerType;
}

/** `type.googleapis.com/envoy.config.cluster.v3.Cluster` → `Cluster`. */
export function shortType(type: TypeUrl): string {
  return type.slice(Math.max(type.lastIndexOf('.'), type.lastIndexOf('/')) + 1);
}
