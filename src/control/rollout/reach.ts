import type { Policy } from '../../policy/policy.types.ts';
import type { Plan } from '../plan.ts';

/** A policy and what comes of it. */
export interface Revision {
  readonly id: string;
  readonly policy: Policy;
  readonly plan: Plan;
}

/** Whether a node that both policies know would get anything else by the one than by the other, certificates that are only renewed aside. */
export function differsFor(node: string, fit: boolean, a: Revision, b: Revision): boolean {
  const [here, there] = [a, b].map(({ plan }) => contentFor(plan, node, fit));
  return here !== undefined && there !== undefined && here !== there;
}

/**
 * Whether any node that runs `before` would get anything else by `after`. A node that only one of them knows is none of a rollout's: it has nothing yet, or
 * shall have nothing more.
 */
export function changes(before: Revision, after: Revision): boolean {
  return before.policy.fleet.groups.some(({ name, nodes, pattern }) => {
    if (nodes.some(({ id }) => differsFor(id, true, before, after))) return true;
    if (pattern === undefined) return false;
    const same = after.policy.fleet.groups.find((group) => group.pattern?.match === pattern.match);
    // Nobody knows which ids will come under another pattern, so some may.
    return same === undefined || before.plan.contentOf(name) !== after.plan.contentOf(same.name);
  });
}

function contentFor(plan: Plan, node: string, fit: boolean): string | undefined {
  const key = plan.keyOf(node, fit);
  return key === undefined ? undefined : plan.contentOf(key);
}
