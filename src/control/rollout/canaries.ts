import { createHash } from 'node:crypto';
import { globMatches } from '../../policy/glob.ts';
import type { Fleet, NodeGroup, RolloutRules } from '../../policy/policy.types.ts';

/**
 * Whether a node gets a change first. Of a group of named nodes that share is taken, rounded up, whose ids have the lowest hashes; where a pattern
 * admits nodes nobody knows how many will come, so each is taken or not by its own hash. So the same nodes are chosen after a restart, and by
 * every control plane.
 */
export function canaryOf({ groups }: Fleet, canary: RolloutRules['canary'] | undefined): (id: string) => boolean {
  if (canary === undefined) return () => false;
  if ('nodes' in canary) {
    const named = new Set(canary.nodes);
    return (id) => named.has(id);
  }
  const share = canary.percent / 100;
  const named = new Set(groups.flatMap((group) => lowest(group, share)));
  return (id) => named.has(id) || (admitted(groups, id) && placeOf(id) < share);
}

function lowest({ nodes }: NodeGroup, share: number): string[] {
  const placed = nodes.map(({ id }) => ({ id, place: placeOf(id) })).sort((a, b) => a.place - b.place);
  return placed.slice(0, Math.ceil(placed.length * share)).map(({ id }) => id);
}

function admitted(groups: readonly NodeGroup[], id: string): boolean {
  return groups.some(({ pattern }) => pattern !== undefined && globMatches(pattern.match, id));
}

/** From 0 up to, not including, 1; evenly spread over all ids. */
function placeOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) / 2 ** 32;
}
