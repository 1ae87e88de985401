import { SekishoError } from '../../base/errors.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import { names } from './names.ts';
import { resourceName, typeUrls } from './types.ts';

/**
 * Refuses a set of resources that refers to something it does not hold. Envoy itself would acknowledge such a route and answer 503, so
 * nothing is published before this has passed.
 * @throws SekishoError reference_missing with the referring resource, the field path and the name
 */
export function checkReferences(resources: readonly TypedJson[]): void {
  const held = new Set(resources.map((resource) => key(resource['@type'], resourceName(resource))));
  // The bootstrap brings it.
  held.add(key(typeUrls.cluster, names.sekisho));
  for (const resource of resources) {
    for (const { type, name, path } of references(resource, '')) {
      if (held.has(key(type, name))) continue;
      const from = resourceName(resource);
      throw new SekishoError(
        'reference_missing',
        `${from}${path} refers to ${name}, but no such ${type.slice(type.lastIndexOf('.') + 1)} is published`,
        { facts: { resource: from, path, name } },
      );
    }
  }
}

interface Reference {
  readonly type: string;
  readonly name: string;
  readonly path: string;
}

/** Fields whose string value is the name of another resource. */
const referring: Readonly<Record<string, string>> = {
  cluster: typeUrls.cluster,
  cluster_name: typeUrls.cluster,
  route_config_name: typeUrls.routes,
  server_listener_name: typeUrls.listener,
  service_name: typeUrls.endpoints,
};

function* references(value: unknown, path: string): Generator<Reference> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* references(item, `${path}[${index}]`);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  // An endpoint set names the cluster that it belongs to, not one that it needs.
  const isAssignment = 'endpoints' in value;
  // A secret that is to be fetched: {name, sds_config}.
  if ('sds_config' in value && 'name' in value && typeof value.name === 'string') {
    yield { type: typeUrls.secret, name: value.name, path };
  }
  for (const [field, inner] of Object.entries(value)) {
    const type = field === 'cluster_name' && isAssignment ? undefined : referring[field];
    if (type !== undefined && typeof inner === 'string') yield { type, name: inner, path: `${path}.${field}` };
    yield* references(inner, `${path}.${field}`);
  }
}

function key(type: string, name: string): string {
  return `${type} ${name}`;
}
