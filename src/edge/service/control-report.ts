import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { ControlReport } from '../../control/history/history.ts';
import type { ControlIntake } from '../../sink/intake/control.ts';
import { controlColumns } from '../../sink/record/control-columns.ts';
import type { ControlEvent } from '../../wire/control-event.ts';

/**
 * Where the acts of the control plane go on record: the sink of this process. Where there is none, and where it cannot take an event, the event
 * goes to the log, whole, and is counted there.
 */
export function controlReport(options: {
  readonly sink: ControlIntake | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
}): ControlReport {
  const { sink, log, metrics } = options;
  const events = metrics.counter({
    name: 'sekisho_control_events_total',
    help: 'Acts of the control plane and answers of nodes, by where they went: record, or log where no sink took them.',
    labels: ['to'],
  });
  const tell = (event: ControlEvent, why?: SekishoError): void => {
    events.add({ to: 'log' });
    const facts = factsOf(event);
    if (why === undefined) log.info('control event', facts);
    else
      log.error('a control event could not be stored; it stands here', { code: why.code, why: why.message, ...facts });
  };
  return (event) => {
    if (sink === undefined) {
      tell(event);
      return;
    }
    sink.take(event).then(
      () => {
        events.add({ to: 'record' });
      },
      (caught: unknown) => {
        tell(event, SekishoError.from(caught));
      },
    );
  };
}

/** By the names that the record would have, less their common beginning. */
function factsOf(event: ControlEvent): Record<string, unknown> {
  const named = controlColumns.map(([name, valueOf]) => [name.replace(prefix, ''), valueOf(event)] as const);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined && value !== ''));
}

const prefix = 'sekisho.control.';
