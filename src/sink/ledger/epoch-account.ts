import type { GapCause } from '../../wire/gap.ts';
import type { Counters } from './counters.ts';
import type { EpochState, ExpectedLogs } from './ledger.types.ts';
import { LogAccount } from './log-account.ts';
import { OpenGap } from './open-gap.ts';

/** Counters of one moment that wait until what belongs to them has come. */
interface Sample {
  /** By the Envoy's clock. */
  readonly at: number;
  /** By the sink's steady clock. */
  readonly came: number;
  readonly handled: ReadonlyMap<LogAccount, number>;
}

/** Logs of one process. A node that invents more is not believed: what it sends besides is stored, and not compared. */
const mostLogs = 256;
/** Counters that wait; Envoy sends some every 5 s. */
const mostSamples = 16;
/** Counters closer to each other than this tell nothing new. */
const leastApartMs = 500;

/** One run of an Envoy: what it counted, and what is stored of it. */
export class EpochAccount {
  readonly node: string;
  readonly epoch: number;
  readonly logs = new Map<string, LogAccount>();
  /** Prefixes of connection managers that have no logger of ours, and what came by them. */
  readonly unknown = new Map<string, number>();
  /** That the process ended without a farewell. */
  gap: OpenGap | undefined;
  /** By the sink's steady clock: when counters came last, when the first entry came that this sink saw, when a newer process was there. */
  heard: number | undefined;
  firstEntry: number | undefined;
  ended: number | undefined;
  /** The Envoy's clock less the sink's, milliseconds. */
  offset = 0;
  counted = 0;
  farewell = false;
  finished = false;
  #uptime = 0;
  #samples: Sample[] = [];

  constructor(node: string, epoch: number, state?: EpochState) {
    this.node = node;
    this.epoch = epoch;
    if (!state) return;
    ({ counted: this.counted, farewell: this.farewell, finished: this.finished } = state);
    if (state.gap) this.gap = new OpenGap(state.gap, 'told');
    for (const log of state.logs) this.logs.set(log.log, new LogAccount(log.log, log));
  }

  /** The account of a log; undefined where there are too many. */
  log(name: string): LogAccount | undefined {
    const known = this.logs.get(name);
    if (known || this.logs.size >= mostLogs) return known;
    const created = new LogAccount(name);
    this.logs.set(name, created);
    return created;
  }

  /** Takes in counters. `now`: steady; `time`: of day. */
  take(
    counters: Counters,
    expected: ExpectedLogs,
    { now, time }: { readonly now: number; readonly time: number },
  ): void {
    const { at, uptime, http, listenersStopped } = counters;
    if (this.heard !== undefined && now - this.heard < leastApartMs) return;
    this.heard = now;
    this.offset = at - time;
    if (uptime < this.#uptime) for (const log of this.logs.values()) log.restarted();
    this.#uptime = uptime;
    if (at <= this.counted) this.#clockSetBack();
    this.counted = at;
    let active = 0;
    this.unknown.clear();
    for (const [prefix, requests] of http) {
      if (prefix === 'admin' || expected.ignored.has(prefix)) continue;
      active += requests.active;
      const name = expected.byPrefix.get(prefix) ?? (this.logs.has(prefix) ? prefix : undefined);
      if (name !== undefined) this.log(name)?.counted(prefix, requests);
      else if (requests.total > 0 && this.unknown.size < mostLogs) this.unknown.set(prefix, requests.total);
    }
    this.farewell = listenersStopped > 0 && active === 0;
    if (this.#samples.length >= mostSamples) this.#samples.splice(1, 1);
    const handled = new Map(
      [...this.logs.values()].flatMap((log) => (log.handled === undefined ? [] : [[log, log.handled]])),
    );
    this.#samples.push({ at, came: now, handled });
  }

  /** Compares by the last counters that came before `ripe`, a steady time. */
  compare(ripe: number, time: number, cause: (since: number) => GapCause): void {
    let last: Sample | undefined;
    for (let first = this.#samples[0]; first !== undefined && first.came <= ripe; first = this.#samples[0]) {
      last = this.#samples.shift();
    }
    for (const [account, handled] of last?.handled ?? []) account.compare(last?.at ?? 0, handled, time, cause);
  }

  /** There is a newer process, and what this one still had on its way has come: what is not known of its end stays so. */
  finish(time: number, next: number): void {
    if (this.finished || this.#samples.length > 0) return;
    this.finished = true;
    if (this.farewell || this.counted === 0) return;
    const sum = (of: (account: LogAccount) => number) => [...this.logs.values()].reduce((all, one) => all + of(one), 0);
    this.gap = new OpenGap({
      ...{ cause: 'envoy_ended', atLeast: true, missing: sum(({ gap }) => gap?.missing ?? 0) },
      ...{ from: this.counted, to: next, opened: time },
      ...{ handled: sum(({ handled = 0 }) => handled), stored: sum(({ stored }) => stored) },
    });
  }

  state(): EpochState {
    const { node, epoch, counted, farewell, finished } = this;
    const logs = [...this.logs.values()].map((log) => log.state());
    const gap = this.gap?.as('changed');
    return { node, epoch, counted, farewell, finished, logs, ...(gap && { gap }) };
  }

  #clockSetBack(): void {
    this.#samples = [];
    for (const log of this.logs.values()) log.clockSetBack();
  }
}
