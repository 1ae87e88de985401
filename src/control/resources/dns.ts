import ipaddr from 'ipaddr.js';
import type { Policy } from '../../policy/policy.types.ts';
import { cidrRange, extension } from './types.ts';

/**
 * Addresses that a public name must not lead to (RFC 6890 and its registries): whoever controls a name on the list, or answers for
 * it, could else reach into the networks of the fleet.
 */
const neverDialled = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/127',
  '::ffff:0:0/96',
  '64:ff9b::/96',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
];

/** Envoy has one cache of a name. */
export const dnsCacheName = 'console';

/**
 * How upstream names are resolved. The same cache serves the filter and the clusters, so it must be the same to the letter wherever
 * it stands (Envoy refuses two caches of one name that differ).
 */
export function dnsCache(policy: Policy): object {
  return {
    name: dnsCacheName,
    // An IPv6 upstream is only of use where the fleet has an IPv6 egress address: AWS admits nobody else.
    dns_lookup_family: policy.fleet.egress.some((cidr) => cidr.includes(':')) ? 'ALL' : 'V4_ONLY',
    resolved_address_filter: { ranges: [...neverDialled, ...ourselves(policy)].map(cidrRange) },
    typed_dns_resolver_config: extension(
      'envoy.network.dns_resolver.cares',
      'envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
      {
        ...(policy.console.resolvers.length > 0 && {
          resolvers: policy.console.resolvers.map(({ host, port }) => ({
            socket_address: { address: host, port_value: port },
          })),
        }),
        dns_resolver_options: { no_default_search_domain: true },
      },
    ),
  };
}

/** The fleet's own addresses: a console name that leads to one of them is a loop. */
function ourselves({ fleet, doors }: Policy): string[] {
  const nodes = fleet.groups.flatMap((group) => group.nodes);
  const hosts = [
    ...nodes.flatMap(({ address, source }) => [address, source]),
    ...doors.map(({ listen }) => listen.host),
  ].filter((host) => host !== undefined && ipaddr.isValid(host) && !['0.0.0.0', '::'].includes(host));
  const own = hosts.map((host) => `${host}/${host?.includes(':') ? 128 : 32}`);
  return [...new Set([...fleet.egress, ...own])].sort();
}
