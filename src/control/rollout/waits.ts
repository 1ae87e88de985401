import type { RolloutRules } from '../../policy/policy.types.ts';
import { enoughRequests } from './health.ts';
import type { CanaryFacts, RolloutEvent, Trial } from './rollout.types.ts';

export type Looked = Pick<Extract<RolloutEvent, { readonly kind: 'looked' }>, 'at' | 'canaries' | 'reporting'>;

/**
 * For so long a canary node may lack something of what it shall have. Listeners warm up in the time that their routes and certificates take to
 * come, which is milliseconds; Envoy itself would give up on other things after 15 s.
 */
export const warmingMs = 30_000;

/** What a change on trial waits for, one sentence each; nothing where it may go on to all nodes. */
export function waitsOf(trial: Trial, { canaries, reporting }: Looked, rules: RolloutRules): string[] {
  return [...held(trial), ...absent(canaries), ...time(trial, rules), ...traffic(trial, reporting)];
}

function held({ paused }: Trial): string[] {
  return paused ? ['paused: sekisho fleet resume lets it go on'] : [];
}

function absent(canaries: readonly CanaryFacts[]): string[] {
  if (canaries.length === 0) {
    return [`no canary node gets anything new by it, so nobody tries it; name one under rollout.canary, or ${byForce}`];
  }
  return canaries.flatMap(({ id, connected, lacks }) => {
    if (!connected) return [`${id} is not connected`];
    return lacks === undefined ? [] : [`${id} ${lacks}`];
  });
}

function time({ soakedMs }: Trial, { soakSeconds }: RolloutRules): string[] {
  const left = secondsLeft(soakedMs, soakSeconds);
  return left === 0 ? [] : [`the soak: ${left} s left`];
}

function traffic({ traffic: { canary } }: Trial, reporting: boolean): string[] {
  if (!reporting) return [`no traffic is reported to this process, as its sink is another one; ${byForce}`];
  if (canary.requests >= enoughRequests) return [];
  return [`${canary.requests} of ${enoughRequests} answers of the canary nodes; with less traffic, ${byForce}`];
}

const byForce = 'sekisho fleet resume --force gives it to all nodes';

/** Whole seconds that the soak still takes. */
export function secondsLeft(soakedMs: number, soakSeconds: number): number {
  return Math.max(0, Math.ceil(soakSeconds - soakedMs / 1000));
}
