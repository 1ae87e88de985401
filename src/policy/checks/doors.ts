import type { Draft, DraftDoor, Item } from '../draft.ts';
import { items } from '../draft.ts';
import { type Finding, finding, type Path, pathText } from '../problem.ts';
import { collides, isLoopback, socketText } from '../socket-address.ts';
import { didYouMean } from '../suggest.ts';
import { checkDirectDoors } from './direct-doors.ts';

/** Doors that do not go with each other, with the fleet or with themselves. */
export function checkDoors(draft: Draft): Finding[] {
  const doors = items(draft.doors);
  return [
    ...duplicateNames(doors),
    ...unknownGroups(draft, doors),
    ...takenPorts(doors),
    ...doors.flatMap(exposed),
    ...doors.flatMap(certificateWithoutTls),
    ...doors.flatMap(passwordsInTheOpen),
    ...checkDirectDoors(draft, doors),
  ];
}

function duplicateNames(doors: readonly Item<DraftDoor>[]): Finding[] {
  const first = new Map<string, number>();
  return doors.flatMap(({ value: { name }, index }) => {
    if (name === undefined) return [];
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, index);
      return [];
    }
    const message = `"${name}" is the name of ${pathText(['doors', earlier])}, too`;
    return [finding('duplicate', ['doors', index, 'name'], message, 'give each door its own name')];
  });
}

function unknownGroups(draft: Draft, doors: readonly Item<DraftDoor>[]): Finding[] {
  const nodes = draft.fleet?.nodes;
  // Without a readable map of groups every name would be unknown, which is not what is wrong.
  if (nodes === undefined) return [];
  const groups = Object.keys(nodes);
  return doors.flatMap(({ value: { on }, index }) => {
    if (on === undefined || groups.includes(on)) return [];
    const remedy = groups.length === 0 ? 'add the group to fleet.nodes' : didYouMean(on, groups);
    return [finding('unknown-name', ['doors', index, 'on'], `fleet.nodes has no group "${on}"`, remedy)];
  });
}

function takenPorts(doors: readonly Item<DraftDoor>[]): Finding[] {
  return doors.flatMap(({ value: door, index }, position) => {
    const { listen, on } = door;
    if (listen === undefined || on === undefined) return [];
    const earlier = doors
      .slice(0, position)
      .find(
        ({ value }) => value.on === on && value.listen !== undefined && collides(value.listen, listen, 'one-family'),
      );
    if (earlier?.value.listen === undefined) return [];
    const other = `${pathText(['doors', earlier.index])} on ${socketText(earlier.value.listen)}`;
    const message = `${socketText(listen)} is taken on the nodes of "${on}" by ${other}`;
    return [finding('overlap', ['doors', index, 'listen'], message, 'take another port')];
  });
}

/** Whoever reaches such a door is let through by name of nobody; somebody has to answer for that. */
function exposed({ value: door, index }: Item<DraftDoor>): Finding[] {
  const { listen, users, reason } = door;
  if (users !== 'none' || listen === undefined || isLoopback(listen) || reason !== undefined) return [];
  return [
    finding(
      'exposed',
      ['doors', index, 'users'],
      `a door on ${socketText(listen)} lets people in without a name`,
      'add reason: "…" that says why, ask for a certificate, or listen on loopback',
    ),
  ];
}

function certificateWithoutTls({ value: door, index }: Item<DraftDoor>): Finding[] {
  const { kind, users, tls, inspect } = door;
  if (users === undefined || users === 'none' || 'basic' in users) return [];
  const path: Path = ['doors', index, 'users'];
  if (kind === 'sidecar') {
    const message = 'a sidecar has processes of its own host for users, and they show no certificate';
    return [finding('conflict', path, message, 'write users: none')];
  }
  if (kind === 'reverse' && inspect === 'tunnel') {
    const message = 'people show their certificate to whoever ends TLS, and that is not this door';
    return [finding('conflict', path, message, 'write inspect: full, or users: none')];
  }
  if (kind !== 'forward' || tls !== false) return [];
  return [finding('conflict', path, 'people can only show a certificate to a door that speaks TLS', 'add tls: true')];
}

/** Basic sends the password with every tunnel, and only a proxy asks for it. */
function passwordsInTheOpen({ value: door, index }: Item<DraftDoor>): Finding[] {
  const { kind, users, tls, listen } = door;
  if (users === undefined || users === 'none' || !('basic' in users)) return [];
  const path: Path = ['doors', index, 'users'];
  if (kind === 'reverse' || kind === 'sidecar') {
    const message = `browsers show a password to a proxy, and a ${kind} door is none`;
    const remedy = kind === 'reverse' ? 'write users: {certificate: FILE}, or users: none' : 'write users: none';
    return [finding('conflict', path, message, remedy)];
  }
  if (tls !== false || listen === undefined || isLoopback(listen)) return [];
  const message = `passwords would cross the network to ${socketText(listen)} in plain text`;
  return [finding('exposed', path, message, 'add tls: true, or listen on loopback')];
}
