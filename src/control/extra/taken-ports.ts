import { addressText, parseAddress } from '../../policy/network.ts';
import type { Policy, SocketAddress } from '../../policy/policy.types.ts';
import { collides, socketText } from '../../policy/socket-address.ts';
import { typeUrls } from '../resources/types.ts';
import type { FieldPath } from '../../base/json-value.ts';
import type { Extra, ExtraFinding } from './extra.types.ts';
import { addressesOf } from './recorded-listener.ts';

interface Socket {
  /** What takes it, for people. */
  readonly owner: string;
  readonly on: string | undefined;
  readonly protocol: 'TCP' | 'UDP';
  readonly address: SocketAddress;
  /** Whether `::` takes IPv4, too. */
  readonly bothFamilies: boolean;
}

/** Sockets of extra listeners that a door or an earlier one of them takes on the same nodes. */
export function takenPorts(extras: readonly Extra[], { doors }: Policy): ExtraFinding[] {
  const taken: Socket[] = doors.map(({ name, on, listen }) => {
    return { owner: `the door "${name}"`, on, protocol: 'TCP', address: listen, bothFamilies: false };
  });
  return extras.flatMap((extra) =>
    socketsOf(extra).flatMap(({ path, ...socket }): ExtraFinding[] => {
      const earlier = taken.find((other) => meet(other, socket));
      taken.push(socket);
      if (earlier === undefined) return [];
      const message = `${socketText(socket.address)} is taken by ${earlier.owner} on ${socketText(earlier.address)}`;
      const place = { source: extra.source, path, at: 'value', code: 'overlap' } as const;
      return [{ ...place, message, remedy: 'take another port' }];
    }),
  );
}

function socketsOf({ source, resource, type, name }: Extra): (Socket & { path: FieldPath })[] {
  if (type !== typeUrls.listener || resource['bind_to_port'] === false) return [];
  return addressesOf(resource).flatMap(({ path, address }) => {
    const { address: host, port_value: value, protocol, ipv4_compat: compat } = address;
    const port = Number(value);
    // Port 0 is whichever the system has left.
    if (typeof host !== 'string' || !Number.isInteger(port) || port === 0) return [];
    const parsed = parseAddress(host);
    const known = 'refused' in parsed ? host : addressText(parsed);
    const owner = `the listener "${name}"`;
    const socket = { owner, on: source.on, address: { host: known, port }, bothFamilies: compat === true };
    return [{ ...socket, protocol: protocol === 'UDP' ? 'UDP' : 'TCP', path: [...path, 'port_value'] }];
  });
}

function meet(a: Socket, b: Socket): boolean {
  const together = a.on === undefined || b.on === undefined || a.on === b.on;
  const wildcard = a.bothFamilies || b.bothFamilies ? 'both-families' : 'one-family';
  return together && a.protocol === b.protocol && collides(a.address, b.address, wildcard);
}
