import { refusalOf } from './machine.ts';
import type { Rollout } from './rollout.ts';
import type { RolloutJson, RolloutState } from './rollout.types.ts';
import { secondsLeft, waitsOf } from './waits.ts';

/** How a rollout stands, for people and scripts; null where the policy has none. */
export function rolloutJson(rollout: Rollout, at: number): RolloutJson | null {
  const { state } = rollout;
  const rules = rollout.wanted.policy.rollout;
  if (rules === undefined) return null;
  const { phase } = state;
  const refusal = refusalOf(state);
  const canaries = rollout.canaries();
  const trial = phase.kind === 'trial' ? phase : undefined;
  const since = refusal?.time ?? (phase.kind === 'steady' ? undefined : phase.since);
  return {
    state: nameOf(state),
    since: since === undefined ? null : new Date(since).toISOString(),
    wanted: state.wanted,
    stable: state.stable,
    canaries: canaries.map(({ id }) => id),
    soak: { seconds: rules.soakSeconds, left: trial ? secondsLeft(trial.soakedMs, rules.soakSeconds) : 0 },
    traffic: trial?.traffic ?? null,
    waits: trial ? waitsOf(trial, { at, canaries, reporting: rollout.reporting }, rules) : [],
    refusal: refusal ? { cause: refusal.cause, text: refusal.text } : null,
  };
}

function nameOf(state: RolloutState): RolloutJson['state'] {
  const { phase } = state;
  switch (phase.kind) {
    case 'trial':
      return phase.paused ? 'paused' : 'canary';
    case 'spreading':
      return 'spreading';
    case 'steady':
      return refusalOf(state) ? 'rolled-back' : 'steady';
  }
}
