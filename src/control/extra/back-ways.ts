import type { Policy } from '../../policy/policy.types.ts';
import { isMap, type FieldPath } from '../../base/json-value.ts';
import { encode } from '../../wire/proto-json.ts';
import { dnsCache, dnsCacheName } from '../resources/dns.ts';
import { names } from '../resources/names.ts';
import { references, resourceKey } from '../resources/references.ts';
import { typeUrls } from '../resources/types.ts';
import type { Extra, ExtraFinding } from './extra.types.ts';

/**
 * Ways by which an extra resource would undo what ours promise. It may use what we serve (our clusters, routes, certificates), but not what lies behind a
 * door: who comes to that from elsewhere is taken for a person whom the door has let in, and says himself who he is.
 */
export function backWays(extra: Extra, policy: Policy): ExtraFinding[] {
  return [...behindDoors(extra, policy), ...walk(extra, extra.resource, [], policy)];
}

function behindDoors({ source, resource }: Extra, { doors }: Policy): ExtraFinding[] {
  const forward = doors.filter(({ kind }) => kind === 'forward');
  const inner = new Set(
    forward.flatMap(({ name }) => [
      resourceKey(typeUrls.cluster, names.toInside(name)),
      resourceKey(typeUrls.listener, names.inside(name)),
      resourceKey(typeUrls.routes, names.connectRoutes(name)),
    ]),
  );
  const sekisho = resourceKey(typeUrls.cluster, names.sekisho);
  return [...references(resource)].flatMap(({ type, name, path }): ExtraFinding[] => {
    const key = resourceKey(type, name);
    const finding = { source, path, at: 'value', code: 'exposed' } as const;
    if (key === sekisho) {
      const message = "whoever came by this would speak to Sekisho with the node's own certificate";
      return [{ ...finding, message, remedy: 'write a cluster of your own for what you want to reach' }];
    }
    if (!inner.has(key)) return [];
    const message = `"${name}" lies behind a door: whoever came by this would pass for a person of that door`;
    return [{ ...finding, message, remedy: `lead to the cluster "${names.console}", or to one of your own` }];
  });
}

function walk(extra: Extra, value: unknown, path: FieldPath, policy: Policy): ExtraFinding[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => walk(extra, item, [...path, index], policy));
  if (!isMap(value)) return [];
  return [
    ...clientsChoice(extra, value, path),
    ...otherCache(extra, value, path, policy),
    ...countsOfDoors(extra, value, path, policy),
    ...Object.entries(value).flatMap(([field, inner]) => walk(extra, inner, [...path, field], policy)),
  ];
}

/** Whoever names the cluster can name that of Sekisho. */
function clientsChoice({ source }: Extra, message: Readonly<Record<string, unknown>>, path: FieldPath): ExtraFinding[] {
  const chosen = [
    ...(typeof message['cluster_header'] === 'string' && message['cluster_header'] !== '' ? ['cluster_header'] : []),
    ...(message['@type'] === sniCluster ? ['@type'] : []),
    ...(message['object_key'] === 'envoy.tcp_proxy.cluster' ? ['object_key'] : []),
  ];
  return chosen.map((field) => ({
    source,
    path: [...path, field],
    at: 'value',
    code: 'exposed',
    message: 'here the client could choose any cluster, that of Sekisho included',
    remedy: 'write a route, or a filter chain, for each cluster',
  }));
}

const sniCluster = 'type.googleapis.com/envoy.extensions.filters.network.sni_cluster.v3.SniCluster';

/** Envoy has one DNS cache of a name, and refuses whoever describes it differently; which of the two comes second is chance. */
function otherCache(
  { source }: Extra,
  message: Readonly<Record<string, unknown>>,
  path: FieldPath,
  policy: Policy,
): ExtraFinding[] {
  const theirs = message['dns_cache_config'];
  if (!isMap(theirs) || theirs['name'] !== dnsCacheName || sameCache(theirs, dnsCache(policy))) return [];
  return [
    {
      source,
      path: [...path, 'dns_cache_config', 'name'],
      at: 'value',
      code: 'duplicate',
      message: `the DNS cache "${dnsCacheName}" is Sekisho's, and this describes it differently`,
      remedy: 'take another name, or copy it whole from sekisho resources',
    },
  ];
}

/** Counters under one prefix are one: requests that no door saw would be counted as its own. */
function countsOfDoors(
  { source }: Extra,
  message: Readonly<Record<string, unknown>>,
  path: FieldPath,
  { doors }: Policy,
): ExtraFinding[] {
  const prefix = message['stat_prefix'];
  const door = doors.find(({ name }) => prefix === names.listener(name) || prefix === names.inside(name));
  if (door === undefined) return [];
  return [
    {
      source,
      path: [...path, 'stat_prefix'],
      at: 'value',
      code: 'duplicate',
      message: `the door "${door.name}" counts what it handles under this prefix`,
      remedy: 'take another one',
    },
  ];
}

function sameCache(a: object, b: object): boolean {
  const bytes = (cache: object) => encode('envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig', cache);
  return bytes(a).equals(bytes(b));
}
