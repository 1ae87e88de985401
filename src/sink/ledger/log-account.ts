import type { GapCause } from '../../wire/gap.ts';
import type { Requests } from './counters.ts';
import { Handled } from './handled.ts';
import type { LogState } from './ledger.types.ts';
import { OpenGap } from './open-gap.ts';
import { Outcomes } from './outcomes.ts';

/** Milliseconds by which an end may be written later than Envoy counted it. */
const skewMs = 50;

/** What one run of an Envoy counted for one log, against what is stored of it. */
export class LogAccount {
  readonly log: string;
  gap: OpenGap | undefined;
  readonly #outcomes: Outcomes;
  readonly #handled = new Map<string, Handled>();
  /** Outcomes that are in memory alone: refusals that were counted and wait for their record. */
  #pending = 0;
  #clean = 0;

  constructor(log: string, state?: LogState) {
    this.log = log;
    this.#outcomes = new Outcomes(state?.stored);
    this.#clean = state?.clean ?? 0;
    if (state?.gap) this.gap = new OpenGap(state.gap, 'told');
    for (const one of state?.handled ?? []) this.#handled.set(one.prefix, new Handled(one.prefix, one));
  }

  get stored(): number {
    return this.#outcomes.total;
  }

  /** By the last counters; undefined before the first. */
  get handled(): number | undefined {
    if (this.#handled.size === 0) return undefined;
    return [...this.#handled.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** An outcome came. `end`: see `endOf`. */
  count(end: number, stored: boolean): void {
    if (!stored) this.#pending += 1;
    this.#outcomes.add(end);
    this.gap?.filled(end - skewMs);
  }

  /** Outcomes that were in the journal before. */
  recount(count: number): void {
    this.#outcomes.add(0, count);
  }

  /** What was pending is in the journal now. */
  tallied(): void {
    this.#pending = 0;
  }

  /** Takes in what the Envoy says of one connection manager. */
  counted(prefix: string, requests: Requests): void {
    let handled = this.#handled.get(prefix);
    if (!handled) this.#handled.set(prefix, (handled = new Handled(prefix)));
    handled.take(requests);
  }

  /** The counters begin at 0 again. */
  restarted(): void {
    for (const handled of this.#handled.values()) handled.restarted();
  }

  clockSetBack(): void {
    this.#outcomes.settleAll();
  }

  /** By `to`, the Envoy's time, so many were handled, and whatever was stored of them has come. `now`: the sink's time. */
  compare(to: number, handled: number, now: number, cause: (since: number) => GapCause): void {
    const stored = this.#outcomes.upTo(to + skewMs);
    const missing = handled - stored;
    if (this.gap) this.gap.seen(missing, { to, handled, stored });
    else if (missing <= 0) this.#clean = to;
    else {
      const facts = { missing, from: this.#clean, to, handled, stored, opened: now };
      this.gap = new OpenGap({ cause: cause(this.#clean), atLeast: false, ...facts });
    }
  }

  state(): LogState {
    const handled = [...this.#handled.values()].map((one) => one.state());
    const gap = this.gap?.as('changed');
    return {
      ...{ log: this.log, stored: this.#outcomes.total - this.#pending, clean: this.#clean, handled },
      ...(gap && { gap }),
    };
  }
}
