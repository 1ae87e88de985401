import { SekishoError } from '../../base/errors.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import { clusterType, endpointType, extensionType, listenerType, routeType, secretType } from '../xds/type-urls.ts';

/** The resource types that Sekisho gives to an Envoy, in the order in which a change may reach it. */
export const typeUrls = {
  cluster: clusterType,
  endpoints: endpointType,
  extension: extensionType,
  listener: listenerType,
  routes: routeType,
  secret: secretType,
} as const;

/** An extension's configuration: `{name, typed_config: {'@type': …}}`, as Envoy's YAML has it. */
export function extension(name: string, type: string, config: object = {}): object {
  return { name, typed_config: { '@type': `type.googleapis.com/${type}`, ...config } };
}

/** A CIDR as Envoy's `CidrRange` (and that of the xds package) has it. */
export function cidrRange(cidr: string): object {
  const [prefix, length] = cidr.split('/');
  return { address_prefix: prefix, prefix_len: Number(length) };
}

/**
 * Where Envoy gets what a listener refers to: from the same aggregated stream, and without a time limit, so that a listener whose
 * routes or secrets are late warms up while the old one goes on serving.
 */
export const adsWithoutTimeout = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' } as const;

export const ads = { ads: {}, resource_api_version: 'V3' } as const;

/** The name under which xDS knows a resource: `name`, or `cluster_name` of an endpoint set. */
export function resourceName(resource: TypedJson): string {
  const name = resource['name'] ?? resource['cluster_name'];
  if (typeof name === 'string' && name !== '') return name;
  throw new SekishoError('resource_invalid', `a resource of type ${resource['@type']} has no name`);
}
