import ipaddr from 'ipaddr.js';
import { SekishoError } from '../../base/errors.ts';

/**
 * What the console intermediate may sign for (RFC 5280 4.2.1.10). Canonical: sorted, each once, nothing that another entry covers.
 */
export interface NameConstraints {
  /** Each stands for itself and every name below it: RFC 5280 has no narrower form for DNS names. */
  readonly hosts: readonly string[];
  /** Single addresses, canonical text. Empty: no address at all. */
  readonly addresses: readonly string[];
}

/**
 * The narrowest constraints that permit all of the given names. `*.example.com` needs the subtree `example.com`.
 * Throws `ca_invalid` for something that is no host or address, and when there is nothing to permit: an empty list would permit everything.
 */
export function constraintsFor(hosts: readonly string[], addresses: readonly string[]): NameConstraints {
  const bases = [...new Set(hosts.map(subtreeOf))].sort();
  const constraints = {
    hosts: bases.filter((host) => !bases.some((other) => host.endsWith(`.${other}`))),
    addresses: [...new Set(addresses.map(canonicalAddress))].sort(),
  };
  if (bases.length === 0) {
    throw new SekishoError(
      'ca_invalid',
      'the console CA needs at least one host; name regions or hosts under `console:`',
    );
  }
  return constraints;
}

/** Whether a certificate may carry this DNS name, wildcards included. */
export function permitsHost({ hosts }: NameConstraints, name: string): boolean {
  const base = subtreeOf(name);
  return hosts.some((host) => base === host || base.endsWith(`.${host}`));
}

export function permitsAddress({ addresses }: NameConstraints, address: string): boolean {
  return addresses.includes(canonicalAddress(address));
}

/** In words how found constraints differ from the wanted ones; undefined when they are the same. */
export function differenceOf(found: NameConstraints | undefined, wanted: NameConstraints): string | undefined {
  if (found === undefined) return 'has no name constraints that Sekisho knows';
  const missing = [...without(wanted.hosts, found.hosts), ...without(wanted.addresses, found.addresses)];
  const surplus = [...without(found.hosts, wanted.hosts), ...without(found.addresses, wanted.addresses)];
  const parts = [
    ...(missing.length > 0 ? [`does not cover ${missing.join(', ')}`] : []),
    ...(surplus.length > 0 ? [`covers ${surplus.join(', ')}, which the policy no longer names`] : []),
  ];
  return parts.length > 0 ? parts.join(' and ') : undefined;
}

/** RFC 1123 labels plus the underscore that DNS itself allows; at most 253 characters. */
const hostPattern = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

function subtreeOf(name: string): string {
  const wildcard = name.startsWith('*.');
  const host = (wildcard ? name.slice(2) : name).toLowerCase();
  if (!hostPattern.test(host) || ipaddr.isValid(host)) {
    throw new SekishoError('ca_invalid', `${JSON.stringify(name)} is no DNS name, so no certificate can carry it`);
  }
  // The subtree of `*.com` would be all of .com.
  if (wildcard && !host.includes('.')) {
    throw new SekishoError('ca_invalid', `${name} would permit a whole top-level domain; name the hosts themselves`);
  }
  return host;
}

/** One spelling for each address; an IPv4 address in IPv6 clothes is IPv4. Throws `ca_invalid` for anything else. */
export function canonicalAddress(text: string): string {
  if (ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)) return ipaddr.process(text).toString();
  throw new SekishoError('ca_invalid', `${JSON.stringify(text)} is no IP address, so no certificate can carry it`);
}

function without(list: readonly string[], others: readonly string[]): string[] {
  return list.filter((entry) => !others.includes(entry));
}
