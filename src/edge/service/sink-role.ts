import path from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import { memberOf } from '../../policy/membership.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { alsStream } from '../../sink/intake/als.ts';
import { controlIntake, type ControlIntake } from '../../sink/intake/control.ts';
import { gateIntake } from '../../sink/intake/gate.ts';
import { receiptsIntake } from '../../sink/intake/receipts.ts';
import { recallEntries } from '../../sink/intake/recall-entries.ts';
import { RefusalTally } from '../../sink/intake/refusal-tally.ts';
import { SeenEntries } from '../../sink/intake/seen-entries.ts';
import { TrafficMeter } from '../../sink/intake/traffic.ts';
import { Outputs } from '../../sink/outputs/outputs.ts';
import { openJournal } from '../../sink/journal/journal.ts';
import type { LedgerJson } from '../../sink/ledger/ledger.types.ts';
import type { JournalObserver } from '../../sink/journal/journal.types.ts';
import { Pulse } from '../../sink/journal/pulse.ts';
import { redactionRules } from '../../sink/record/redaction-rules.ts';
import { alsService } from '../grpc/als.ts';
import type { EntryOrigin } from '../../sink/intake/log-source.ts';
import { endOf } from '../../sink/ledger/outcome.ts';
import { metricsService } from '../grpc/metrics-service.ts';
import { callerOf } from '../grpc/caller.ts';
import { readerOf } from '../grpc/reader.ts';
import { receiptsService } from '../grpc/receipts.ts';
import { recordsService } from '../grpc/records.ts';
import type { GrpcService } from '../grpc/grpc-service.types.ts';
import { intakeObserver } from './intake-metrics.ts';
import { outputObserver } from './output-metrics.ts';
import type { Obstacles } from './readiness.ts';
import { recordsObserver, showLags } from './records-metrics.ts';
import { ledgerFile, openLedger } from './ledger-role.ts';
import { openUsers } from './users-role.ts';

export interface SinkRole extends ControlIntake {
  readonly services: readonly GrpcService[];
  /** What Envoys handled against what is stored of it. */
  ledger(): LedgerJson;
  /** Goes on by the rules of this policy. */
  adopt(policy: Policy): void;
  /** Ends the calls of readers; they come back to whoever is there then. */
  finish(): void;
  /** Writes what was accepted, then lets go of the journal. */
  close(): Promise<void>;
}

/** An access log stream is never acknowledged, so nobody waits for the disk; it is 1 s behind by its own buffer anyway. */
const lingerMs = 5;

/** Envoys send entries about every second. */
const reportMs = 1_000;

/** The folder of the journal inside the data folder. */
export function journalFolder(data: string): string {
  return path.join(data, 'journal');
}

/** WAY 2 as a part of the running service: what Envoys send becomes records in the journal. */
export async function openSink(options: {
  readonly data: string;
  readonly policy: Policy;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly obstacles: Obstacles;
  /** Policies by which nodes may have doors besides the sink's own, while a change is on its way to them. */
  readonly inForce: () => readonly Policy[];
  /** Takes a sekisho.v1.TrafficReport about every second; absent where nobody wants any. */
  readonly report?: ((traffic: Buffer) => void) | undefined;
}): Promise<SinkRole> {
  const { log, metrics, report } = options;
  let policy = options.policy;
  const policies = (): readonly [Policy, ...Policy[]] => [policy, ...options.inForce()];
  let rules = redactionRules(policy.record.redactQuery);
  const dir = journalFolder(options.data);
  const pulse = new Pulse();
  const watched = journalObserver(options);
  const journal = await openJournal({
    dir,
    disk: realDisk,
    lingerMs,
    observer: {
      ...watched,
      committed: (batch) => {
        watched.committed?.(batch);
        outputs.grown();
        pulse.beat();
      },
    },
  });
  const followed = { dir, disk: realDisk, nextIndex: () => journal.nextIndex, pulse };
  const outputs: Outputs = new Outputs({
    cursors: path.join(options.data, 'outputs'),
    disk: realDisk,
    clock: systemClock,
    journal: followed,
    observe: outputObserver(metrics, log, () => outputs.lags()),
  });
  await outputs.adopt(policy.outputs);
  metrics.gaugeOf(
    { name: 'sekisho_journal_queued_bytes', help: 'Bytes accepted and not yet on disk.' },
    () => journal.queuedBytes,
  );
  metrics.gaugeOf(
    { name: 'sekisho_journal_next_index', help: 'Index that the next record gets.' },
    () => journal.nextIndex,
  );
  log.info('journal open', { dir, records: journal.nextIndex });

  const book = await openLedger({ ...{ dir, journal, policies, log, metrics }, file: ledgerFile(options.data) });
  const { ledger } = book;

  // As long as any node may send two copies of its entries.
  let seen = policies().some(({ record }) => record.assurance !== 'stream') ? new SeenEntries() : undefined;
  if (seen) await recallEntries({ ...followed, into: seen });
  const observer = intakeObserver(metrics, log);
  const refusals = new RefusalTally({
    journal,
    rules: () => policy.record.refusals,
    taken: () => {
      ledger.tallied();
    },
    lost: (records, caught) => {
      log.error('counts of refusals were not stored', { records, why: SekishoError.from(caught).message });
    },
  });
  const traffic = new TrafficMeter(systemClock.now());
  const reporting =
    report &&
    setInterval(() => {
      report(traffic.report(systemClock.now()));
    }, reportMs);
  const admits = (node: string): boolean => policies().some((one) => memberOf(one, node) !== undefined);
  const entryRules = {
    admits,
    rules: () => rules,
    clock: systemClock,
    refusals,
    observer,
    seen: () => seen,
    assurance: () => policy.record.assurance,
    outcomes: {
      count: ({ node, epoch, log: name, kind }: EntryOrigin, entry: Buffer, stored: boolean) => {
        const end = kind === 'http' ? endOf(entry) : undefined;
        if (end !== undefined) ledger.count(node, epoch, name, end, stored);
      },
    },
    ...(report && { traffic }),
  };
  const als = alsService({
    journal,
    identify: (call) => callerOf(call, policy.fleet.name),
    open: (caller) => alsStream({ identity: caller, ...entryRules }),
    failed: (caught, peer) => {
      const error = SekishoError.from(caught);
      observer.streamRefused(error.code);
      log.warn('an access-log stream was refused', { peer, code: error.code, why: error.message });
    },
  });
  const counters = metricsService({
    identify: (call) => callerOf(call, policy.fleet.name),
    admits,
    take: (node, epoch, said) => {
      ledger.take(node, epoch, said);
    },
    failed: (caught, peer) => {
      const error = SekishoError.from(caught);
      log.warn('a metrics stream was refused', { peer, code: error.code, why: error.message });
    },
  });
  const receipts = receiptsService({
    journal,
    identify: (call) => callerOf(call, policy.fleet.name),
    intake: receiptsIntake({ ...entryRules, observer: { ...observer, message: observer.receipts } }),
    failed: (caught, peer) => {
      const error = SekishoError.from(caught);
      observer.receiptsRefused(error.code);
      if (error.code !== 'limit_exceeded')
        log.warn('receipts were refused', { peer, code: error.code, why: error.message });
    },
  });
  const records = recordsService({
    journal: followed,
    identify: (call) => readerOf(call, policy.fleet.name),
    clock: systemClock,
    observer: recordsObserver(metrics, log),
  });
  showLags(metrics, () => records.lags());
  const gate = gateIntake({ journal, rules: () => rules, clock: systemClock });
  const users = openUsers({ policies, gate, log, metrics });
  return {
    ...controlIntake({ journal, clock: systemClock }),
    services: [als, receipts, counters, records, users.service],
    ledger: () => book.json(),
    adopt: (next) => {
      policy = next;
      rules = redactionRules(next.record.redactQuery);
      if (next.record.assurance !== 'stream') seen ??= new SeenEntries();
      void outputs.adopt(next.outputs);
    },
    finish: () => {
      records.close();
    },
    close: async () => {
      clearInterval(reporting);
      await users.close();
      const counted = refusals.close();
      await book.close();
      await journal.close();
      await book.closed();
      await counted;
      await outputs.close();
    },
  };
}

function journalObserver({
  log,
  metrics,
  obstacles,
}: {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly obstacles: Obstacles;
}): JournalObserver {
  const frames = metrics.counter({ name: 'sekisho_journal_records_total', help: 'Records on disk since the start.' });
  const bytes = metrics.counter({
    name: 'sekisho_journal_bytes_total',
    help: 'Bytes of records on disk since the start.',
  });
  const commits = metrics.histogram({
    name: 'sekisho_journal_commit_seconds',
    help: 'Time of a group commit, fdatasync included.',
  });
  const corrupt = metrics.counter({
    name: 'sekisho_journal_corrupt_total',
    help: 'Damaged places found in the journal.',
  });
  return {
    committed: (batch) => {
      frames.add({}, batch.frames);
      bytes.add({}, batch.bytes);
      commits.observe({}, batch.seconds);
    },
    torn: (tail) => {
      log.warn('the journal ended in a batch that was never acknowledged; it was cut', { ...tail });
    },
    corrupt: (place) => {
      corrupt.add({});
      log.error('a part of the journal is damaged; it stays as it is, restore the segment from a copy', { ...place });
    },
    failing: (error) => {
      log.error('the journal cannot write; Envoys are held back until it can', {
        code: error.code,
        why: error.message,
      });
      obstacles.set('journal', error.message);
    },
    recovered: () => {
      log.info('the journal writes again');
      obstacles.set('journal', undefined);
    },
    segmentOpened: (segment) => {
      log.debug('segment opened', { ...segment });
    },
  };
}
