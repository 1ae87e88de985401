import { globMatches } from './glob.ts';
import type { FleetNode, NodeGroup, Policy } from './policy.types.ts';

/** A node's place in the fleet. */
export interface Membership {
  readonly group: NodeGroup;
  /** What the policy says of this very node; absent where a pattern admits it. */
  readonly node?: FleetNode;
}

/**
 * The group that a node id belongs to: named in the policy, else by the first pattern that it matches; undefined for a stranger, and for a text
 * that a `*` would swallow although no node id has such characters.
 */
export function memberOf({ fleet }: Policy, id: string): Membership | undefined {
  for (const group of fleet.groups) {
    const node = group.nodes.find((one) => one.id === id);
    if (node) return { group, node };
  }
  if (!/^[a-z0-9.-]+$/.test(id)) return undefined;
  const group = fleet.groups.find(({ pattern }) => pattern !== undefined && globMatches(pattern.match, id));
  return group && { group };
}
