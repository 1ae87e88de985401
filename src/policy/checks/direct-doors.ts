import { isIP } from 'node:net';
import type { Draft, DraftDoor, Item } from '../draft.ts';
import { namedNodes, patternGroups } from '../draft.ts';
import { type Finding, finding } from '../problem.ts';
import { isLoopback, isUnspecified, socketText } from '../socket-address.ts';

/** What is wrong with doors at which people arrive without a proxy: reverse doors and sidecars. */
export function checkDirectDoors(draft: Draft, doors: readonly Item<DraftDoor>[]): Finding[] {
  return [
    ...doors.flatMap(tlsOfNoProxy),
    ...doors.flatMap(sidecarAbroad),
    ...reverseWithoutResolvers(draft, doors),
    ...doors.flatMap((door) => unknownAddress(draft, door)),
  ];
}

/** A reverse door is the console, a sidecar is nobody: there is no proxy to speak TLS with. */
function tlsOfNoProxy({ value: { kind, tls }, index }: Item<DraftDoor>): Finding[] {
  if (tls !== true || kind === undefined || kind === 'forward') return [];
  const message = `tls: is about the proxy itself, and a ${kind} door is none`;
  return [finding('conflict', ['doors', index, 'tls'], message, 'remove it; people meet the console CA there anyway')];
}

/** What nftables redirects on a host arrives over loopback; on another address anybody could use the door as a way out. */
function sidecarAbroad({ value: { kind, listen }, index }: Item<DraftDoor>): Finding[] {
  if (kind !== 'sidecar' || listen === undefined || isLoopback(listen)) return [];
  const message = `a sidecar takes what its own host sends, but ${socketText(listen)} is open to others`;
  return [finding('exposed', ['doors', index, 'listen'], message, `listen on 127.0.0.1:${listen.port}`)];
}

/** The names of the console lead to a reverse door itself; Envoy must ask somebody else for the way. */
function reverseWithoutResolvers({ console: rules }: Draft, doors: readonly Item<DraftDoor>[]): Finding[] {
  if (rules?.resolvers === undefined || rules.resolvers.length > 0) return [];
  return doors
    .filter(({ value: { kind } }) => kind === 'reverse')
    .map(({ index }) => {
      const message = "its own DNS may lead the console's names back to this door";
      const remedy = 'add console.resolvers: DNS servers that know the public addresses';
      return finding('loop', ['doors', index, 'kind'], message, remedy);
    });
}

/**
 * Envoy never dials an address that the policy names as a node's or a door's. A door that decrypts stops a loop by itself, for Envoy does not trust
 * the console CA; one that does not would dial itself until the host has no sockets left, so all its addresses must be known.
 */
function unknownAddress(draft: Draft, { value: { kind, inspect, listen, on }, index }: Item<DraftDoor>): Finding[] {
  if (kind !== 'reverse' || inspect !== 'tunnel' || listen === undefined || !isUnspecified(listen)) return [];
  const nameless = namedNodes(draft).find(({ group, address }) => group === on && isIP(address ?? '') === 0);
  const pattern = patternGroups(draft).find(({ group }) => group === on);
  if (nameless === undefined && pattern === undefined) return [];
  const who = nameless === undefined ? `the nodes of "${on ?? ''}"` : `node ${nameless.id ?? ''}`;
  const message = `what this door passes on could come back to it, for the policy has no IP address of ${who}`;
  const remedy = 'listen on one address, or give each node of the group its IP address';
  return [finding('loop', ['doors', index, 'listen'], message, remedy)];
}
