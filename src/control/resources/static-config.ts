import { typeUrls } from './types.ts';
import type { TypedJson } from '../../wire/proto-json.ts';

/**
 * The resources of a node as one static configuration, so that `envoy --mode validate` reads every one of them: listeners, clusters and
 * secrets stand where a bootstrap has them, route configurations stand inside their listeners.
 */
export function staticConfig(resources: readonly TypedJson[], bootstrap: object): object {
  const of = (type: string) => resources.filter((resource) => resource['@type'] === type).map(untyped);
  const routes = new Map(of(typeUrls.routes).map((route) => [(route as { name: string }).name, route]));
  const own = (bootstrap as { static_resources: { clusters: object[] } }).static_resources.clusters;
  return {
    ...bootstrap,
    static_resources: {
      listeners: of(typeUrls.listener).map((listener) => inlineRoutes(listener, routes)),
      clusters: [...own, ...of(typeUrls.cluster)],
      secrets: of(typeUrls.secret),
    },
  };
}

function untyped(resource: TypedJson): object {
  return Object.fromEntries(Object.entries(resource).filter(([field]) => field !== '@type'));
}

function inlineRoutes(value: unknown, routes: ReadonlyMap<string, object>): unknown {
  if (Array.isArray(value)) return value.map((item) => inlineRoutes(item, routes));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) =>
      field === 'rds'
        ? ['route_config', routes.get((inner as { route_config_name: string }).route_config_name)]
        : [field, inlineRoutes(inner, routes)],
    ),
  );
}
