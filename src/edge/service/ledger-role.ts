import path from 'node:path';
import { steadyClock, systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { framesOf, noFrames } from '../../sink/journal/frames.ts';
import type { Journal } from '../../sink/journal/journal.types.ts';
import { readBatches } from '../../sink/journal/reader.ts';
import { checkpoint } from '../../sink/ledger/checkpoint.ts';
import { Ledger } from '../../sink/ledger/ledger.ts';
import type { GapReport, LedgerJson } from '../../sink/ledger/ledger.types.ts';
import { Recount } from '../../sink/ledger/recount.ts';
import { ledgerJson } from '../../sink/ledger/show.ts';
import { recordEncoder, writeRecord } from '../../sink/record/envelope.ts';
import { encodeGap } from '../../wire/gap.ts';
import { expectedLogs } from './expected-logs.ts';
import { ledgerMetrics } from './ledger-metrics.ts';

export interface LedgerRole {
  readonly ledger: Ledger;
  json(): LedgerJson;
  /** Writes down what a later start need not count again. To be called when nothing more comes and before the journal closes. */
  close(): Promise<void>;
  /** To be called when the journal is closed. */
  closed(): Promise<void>;
}

const tickMs = 1_000;
/** What a start has to count is at most what came in so many milliseconds. */
const checkpointMs = 60_000;

/** The ledger as a part of the running service: it knows the journal, compares every second, and writes gaps down. */
export async function openLedger(options: {
  readonly file: string;
  readonly dir: string;
  readonly journal: Journal;
  readonly policies: () => readonly Policy[];
  readonly log: Log;
  readonly metrics: Metrics;
}): Promise<LedgerRole> {
  const { file, dir, journal, log } = options;
  const saved = checkpoint(file, realDisk);
  const report = (gap: GapReport): void => {
    const { node, epoch, log: name, state, missing, cause } = gap;
    const facts = { node, epoch, log: name, missing, cause };
    if (state === 'closed') log.info('a gap is closed: everything that was missing has come', facts);
    else log.error('records are missing', facts);
    const encoder = recordEncoder({ node, log: name, epoch, kind: 'gap', identity: 'self' });
    const record = encoder.encode(systemClock.now(), [], encodeGap(gap));
    journal.append(framesOf([record], ({ length }) => length, writeRecord)).catch((caught: unknown) => {
      log.error('a gap was not stored', { ...facts, why: SekishoError.from(caught).message });
    });
  };
  const ledger = new Ledger({
    clock: systemClock,
    steady: steadyClock,
    expected: expectedLogs(options.policies),
    heldBack: () => !journal.hasRoom(),
    report,
  });
  await restore();
  ledgerMetrics(options.metrics, () => json());

  async function restore(): Promise<void> {
    const found = await saved.read();
    const state = found && found.next <= journal.nextIndex ? found : undefined;
    const recount = new Recount();
    const from = state?.next ?? 0;
    // Damage is told by the journal itself; here its records are missing.
    for await (const frames of readBatches({ dir, disk: realDisk, from, onCorrupt: () => undefined })) {
      for (const { payload } of frames) recount.add(payload);
    }
    ledger.restore(state, recount.result());
    log.info('ledger open', { from, to: journal.nextIndex });
  }

  /** What was counted by now and where it ends in the journal belong together; it is written when that is on disk. */
  async function snapshot(): Promise<() => Promise<void>> {
    const state = ledger.state();
    const next = await journal.append(noFrames);
    return async () => {
      if (journal.nextIndex >= next) await saved.write({ next, ...state });
    };
  }

  function failed(caught: unknown): void {
    log.warn('the checkpoint of the ledger was not written; the next start counts more of the journal', {
      why: SekishoError.from(caught).message,
    });
  }

  function json(): LedgerJson {
    return ledgerJson(ledger.epochs(), steadyClock.now());
  }

  let waiting: (() => Promise<void>) | undefined;
  const ticking = setInterval(() => {
    ledger.tick();
  }, tickMs);
  const saving = setInterval(() => {
    const write = waiting;
    waiting = undefined;
    Promise.all([write?.(), snapshot()])
      .then(([, next]) => (waiting = next))
      .catch(failed);
  }, checkpointMs);
  return {
    ledger,
    json,
    close: async () => {
      clearInterval(ticking);
      clearInterval(saving);
      waiting = await snapshot();
    },
    closed: () => waiting?.().catch(failed) ?? Promise.resolve(),
  };
}

/** Where the checkpoint lies in the data folder. */
export function ledgerFile(data: string): string {
  return path.join(data, 'ledger', 'checkpoint.json');
}
