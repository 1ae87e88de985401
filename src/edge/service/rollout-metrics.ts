import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { RolloutState } from '../../control/rollout/rollout.types.ts';

/** Counts what becomes of changes, and says it. */
export function rolloutObserver(metrics: Metrics, log: Log): (before: RolloutState, after: RolloutState) => void {
  const rollouts = metrics.counter({
    name: 'sekisho_rollouts_total',
    help: 'Changes that went to canary nodes first, by what became of them.',
    labels: ['result'],
  });
  const tell = (result: 'begun' | 'promoted' | 'rolled_back'): void => {
    rollouts.add({ result });
  };
  return (before, after) => {
    const refusal = after.refused.at(-1);
    if (refusal !== undefined && !before.refused.includes(refusal)) {
      tell('rolled_back');
      const { id: change, cause, text: why } = refusal;
      log.error('a change was rolled back; all nodes have what they had before', { change, cause, why });
    } else if (
      after.phase.kind === 'trial' &&
      (before.phase.kind !== 'trial' || after.phase.since !== before.phase.since)
    ) {
      tell('begun');
      log.info('a change goes to the canary nodes', { change: after.wanted, instead: after.stable });
    } else if (after.phase.kind === 'spreading' && before.phase.kind !== 'spreading') {
      tell('promoted');
      log.info('a change goes to all nodes', { change: after.stable });
    } else if (before.phase.kind === 'trial' && after.phase.kind === 'steady') {
      log.info('a change was taken back before it had gone on', { change: before.wanted });
    }
  };
}
