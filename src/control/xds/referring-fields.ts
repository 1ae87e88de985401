import { clusterType, listenerType, routeType, type TypeUrl } from './type-urls.ts';

/** Fields of Envoy's messages whose text is the name of another resource, whatever message they stand in. */
export const referringFields: Readonly<Record<string, TypeUrl>> = {
  cluster: clusterType,
  cluster_name: clusterType,
  collector_cluster: clusterType,
  route_config_name: routeType,
  route_configuration_name: routeType,
  server_listener_name: listenerType,
};
