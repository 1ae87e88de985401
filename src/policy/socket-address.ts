import { isHostName } from '../aws/host-pattern.ts';
import { addressText, parseAddress } from './network.ts';
import type { SocketAddress } from './policy.types.ts';
import type { Refusal } from './problem.ts';

/** Reads `ADDRESS:PORT` or `[IPv6]:PORT`. With a default port, the port may be left out. */
export function parseSocket(text: string, defaultPort?: number): SocketAddress | Refusal {
  const parts = split(text);
  const address = parseAddress(parts.host);
  if ('refused' in address) return address;
  const port = parsePort(text, parts.port, defaultPort);
  return typeof port === 'number' ? { host: addressText(address), port } : port;
}

/** As `parseSocket`, but a host name will do, too. */
export function parseHostSocket(text: string): SocketAddress | Refusal {
  const parts = split(text);
  const host = parseHost(parts.host);
  if (typeof host !== 'string') return host;
  const port = parsePort(text, parts.port);
  return typeof port === 'number' ? { host, port } : port;
}

/** Reads a host name or an IP address; gives it in its canonical form. */
export function parseHost(text: string): string | Refusal {
  const address = parseAddress(text);
  if (!('refused' in address)) return addressText(address);
  const host = text.toLowerCase();
  if (isHostName(host) && !/^[\d.]+$/.test(host)) return host;
  return { refused: `"${text}" is no host`, remedy: 'write a host name or an IP address, without scheme and path' };
}

export function isLoopback(address: SocketAddress): boolean {
  return address.host === '::1' || address.host.startsWith('127.');
}

export function isUnspecified(address: SocketAddress): boolean {
  return address.host === '::' || address.host === '0.0.0.0';
}

/**
 * Whether the second of two listeners would find the port taken. Envoy opens `::` for IPv6 alone; Node opens it for
 * both families.
 */
export function collides(a: SocketAddress, b: SocketAddress, wildcard: 'one-family' | 'both-families'): boolean {
  if (a.port !== b.port) return false;
  if (a.host === b.host) return true;
  return takesIn(a, b, wildcard) || takesIn(b, a, wildcard);
}

export function socketText(address: SocketAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function takesIn(any: SocketAddress, one: SocketAddress, wildcard: 'one-family' | 'both-families'): boolean {
  if (!isUnspecified(any)) return false;
  if (any.host.includes(':') === one.host.includes(':')) return true;
  return any.host === '::' && wildcard === 'both-families';
}

function split(text: string): { host: string; port: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: bracketed[2] };
  const colon = text.lastIndexOf(':');
  // An IPv6 address without brackets has several colons and no port.
  if (colon < 0 || text.indexOf(':') !== colon) return { host: text, port: undefined };
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

function parsePort(text: string, port: string | undefined, defaultPort?: number): number | Refusal {
  if (port === undefined && defaultPort !== undefined) return defaultPort;
  if (port === undefined)
    return { refused: `"${text}" has no port`, remedy: `write ADDRESS:PORT, such as ${text}:3128` };
  if (/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535) return Number(port);
  return { refused: `"${text}" has no port between 1 and 65535`, remedy: 'write a port in decimal digits' };
}
