import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import { encodeControlEvent, type ControlEvent } from '../../wire/control-event.ts';
import { framesOf } from '../journal/frames.ts';
import type { Journal } from '../journal/journal.types.ts';
import { recordEncoder, writeRecord } from '../record/envelope.ts';

/** The sink's end of what the control plane tells of itself. */
export interface ControlIntake {
  /**
   * Stores an event as a record of the kind `control`; resolves when it is on disk. Never waits for room: rejects with limit_exceeded when
   * `waitingBytes` wait already, as nobody is there whom it could hold back, or with what `Journal.append` rejects with.
   */
  take(event: ControlEvent): Promise<void>;
}

export interface ControlIntakeOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** Of records that wait for the disk. Default 1 MiB: thousands of acknowledgements, while a disk is full. */
  readonly waitingBytes?: number;
}

/** Knows no gRPC, and of the control plane nothing but its messages. */
export function controlIntake(options: ControlIntakeOptions): ControlIntake {
  const { journal, clock, waitingBytes = 2 ** 20 } = options;
  let waiting = 0;
  return {
    take: async (event) => {
      const { identity } = event;
      const node = event.actor === 'node' ? (event.nodes[0] ?? '') : '';
      const encoder = recordEncoder({ node, log: '', epoch: 0, kind: 'control', identity });
      const record = encoder.encode(clock.now(), [], encodeControlEvent(event));
      if (waiting + record.length > waitingBytes) throw full(waitingBytes);
      waiting += record.length;
      try {
        await journal.append(framesOf([record], ({ length }) => length, writeRecord));
      } finally {
        waiting -= record.length;
      }
    },
  };
}

function full(bytes: number): SekishoError {
  return new SekishoError(
    'limit_exceeded',
    `${bytes} bytes of records of the control plane wait for the disk; more are not taken until it writes again.`,
  );
}
