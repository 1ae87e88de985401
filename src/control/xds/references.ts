import { walkAny } from '../../wire/walk-any.ts';
import type { Held } from './difference.ts';
import { referringFields } from './referring-fields.ts';
import type { Resource } from './snapshot.ts';
import { clusterType, endpointType, extensionType, secretType, type TypeUrl } from './type-urls.ts';

/** What resources refer to by name. */
export interface References {
  readonly names: ReadonlyMap<TypeUrl, ReadonlySet<string>>;
  /** What could not be read. */
  readonly opaque: readonly Buffer[];
}

/**
 * Whether a reference to that resource is there. In what cannot be read any string that equals the name counts: at worst something is taken
 * away a step later than it might be.
 */
export function refersTo({ names, opaque }: References, type: TypeUrl, name: string): boolean {
  if (names.get(type)?.has(name) === true) return true;
  return opaque.some((bytes) => bytes.includes(name));
}

/** `unseen` says that of some nothing but the version is known, as the client has them from an earlier process. */
type ReferencesOfAll = References & { readonly unseen: boolean };

const ofMaps = new WeakMap<Held, ReferencesOfAll>();

/** What the resources of a map refer to. `isShared` says that nobody changes the map: then it is worked out once. */
export function referencesOfAll(held: Held, isShared: boolean): ReferencesOfAll {
  const known = isShared ? ofMaps.get(held) : undefined;
  if (known) return known;
  const names = new Map<TypeUrl, Set<string>>();
  const opaque: Buffer[] = [];
  let unseen = false;
  for (const resource of held.values()) {
    if ('bytes' in resource) merge(referencesOf(resource), names, opaque);
    else unseen = true;
  }
  const merged = { names, opaque, unseen };
  if (isShared) ofMaps.set(held, merged);
  return merged;
}

function merge(from: References, names: Map<TypeUrl, Set<string>>, opaque: Buffer[]): void {
  for (const [type, some] of from.names) {
    const all = names.get(type) ?? new Set();
    names.set(type, all);
    for (const name of some) all.add(name);
  }
  opaque.push(...from.opaque);
}

const ofResources = new WeakMap<Resource, References>();

/** What a resource refers to. Read only when something is to be taken away, then remembered. */
export function referencesOf(resource: Resource): References {
  const known = ofResources.get(resource);
  if (known) return known;
  const found = read(resource);
  ofResources.set(resource, found);
  return found;
}

function read(resource: Resource): References {
  const names = new Map<TypeUrl, Set<string>>();
  const opaque: Buffer[] = [];
  const add = (type: TypeUrl, name: unknown): void => {
    if (typeof name !== 'string' || name === '') return;
    names.set(type, (names.get(type) ?? new Set()).add(name));
  };
  walkAny(resource.bytes, {
    message: (type, fields) => {
      readMessage(type, fields, add);
    },
    opaque: (bytes) => {
      if (bytes.length > 0) opaque.push(bytes);
    },
  });
  return { names, opaque };
}

type Add = (type: TypeUrl, name: unknown) => void;

/** The fields by which Envoy's messages name other resources. */
function readMessage(message: string, fields: Readonly<Record<string, unknown>>, add: Add): void {
  switch (message) {
    // It names the cluster that it belongs to, not one that it needs.
    case 'envoy.config.endpoint.v3.ClusterLoadAssignment':
      return;
    case 'envoy.config.cluster.v3.Cluster':
      readCluster(fields, add);
      return;
    case 'envoy.config.route.v3.WeightedCluster.ClusterWeight':
    case 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight':
      add(clusterType, fields['name']);
      return;
    case 'envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig':
      if (isSet(fields['sds_config'])) add(secretType, fields['name']);
      return;
    default:
      for (const [field, type] of Object.entries(referringFields)) add(type, fields[field]);
      if (isSet(fields['config_discovery'])) add(extensionType, fields['name']);
      if (message === 'envoy.extensions.clusters.aggregate.v3.ClusterConfig')
        addAll(clusterType, fields['clusters'], add);
  }
}

function readCluster(fields: Readonly<Record<string, unknown>>, add: Add): void {
  const eds = fields['eds_cluster_config'];
  if (typeof eds !== 'object' || eds === null) return;
  const service = 'service_name' in eds ? eds.service_name : '';
  add(endpointType, service === '' ? fields['name'] : service);
}

function addAll(type: TypeUrl, names: unknown, add: Add): void {
  if (Array.isArray(names)) for (const name of names) add(type, name);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
