import {
  makeSnapshot,
  type ExplicitVersions,
  type ResourceInput,
  type Snapshot,
} from '../../../src/control/xds/snapshot.ts';
import {
  clusterType,
  endpointType,
  listenerType,
  routeType,
  secretType,
  type TypeUrl,
} from '../../../src/control/xds/type-urls.ts';
import type { DeltaRequest } from '../../../src/wire/delta-discovery.ts';
import { NameList } from '../../../src/wire/name-list.ts';
import type { NodeInfo } from '../../../src/wire/node-info.ts';
import { bytesField, FieldReader } from '../../../src/wire/protobuf.ts';
import type { SotwRequest } from '../../../src/wire/sotw-discovery.ts';

export const node: NodeInfo = { id: 'egress-1', cluster: 'tokyo', agent: 'envoy', version: '1.40.0' };

/** What a test says of a request, in whichever variant. */
export interface Wish {
  readonly node?: NodeInfo | undefined;
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly initialVersions?: ReadonlyMap<string, string>;
  readonly names?: readonly string[];
  readonly version?: string;
  readonly nonce?: string;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A delta request that only has what `wish` says. */
export function request(typeUrl: TypeUrl, wish: Wish = {}): DeltaRequest {
  const { subscribe = [], unsubscribe = [], initialVersions = new Map(), nonce = '', error } = wish;
  return {
    ...nodeOf(wish),
    typeUrl,
    subscribe: NameList.of(subscribe),
    unsubscribe: NameList.of(unsubscribe),
    initialVersions,
    nonce,
    ...(error && { error }),
  };
}

/** The same for a state-of-the-world request. */
export function sotwRequest(typeUrl: TypeUrl, wish: Wish = {}): SotwRequest {
  const { names = [], version = '', nonce = '', error } = wish;
  return { ...nodeOf(wish), typeUrl, names: NameList.of(names), version, nonce, ...(error && { error }) };
}

function nodeOf(wish: Wish): { node?: NodeInfo } {
  const told = 'node' in wish ? wish.node : node;
  return told ? { node: told } : {};
}

export interface Received {
  readonly typeUrl: TypeUrl;
  readonly systemVersion: string;
  readonly nonce: string;
  readonly resources: readonly { readonly name: string; readonly version: string; readonly body: Body }[];
  readonly removed: readonly string[];
}

/** What stands in for the content of a resource: whom it refers to, and whether the client will refuse it. */
export interface Body {
  readonly clusters: readonly string[];
  readonly route?: string;
  /** The name of a cluster's endpoints, where it is not its own. */
  readonly service?: string;
  readonly bad?: boolean;
  readonly revision?: number;
}

/** A DeltaDiscoveryResponse or a DiscoveryResponse, read as a client reads it. They agree on the numbers that both have. */
export function readResponse(bytes: Buffer, variant: 'delta' | 'sotw' = 'delta'): Received {
  const reader = new FieldReader(bytes);
  const resources: Received['resources'][number][] = [];
  const removed: string[] = [];
  let typeUrl = '';
  let systemVersion = '';
  let nonce = '';
  while (reader.next()) {
    if (reader.field === 1) systemVersion = reader.string();
    if (reader.field === 2)
      resources.push(variant === 'delta' ? readResource(reader.message()) : readPlain(reader.message()));
    if (reader.field === 4) typeUrl = reader.string();
    if (reader.field === 5) nonce = reader.string();
    if (reader.field === 6) removed.push(reader.string());
  }
  return { typeUrl, systemVersion, nonce, resources, removed };
}

/** Without a version of its own: its content stands in for one. */
function readPlain(any: FieldReader): Received['resources'][number] {
  const { name, body } = readAny(any);
  return { name, version: JSON.stringify(body), body };
}

function readResource(reader: FieldReader): Received['resources'][number] {
  let name = '';
  let version = '';
  let body: Body = { clusters: [] };
  while (reader.next()) {
    if (reader.field === 1) version = reader.string();
    if (reader.field === 2) body = readAny(reader.message()).body;
    if (reader.field === 3) name = reader.string();
  }
  return { name, version, body };
}

export type Contents = Readonly<
  Partial<Record<'clusters' | 'endpoints' | 'listeners' | 'routes' | 'secrets', Record<string, Body>>>
>;

/** A snapshot of stand-in resources. */
export function snapshotOf(contents: Contents, previous?: Snapshot, versions?: ExplicitVersions): Snapshot {
  const inputs: ResourceInput[] = [];
  const add = (type: TypeUrl, resources: Record<string, Body> = {}): void => {
    for (const [name, body] of Object.entries(resources))
      inputs.push({ type, name, bytes: writeAny(type, name, body) });
  };
  add(clusterType, contents.clusters);
  add(endpointType, contents.endpoints);
  add(listenerType, contents.listeners);
  add(routeType, contents.routes);
  add(secretType, contents.secrets);
  return makeSnapshot(inputs, { ...(previous && { previous }), versions });
}

/** Real resources as far as names and references go; the body itself lies in a field of its own that nobody reads. */
export function writeAny(type: TypeUrl, name: string, body: Body): Buffer {
  return anyOf(
    type,
    Buffer.concat([bytesField(1, name), ...linksOf(type, body), bytesField(bodyField, JSON.stringify(body))]),
  );
}

function linksOf(type: TypeUrl, { clusters, route, service }: Body): Buffer[] {
  if (type === routeType) {
    // RouteConfiguration.virtual_hosts.routes.route.cluster
    return clusters.map((cluster) => bytesField(2, bytesField(3, bytesField(2, bytesField(1, cluster)))));
  }
  // Cluster.eds_cluster_config.service_name: its endpoints are a resource of their own.
  if (type === clusterType) return [bytesField(3, service === undefined ? '' : bytesField(2, service))];
  if (type !== listenerType) return [];
  const proxies = clusters.map((cluster) => anyOf(tcpProxy, bytesField(2, cluster)));
  // HttpConnectionManager.rds.route_config_name
  const manager = route === undefined ? [] : [anyOf(connectionManager, bytesField(3, bytesField(2, route)))];
  // Listener.filter_chains.filters.typed_config
  return [...proxies, ...manager].map((config) => bytesField(3, bytesField(3, bytesField(4, config))));
}

const tcpProxy = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';
const connectionManager =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const bodyField = 1000;

function anyOf(type: TypeUrl, value: Buffer): Buffer {
  return Buffer.concat([bytesField(1, type), bytesField(2, value)]);
}

/** What `writeAny` put in. */
export function bodyOf(any: Buffer): Body {
  return readAny(new FieldReader(any)).body;
}

function readAny(any: FieldReader): { name: string; body: Body } {
  let name = '';
  let body: Body = { clusters: [] };
  while (any.next()) {
    if (any.field !== 2) continue;
    const value = any.message();
    while (value.next()) {
      if (value.field === 1) name = value.string();
      if (value.field === bodyField) body = JSON.parse(value.string()) as Body;
    }
  }
  return { name, body };
}
