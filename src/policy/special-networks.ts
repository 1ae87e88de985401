import { overlaps, parseNetwork } from './network.ts';
import type { Network } from './network.ts';

/**
 * Why AWS can never see this block, or part of it, as the source of a request; undefined for public unicast addresses.
 * From the IANA special-purpose address registries (RFC 6890), for both families, as of 2026-11.
 */
export function whyNotPublic(network: Network): string | undefined {
  const special = specials.find((entry) => overlaps(entry.network, network));
  if (special !== undefined) return `${special.network.cidr} is ${special.what}`;
  if (network.family === 6 && !overlaps(network, globalUnicast)) return 'only 2000::/3 is public in IPv6 (RFC 4291)';
  return undefined;
}

const specials = [
  ['10.0.0.0/8', 'private (RFC 1918)'],
  ['172.16.0.0/12', 'private (RFC 1918)'],
  ['192.168.0.0/16', 'private (RFC 1918)'],
  ['100.64.0.0/10', "shared behind a carrier's NAT (RFC 6598)"],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local (RFC 3927)'],
  ['0.0.0.0/8', '"this network" (RFC 791)'],
  ['192.0.0.0/24', 'for protocols (RFC 6890)'],
  ['192.0.2.0/24', 'for documentation (RFC 5737)'],
  ['198.51.100.0/24', 'for documentation (RFC 5737)'],
  ['203.0.113.0/24', 'for documentation (RFC 5737)'],
  ['192.31.196.0/24', 'for AS112 (RFC 7535)'],
  ['192.175.48.0/24', 'for AS112 (RFC 7534)'],
  ['192.52.193.0/24', 'for multicast tunnels (RFC 7450)'],
  ['192.88.99.0/24', 'for 6to4 relays (RFC 7526)'],
  ['198.18.0.0/15', 'for benchmarks (RFC 2544)'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved (RFC 1112)'],
  ['::/128', 'the unspecified address'],
  ['::1/128', 'loopback'],
  ['64:ff9b::/96', 'for IPv4 translation (RFC 6052)'],
  ['64:ff9b:1::/48', 'for IPv4 translation (RFC 8215)'],
  ['100::/64', 'for discarding (RFC 6666)'],
  ['2001::/23', 'for protocols (RFC 2928)'],
  ['2001:db8::/32', 'for documentation (RFC 3849)'],
  ['3fff::/20', 'for documentation (RFC 9637)'],
  ['2002::/16', '6to4 (RFC 3056)'],
  ['2620:4f:8000::/48', 'for AS112 (RFC 7534)'],
  ['5f00::/16', 'for segment routing (RFC 9602)'],
  ['fc00::/7', 'unique local (RFC 4193)'],
  ['fe80::/10', 'link-local (RFC 4291)'],
  ['ff00::/8', 'multicast'],
].map(([cidr = '', what = '']) => ({ network: known(cidr), what }));

const globalUnicast = known('2000::/3');

function known(cidr: string): Network {
  const network = parseNetwork(cidr);
  if ('refused' in network) throw new TypeError(network.refused);
  return network;
}
