import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Refusal } from './problem.ts';

/** A block of addresses; an address is a block of one. */
export interface Network {
  /** Canonical CIDR (RFC 5952 for IPv6). */
  readonly cidr: string;
  readonly family: 4 | 6;
  readonly bytes: readonly number[];
  readonly prefix: number;
}

/** Reads a CIDR, or an address as a block of one. Host bits must be zero. */
export function parseNetwork(text: string): Network | Refusal {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if ('refused' in address) return address;
  if (slash < 0) return address;
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > address.prefix) {
    return {
      refused: `"${text}" has no prefix length between 0 and ${address.prefix}`,
      remedy: `write ${address.cidr} for one address`,
    };
  }
  const network = block(address, Number(length));
  if (network.bytes.some((byte, index) => byte !== address.bytes[index])) {
    return {
      refused: `"${text}" has bits behind its prefix`,
      remedy: `write ${network.cidr} for the network, or ${address.cidr} for the address`,
    };
  }
  return network;
}

/** Reads an IP address in its usual form: no octal, no zone, no IPv4 inside IPv6. */
export function parseAddress(text: string): Network | Refusal {
  if (!isIPv4(text) && (!isIPv6(text) || text.includes('%'))) {
    return { refused: `"${text}" is no IP address`, remedy: 'write an address such as 10.0.0.5 or 2001:67c:2e8::1' };
  }
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv4) return network(text, 4, address.toByteArray(), 32);
  if (address.isIPv4MappedAddress()) {
    return { refused: `"${text}" is IPv4 in IPv6`, remedy: `write ${address.toIPv4Address().toString()}` };
  }
  return network(address.toRFC5952String(), 6, address.toByteArray(), 128);
}

/** Canonical text of an address, without a prefix length. */
export function addressText(address: Network): string {
  return address.cidr.slice(0, address.cidr.indexOf('/'));
}

/** Whether two blocks share an address. */
export function overlaps(a: Network, b: Network): boolean {
  if (a.family !== b.family) return false;
  const prefix = Math.min(a.prefix, b.prefix);
  return block(a, prefix).cidr === block(b, prefix).cidr;
}

function network(address: string, family: 4 | 6, bytes: readonly number[], prefix: number): Network {
  return { cidr: `${address}/${prefix}`, family, bytes, prefix };
}

function block(address: Network, prefix: number): Network {
  const bytes = address.bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & ((0xff << (8 - kept)) & 0xff);
  });
  const start = ipaddr.fromByteArray(bytes);
  const text = start instanceof ipaddr.IPv6 ? start.toRFC5952String() : start.toString();
  return network(text, address.family, bytes, prefix);
}
