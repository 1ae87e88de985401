import { typeUrls } from './types.ts';
import type { TypedJson } from '../../wire/proto-json.ts';

/**
 * The resources of a node as one static configuration, so that `envoy --mode validate` reads every one of them: listeners, clusters and
 * secrets stand where a bootstrap has them, route configurations and filters that come by themselves stand inside their listeners.
 */
export function staticConfig(resources: readonly TypedJson[], bootstrap: object): object {
  const of = (type: string) => resources.filter((resource) => resource['@type'] === type).map(untyped);
  const named = (type: string) => new Map(of(type).map((one) => [(one as { name: string }).name, one]));
  const parts = { routes: named(typeUrls.routes), filters: named(typeUrls.extension) };
  const own = (bootstrap as { static_resources: { clusters: object[] } }).static_resources.clusters;
  return {
    ...bootstrap,
    static_resources: {
      listeners: of(typeUrls.listener).map((listener) => inline(listener, parts)),
      clusters: [...own, ...of(typeUrls.cluster)],
      secrets: of(typeUrls.secret),
    },
  };
}

function untyped(resource: TypedJson): object {
  return Object.fromEntries(Object.entries(resource).filter(([field]) => field !== '@type'));
}

interface Parts {
  readonly routes: ReadonlyMap<string, object>;
  readonly filters: ReadonlyMap<string, object>;
}

function inline(value: unknown, parts: Parts): unknown {
  if (Array.isArray(value)) return value.map((item) => inline(item, parts));
  if (typeof value !== 'object' || value === null) return value;
  const filter = 'config_discovery' in value && 'name' in value ? parts.filters.get(String(value.name)) : undefined;
  if (filter !== undefined) return inline(filter, parts);
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => {
      const routes = field === 'rds' ? parts.routes.get((inner as RouteDiscovery).route_config_name) : undefined;
      return routes === undefined ? [field, inline(inner, parts)] : ['route_config', routes];
    }),
  );
}

interface RouteDiscovery {
  readonly route_config_name: string;
}
