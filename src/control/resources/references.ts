import { SekishoError } from '../../base/errors.ts';
import { pathText } from '../../policy/problem.ts';
import { isMap } from '../../base/json-value.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import { referringFields } from '../xds/referring-fields.ts';
import { shortType } from '../xds/type-urls.ts';
import { names } from './names.ts';
import { resourceName, typeUrls } from './types.ts';

/**
 * Refuses a set of resources that refers to something it does not hold. Envoy itself would acknowledge such a route and answer 503, so
 * nothing is published before this has passed.
 * @throws SekishoError reference_missing with the referring resource, the field path and the name
 */
export function checkReferences(resources: readonly TypedJson[]): void {
  const held = heldKeys(resources);
  for (const resource of resources) {
    for (const { type, name, path } of references(resource)) {
      if (held.has(resourceKey(type, name))) continue;
      const from = resourceName(resource);
      const at = pathText(path);
      throw new SekishoError(
        'reference_missing',
        `${from}.${at} refers to ${name}, but no such ${shortType(type)} is published`,
        { facts: { resource: from, path: at, name } },
      );
    }
  }
}

/** What the resources can refer to: each other, and the cluster that the bootstrap brings. */
export function heldKeys(resources: readonly TypedJson[]): ReadonlySet<string> {
  const own = resources.map((resource) => resourceKey(resource['@type'], resourceName(resource)));
  return new Set([resourceKey(typeUrls.cluster, names.sekisho), ...own]);
}

/** Type and name as one text. */
export function resourceKey(type: string, name: string): string {
  return `${type} ${name}`;
}

/** A name by which one resource needs another. */
export interface Reference {
  readonly type: string;
  readonly name: string;
  /** The field that holds it. */
  readonly path: readonly (string | number)[];
}

/** All that a resource needs of what Sekisho serves; what it gets from elsewhere (a file, another server) is not its business. */
export function references(resource: TypedJson): Generator<Reference> {
  return inside(resource, []);
}

function* inside(value: unknown, path: readonly (string | number)[]): Generator<Reference> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* inside(item, [...path, index]);
    return;
  }
  if (!isMap(value)) return;
  yield* byForm(value, path);
  for (const [field, inner] of Object.entries(value)) {
    // Free text of the user's, in which a `cluster` is no cluster.
    if (field === 'filter_metadata') continue;
    const type = referringType(field, value);
    if (type !== undefined && typeof inner === 'string') yield { type, name: inner, path: [...path, field] };
    yield* inside(inner, [...path, field]);
  }
}

function referringType(field: string, message: Fields): string | undefined {
  // An endpoint set names the cluster that it belongs to, not one that it needs.
  if (field === 'cluster_name' && 'endpoints' in message) return undefined;
  if (field === 'route_config_name' && !fromSekisho(message['config_source'])) return undefined;
  return referringFields[field];
}

/** References that only show by the fields around them. */
function* byForm(message: Fields, path: readonly (string | number)[]): Generator<Reference> {
  const name = (type: string, value: unknown, ...fields: (string | number)[]): Reference[] =>
    typeof value === 'string' ? [{ type, name: value, path: [...path, ...fields] }] : [];
  // A secret that is to be fetched: {name, sds_config}.
  if (fromSekisho(message['sds_config'])) yield* name(typeUrls.secret, message['name'], 'name');
  // A filter that is to be fetched: {name, config_discovery}.
  const discovery = message['config_discovery'];
  if (isMap(discovery) && fromSekisho(discovery['config_source'])) {
    yield* name(typeUrls.extension, message['name'], 'name');
  }
  const eds = message['eds_cluster_config'];
  if (isMap(eds) && fromSekisho(eds['eds_config'])) {
    const service = eds['service_name'];
    if (service === undefined) yield* name(typeUrls.endpoints, message['name'], 'name');
    else yield* name(typeUrls.endpoints, service, 'eds_cluster_config', 'service_name');
  }
  const weighted = message['weighted_clusters'];
  if (isMap(weighted) && Array.isArray(weighted['clusters'])) {
    for (const [index, one] of (weighted['clusters'] as readonly unknown[]).entries()) {
      if (isMap(one)) yield* name(typeUrls.cluster, one['name'], 'weighted_clusters', 'clusters', index, 'name');
    }
  }
  if (message['@type'] === aggregateCluster && Array.isArray(message['clusters'])) {
    for (const [index, one] of message['clusters'].entries()) yield* name(typeUrls.cluster, one, 'clusters', index);
  }
}

const aggregateCluster = 'type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig';

function fromSekisho(source: unknown): boolean {
  return isMap(source) && ('ads' in source || 'self' in source);
}

type Fields = Readonly<Record<string, unknown>>;
