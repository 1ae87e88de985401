/** How far an output is behind the journal. */
export interface Lag {
  readonly records: number;
  /** Age of the oldest record that is not there yet, as far as it is known; 0 when none is missing. */
  readonly seconds: number;
}

/** Keeps account of it. Times are in milliseconds since 1970. */
export class LagMeter {
  #next = 0;
  #behindSince: number | undefined;

  /** The output has everything before `next`, and received the last of it at `received` (0: not known). */
  moved(next: number, received: number, journal: { readonly nextIndex: number; readonly now: number }): void {
    this.#next = next;
    if (next >= journal.nextIndex) this.#behindSince = undefined;
    // What comes next was received no earlier than what came last.
    else this.#behindSince = Math.max(this.#behindSince ?? 0, received) || journal.now;
  }

  /** The journal has grown. */
  grown(now: number): void {
    this.#behindSince ??= now;
  }

  lag(journal: { readonly nextIndex: number; readonly now: number }): Lag {
    const records = Math.max(0, journal.nextIndex - this.#next);
    const since = this.#behindSince ?? journal.now;
    return { records, seconds: records === 0 ? 0 : Math.max(0, journal.now - since) / 1000 };
  }
}
