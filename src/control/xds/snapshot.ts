import { createHash } from 'node:crypto';
import { SekishoError } from '../../base/errors.ts';
import type { TypeUrl } from './type-urls.ts';

export interface Resource {
  readonly name: string;
  /** Changes exactly when the content does. */
  readonly version: string;
  /** A serialized `google.protobuf.Any`. */
  readonly bytes: Buffer;
}

export type ResourceMap = ReadonlyMap<string, Resource>;

/** Everything that a node shall have. Immutable; nodes that shall have the same share the same object, and then the same bytes are sent to all of them. */
export interface Snapshot {
  readonly version: string;
  readonly types: ReadonlyMap<TypeUrl, ResourceMap>;
}

export interface ResourceInput {
  readonly type: TypeUrl;
  readonly name: string;
  readonly bytes: Buffer;
  /** For those who version their resources themselves; otherwise the hash of the bytes. */
  readonly version?: string;
}

/** The map without any resource: one and the same everywhere, so that maps may be compared by identity. */
export const noResources: ResourceMap = new Map();

/** The resources of a type; `noResources` where the snapshot has none. */
export function resourcesOf(snapshot: Snapshot, type: TypeUrl): ResourceMap {
  return snapshot.types.get(type) ?? noResources;
}

/**
 * A snapshot of `resources` in whatever order they come. Versions are hashes of content unless given, so replicas and restarts agree and
 * nothing is pushed again. Parts that equal those of `previous` are taken over from it, which spares every stream a comparison.
 * Throws `resource_invalid` when two resources of a type have one name.
 */
export function makeSnapshot(
  resources: Iterable<ResourceInput>,
  options: { readonly version?: string; readonly previous?: Snapshot } = {},
): Snapshot {
  const types = new Map<TypeUrl, ResourceMap>();
  for (const [type, ofType] of groupByType(resources)) {
    const before = options.previous?.types.get(type) ?? noResources;
    types.set(type, keepIfEqual(before, mapOfType(ofType, before)));
  }
  return { version: options.version ?? hashTypes(types), types };
}

function groupByType(resources: Iterable<ResourceInput>): [TypeUrl, ResourceInput[]][] {
  const groups = new Map<TypeUrl, ResourceInput[]>();
  for (const resource of resources) {
    const group = groups.get(resource.type);
    if (group) group.push(resource);
    else groups.set(resource.type, [resource]);
  }
  return [...groups].sort(([a], [b]) => compare(a, b));
}

function mapOfType(resources: readonly ResourceInput[], before: ResourceMap): ResourceMap {
  const map = new Map<string, Resource>();
  for (const { type, name, bytes, version = hash(bytes) } of [...resources].sort((a, b) => compare(a.name, b.name))) {
    if (map.has(name)) {
      throw new SekishoError('resource_invalid', `Two resources are named "${name}"; rename one of them.`, {
        facts: { type, name },
      });
    }
    const old = before.get(name);
    map.set(name, old?.version === version ? old : { name, version, bytes });
  }
  return map;
}

function keepIfEqual(before: ResourceMap, after: ResourceMap): ResourceMap {
  const equal =
    before.size === after.size && [...after.values()].every((resource) => before.get(resource.name) === resource);
  return equal ? before : after;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function hashTypes(types: ReadonlyMap<TypeUrl, ResourceMap>): string {
  const digest = createHash('sha256');
  for (const [type, resources] of types) {
    for (const { name, version } of resources.values()) digest.update(JSON.stringify([type, name, version]));
  }
  return digest.digest('hex').slice(0, hashLength);
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, hashLength);
}

/** 64 bits: versions are compared with the few that one node has seen under one name, not with all there are. */
const hashLength = 16;
