import type { Policy } from '../../policy/policy.types.ts';
import type { ControlFacts } from '../history/history.ts';
import type { RolloutChange } from './rollout.ts';

/** What became of a change, as an act for the record; undefined for what is none, such as a soak that goes on. */
export function actOf({ before, after, event, nodes }: RolloutChange, policy: Policy): ControlFacts | undefined {
  const by =
    'operator' in event
      ? ({ actor: 'operator', operator: event.operator } as const)
      : ({ actor: event.kind === 'wanted' ? 'policy' : 'rollout' } as const);
  const common = { ...by, nodes, policy: policy.file, policySha256: policy.sha256 };
  const refusal = after.refused.at(-1);
  if (refusal !== undefined && !before.refused.includes(refusal)) {
    return { act: 'rolled_back', text: `${refusal.cause}: ${refusal.text}`, ...common };
  }
  if (after.phase.kind === 'spreading' && before.phase.kind !== 'spreading') return { act: 'promoted', ...common };
  if (event.kind === 'pause') return { act: 'paused', ...common };
  return event.kind === 'resume' ? { act: 'resumed', ...common } : undefined;
}
