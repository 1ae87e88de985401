import type { Clock } from '../../base/clock.ts';
import type { GapCause } from '../../wire/gap.ts';
import type { Counters } from './counters.ts';
import { EpochAccount } from './epoch-account.ts';
import type { ExpectedLogs, GapReport, LedgerState } from './ledger.types.ts';
import { OpenGap } from './open-gap.ts';
import type { JournalCount } from './recount.ts';

export interface LedgerOptions {
  /** The time of day, and one for durations. */
  readonly clock: Clock;
  readonly steady: Clock;
  /** The logs that the policies in force have at a node. */
  readonly expected: (node: string) => ExpectedLogs;
  /** Whether the sink itself holds entries back, because its disk takes nothing. */
  readonly heldBack: () => boolean;
  /** Takes a gap, for the record. Must be quick and must not throw. */
  readonly report: (gap: GapReport) => void;
}

/** How long what belongs to counters may be on its way: two of Envoy's flush intervals. */
const settleMs = 10_000;
/** After a start of the sink: Envoys that could not reach it try again every 10 s at the least, and bring what they kept. */
const startMs = 15_000;
/** How long a run of an Envoy is remembered that has ended: a daily review sees it (PCI DSS 10.4.1). */
const rememberedMs = 86_400_000;
/** Runs of one node. One that restarts all the time does not fill the memory. */
const mostEpochs = 8;

/**
 * What Envoys say that they handled, against what is stored of it: a difference is a gap. Each run of a node has an account of its own, and each log
 * in it.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #nodes = new Map<string, EpochAccount[]>();
  readonly #beganAt: number;
  #held: number;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#beganAt = options.clock.now();
    this.#held = options.steady.now() + startMs - settleMs;
  }

  /** Every run that is remembered, by node, the newest last. */
  *epochs(): Generator<EpochAccount> {
    for (const epochs of this.#nodes.values()) yield* epochs;
  }

  /** An outcome came. `end`: see `endOf`; `stored` false: it was counted, and its record comes later. */
  count(node: string, epoch: number, log: string, end: number, stored: boolean): void {
    const account = this.#epoch(node, epoch);
    account.firstEntry ??= this.#options.steady.now();
    account.log(log)?.count(Math.min(end, this.#options.clock.now() + account.offset + futureMs), stored);
  }

  /** What was counted without being stored has its records now. */
  tallied(): void {
    for (const epoch of this.epochs()) for (const log of epoch.logs.values()) log.tallied();
  }

  /** An Envoy says what it has handled so far. */
  take(node: string, epoch: number, counters: Counters): void {
    const { steady, clock, expected } = this.#options;
    this.#epoch(node, epoch).take(counters, expected(node), { now: steady.now(), time: clock.now() });
  }

  /** Takes over what was known before the start, and what the journal holds of later. To be called first. */
  restore(state: LedgerState | undefined, counted: JournalCount): void {
    for (const known of state?.epochs ?? []) {
      const epochs = [...(this.#nodes.get(known.node) ?? []), new EpochAccount(known.node, known.epoch, known)];
      this.#nodes.set(known.node, epochs.sort(byEpoch));
    }
    for (const { node, epoch, log, count } of counted.outcomes) this.#epoch(node, epoch).log(log)?.recount(count);
    for (const { node, epoch, log, ...gap } of counted.gaps) {
      const account = this.#epoch(node, epoch);
      const open = gap.state === 'closed' ? undefined : new OpenGap(gap, 'told');
      if (log === '') [account.gap, account.finished] = [open, true];
      const of = log === '' ? undefined : account.log(log);
      if (of) of.gap = open;
    }
    for (const [node, epochs] of this.#nodes) this.#outdate(node, epochs);
  }

  /** Compares what has come to rest, and reports what there is to report. To be called every second or so. */
  tick(): void {
    const { steady, clock, heldBack, report } = this.#options;
    const now = steady.now();
    const time = clock.now();
    if (heldBack()) this.#held = Math.max(this.#held, now);
    if (now - this.#held < settleMs) return;
    const cause = (since: number): GapCause => (since < this.#beganAt ? 'sink_restarted' : 'unknown');
    for (const [node, epochs] of this.#nodes) {
      for (const [index, account] of epochs.entries()) {
        account.compare(now - settleMs, time, cause);
        const next = epochs[index + 1];
        if (account.ended !== undefined && next && now - account.ended >= settleMs) account.finish(time, next.epoch);
        const { epoch, gap } = account;
        const whole = gap?.news(time);
        if (whole) report({ node, epoch, log: '', ...whole });
        for (const { log, gap: missing } of account.logs.values()) {
          const news = missing?.news(time);
          if (news) report({ node, epoch, log, ...news });
        }
        for (const log of account.logs.values()) if (log.gap?.missing === 0) log.gap = undefined;
      }
      this.#forget(node, epochs, now);
    }
  }

  /** What a later start needs, with all that was counted so far and is in the journal, but for the index. */
  state(): Omit<LedgerState, 'next'> {
    return { epochs: [...this.epochs()].map((epoch) => epoch.state()) };
  }

  #epoch(node: string, epoch: number): EpochAccount {
    const epochs = this.#nodes.get(node) ?? [];
    const known = epochs.find((one) => one.epoch === epoch);
    if (known) return known;
    const created = new EpochAccount(node, epoch);
    const sorted = [...epochs, created].sort(byEpoch);
    this.#nodes.set(node, sorted);
    this.#outdate(node, sorted);
    return created;
  }

  /** All but the newest have ended. */
  #outdate(node: string, epochs: readonly EpochAccount[]): void {
    const now = this.#options.steady.now();
    for (const one of epochs.slice(0, -1)) one.ended ??= now;
    if (epochs.length > mostEpochs) this.#nodes.set(node, epochs.slice(-mostEpochs));
  }

  #forget(node: string, epochs: readonly EpochAccount[], now: number): void {
    const kept = epochs.filter(({ ended = now }) => now - ended < rememberedMs);
    if (kept.length < epochs.length) this.#nodes.set(node, kept);
  }
}

/** An entry of a clock that runs ahead, or was set back since, has ended by now. */
const futureMs = 1_000;

function byEpoch(a: EpochAccount, b: EpochAccount): number {
  return a.epoch - b.epoch;
}
