import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Whether a Host header names this machine to itself: `localhost`, a name under it (RFC 6761 section 6.3), 127.0.0.0/8 or ::1, with any
 * port. A page that had its own name resolve to 127.0.0.1 (DNS rebinding) still sends its own name, and is told apart by that.
 */
export function isLoopbackHost(header: string | undefined): boolean {
  const host = /^(\[[^\]]+\]|[^:]+)(?::\d{1,5})?$/.exec(header ?? '')?.[1]?.toLowerCase();
  if (host === undefined) return false;
  if (host.startsWith('[')) return isLoopbackAddress(host.slice(1, -1));
  return isIPv4(host) ? isLoopbackAddress(host) : host === 'localhost' || host.endsWith('.localhost');
}

/** Whether an IP address is one that only this machine can reach. */
export function isLoopbackAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return loopback.check(address, 'ipv4');
    case 6:
      return loopback.check(address, 'ipv6');
    default:
      return false;
  }
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
