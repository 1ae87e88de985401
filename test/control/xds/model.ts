import type { NodeInfo, DeltaRequest } from '../../../src/wire/discovery.ts';
import { FieldReader } from '../../../src/wire/protobuf.ts';
import { makeSnapshot, type ResourceInput, type Snapshot } from '../../../src/control/xds/snapshot.ts';
import {
  clusterType,
  endpointType,
  listenerType,
  routeType,
  type TypeUrl,
} from '../../../src/control/xds/type-urls.ts';

export const node: NodeInfo = { id: 'egress-1', cluster: 'tokyo', agent: 'envoy', version: '1.40.0' };

/** A request that only has what `fields` say. */
export function request(typeUrl: TypeUrl, fields: Partial<Omit<DeltaRequest, 'typeUrl'>> = {}): DeltaRequest {
  return { node, typeUrl, subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: '', ...fields };
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
  readonly bad?: boolean;
  readonly revision?: number;
}

/** A DeltaDiscoveryResponse, read as a client reads it. */
export function readResponse(bytes: Buffer): Received {
  const reader = new FieldReader(bytes);
  const resources: Received['resources'][number][] = [];
  const removed: string[] = [];
  let typeUrl = '';
  let systemVersion = '';
  let nonce = '';
  while (reader.next()) {
    if (reader.field === 1) systemVersion = reader.string();
    if (reader.field === 2) resources.push(readResource(reader.message()));
    if (reader.field === 4) typeUrl = reader.string();
    if (reader.field === 5) nonce = reader.string();
    if (reader.field === 6) removed.push(reader.string());
  }
  return { typeUrl, systemVersion, nonce, resources, removed };
}

function readResource(reader: FieldReader): Received['resources'][number] {
  let name = '';
  let version = '';
  let body: Body = { clusters: [] };
  while (reader.next()) {
    if (reader.field === 1) version = reader.string();
    if (reader.field === 2) body = JSON.parse(reader.string()) as Body;
    if (reader.field === 3) name = reader.string();
  }
  return { name, version, body };
}

export type Contents = Readonly<
  Partial<Record<'clusters' | 'endpoints' | 'listeners' | 'routes', Record<string, Body>>>
>;

/** A snapshot of stand-in resources. */
export function snapshotOf(contents: Contents, previous?: Snapshot): Snapshot {
  const inputs: ResourceInput[] = [];
  const add = (type: TypeUrl, resources: Record<string, Body> = {}): void => {
    for (const [name, body] of Object.entries(resources))
      inputs.push({ type, name, bytes: Buffer.from(JSON.stringify(body)) });
  };
  add(clusterType, contents.clusters);
  add(endpointType, contents.endpoints);
  add(listenerType, contents.listeners);
  add(routeType, contents.routes);
  return makeSnapshot(inputs, previous && { previous });
}
