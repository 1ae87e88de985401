import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { FollowerObserver } from '../../sink/outputs/follower.ts';
import type { Lag } from '../../sink/outputs/lag.ts';

/** How far the outputs are behind, and what happens to them. Records are safe in the journal meanwhile, so none of it is an obstacle. */
export function outputObserver(
  metrics: Metrics,
  log: Log,
  lags: () => Iterable<readonly [name: string, lag: Lag]>,
): (output: string) => FollowerObserver {
  const labels = ['output'] as const;
  const lines = metrics.counter({ name: 'sekisho_output_records_total', help: 'Lines written to an output.', labels });
  const failing = metrics.gauge({
    name: 'sekisho_output_failing',
    help: 'Whether an output takes nothing at present.',
    labels,
  });
  const each = (value: (lag: Lag) => number) => [...lags()].map(([output, lag]) => [{ output }, value(lag)] as const);
  metrics.gaugesOf({ name: 'sekisho_output_lag_records', help: 'Records that an output lacks.', labels }, () =>
    each(({ records }) => records),
  );
  metrics.gaugesOf(
    { name: 'sekisho_output_lag_seconds', help: 'Age of the oldest record that an output lacks.', labels },
    () => each(({ seconds }) => seconds),
  );
  return (output) => {
    failing.set({ output }, 0);
    return {
      wrote: (count) => {
        lines.add({ output }, count);
      },
      failing: (error) => {
        failing.set({ output }, 1);
        log.error('an output fails; its records wait in the journal', { output, code: error.code, why: error.message });
      },
      recovered: () => {
        failing.set({ output }, 0);
        log.info('an output works again', { output });
      },
      restarted: (facts) => {
        log.warn('the cursor of an output is not of this journal; it begins with the oldest record', {
          output,
          ...facts,
        });
      },
      ended: () => {
        failing.forget({ output });
      },
    };
  };
}
