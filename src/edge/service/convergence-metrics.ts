import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import { Convergence, outcomes } from '../../control/fleet/convergence.ts';

/** In seconds: from a change that reaches two nodes next door to one that waits for the slowest of thousands. */
const buckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** Follows each change to its last ACK. */
export function convergenceMetrics(metrics: Metrics, clock: Clock): Convergence {
  const seconds = metrics.histogram({
    name: 'sekisho_xds_convergence_seconds',
    help: 'Time from a change until the last connected node that was to get it had acknowledged it.',
    buckets,
  });
  const changes = metrics.counter({
    name: 'sekisho_xds_changes_total',
    help: 'Changes of what connected nodes shall have, by how they ended.',
    labels: ['outcome'],
  });
  for (const outcome of outcomes) changes.add({ outcome }, 0);
  return new Convergence(clock, (outcome, ms) => {
    changes.add({ outcome });
    if (outcome === 'acknowledged') seconds.observe({}, ms / 1000);
  });
}
