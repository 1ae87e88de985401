import { createHash } from 'node:crypto';
import { SekishoError } from '../../base/errors.ts';
import { noNames, type NameSet } from './name-set.ts';
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
  /** Versions of types that their owner chose; the others are hashes of content. */
  readonly explicit: ExplicitVersions;
}

/** One version for all types, or versions for some. */
export type ExplicitVersions = string | ReadonlyMap<TypeUrl, string> | undefined;

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

/** The version of a type that its owner chose; undefined where it is the hash of content. */
export function explicitVersion({ explicit }: Snapshot, type: TypeUrl): string | undefined {
  return typeof explicit === 'string' ? explicit : explicit?.get(type);
}

/**
 * A snapshot of `resources` in whatever order they come. Versions are hashes of content unless given, so replicas and restarts agree and
 * nothing is pushed again. `versions`, for all types or for some, are what `version_info` and `system_version_info` show instead. Parts that
 * equal those of `previous` are taken over from it, which spares every stream a comparison.
 * Throws `resource_invalid` when two resources of a type have one name.
 */
export function makeSnapshot(
  resources: Iterable<ResourceInput>,
  options: { readonly versions?: ExplicitVersions; readonly previous?: Snapshot } = {},
): Snapshot {
  const types = new Map<TypeUrl, ResourceMap>();
  for (const [type, ofType] of groupByType(resources)) {
    const before = options.previous?.types.get(type) ?? noResources;
    types.set(type, keepIfEqual(before, mapOfType(ofType, before)));
  }
  const { versions } = options;
  return { version: typeof versions === 'string' ? versions : hashTypes(types), types, explicit: versions };
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
  for (const { type, name, bytes, version: given } of [...resources].sort((a, b) => compare(a.name, b.name))) {
    if (map.has(name)) {
      throw new SekishoError('resource_invalid', `Two resources are named "${name}"; rename one of them.`, {
        facts: { type, name },
      });
    }
    const old = before.get(name);
    const version = given ?? (old?.bytes === bytes ? old.version : hash(bytes));
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

type Versions = ReadonlyMap<string, { readonly version: string }>;

const contentVersions = new WeakMap<Versions, string>();

/** The version of the resources of a type together, or of those that a client has: the hash of their names and versions, in their order. */
export function contentVersion(resources: Versions): string {
  const known = contentVersions.get(resources);
  if (known !== undefined) return known;
  const digest = createHash('sha256');
  for (const [name, { version }] of resources) digest.update(JSON.stringify([name, version]));
  const version = digest.digest('hex').slice(0, hashLength);
  contentVersions.set(resources, version);
  return version;
}

const views = new WeakMap<ResourceMap, WeakMap<NameSet, ResourceMap>>();

/** The part of `resources` that `set` names; worked out once for all the clients that ask for it. */
export function viewOf(resources: ResourceMap, set: NameSet): ResourceMap {
  if (set === noNames || resources.size === 0) return noResources;
  const known = views.get(resources) ?? new WeakMap<NameSet, ResourceMap>();
  views.set(resources, known);
  const view = known.get(set) ?? makeView(resources, set);
  known.set(set, view);
  return view;
}

function makeView(resources: ResourceMap, { names }: NameSet): ResourceMap {
  const found = new Map<string, Resource>();
  for (const name of names) {
    const resource = resources.get(name);
    if (resource) found.set(name, resource);
  }
  if (found.size === 0) return noResources;
  return found.size === resources.size ? resources : found;
}
