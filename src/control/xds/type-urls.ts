import { shownName } from '../../wire/shown-name.ts';

/** The type of a resource, as in `Any.type_url`. */
export type TypeUrl = string;

export const clusterType: TypeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
export const endpointType: TypeUrl = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';
export const listenerType: TypeUrl = 'type.googleapis.com/envoy.config.listener.v3.Listener';
export const routeType: TypeUrl = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';
export const secretType: TypeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
export const runtimeType: TypeUrl = 'type.googleapis.com/envoy.service.runtime.v3.Runtime';
export const extensionType: TypeUrl = 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig';

/** The types that are served, each by a service of its own and all of them by the aggregated one. */
const servedTypes: readonly TypeUrl[] = [
  clusterType,
  endpointType,
  listenerType,
  routeType,
  secretType,
  runtimeType,
  extensionType,
];

/** Types that a client may ask for and that are not ours to wonder about. Any other is counted, and answered empty. */
const familiarTypes: ReadonlySet<TypeUrl> = new Set([
  ...servedTypes,
  'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration',
  'type.googleapis.com/envoy.config.route.v3.VirtualHost',
]);

export function isFamiliar(type: TypeUrl): boolean {
  return familiarTypes.has(type);
}

/**
 * Listeners and clusters are special in two ways. Their first request means "everything" when it names nothing; to read an empty first request
 * for any other type so breaks on-demand subscriptions. And in the state-of-the-world variant each response holds all that the client shall have,
 * so that what is missing is thereby removed; of other types only what changed is sent.
 * Source: "xDS REST and gRPC protocol", How the client specifies what resources to return; Grouping Resources into Responses.
 */
export function isRootType(type: TypeUrl): boolean {
  return type === clusterType || type === listenerType;
}

/** `type.googleapis.com/envoy.config.cluster.v3.Cluster` → `Cluster`, for people; a client may have made the type up. */
export function shortType(type: TypeUrl): string {
  const shown = shownName(type);
  return shown.slice(Math.max(shown.lastIndexOf('.'), shown.lastIndexOf('/')) + 1);
}
