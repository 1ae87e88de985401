import type { Gap, GapCause, GapState } from '../../wire/gap.ts';

/** A gap while it is open. Times as in `Gap`. */
export class OpenGap {
  readonly cause: GapCause;
  readonly atLeast: boolean;
  readonly from: number;
  readonly opened: number;
  to: number;
  missing: number;
  handled: number;
  stored: number;
  /** What was announced last, and when by the sink's clock; absent before the first time. */
  #told: { readonly missing: number; readonly at: number } | undefined;

  /** `told`: it stands in the journal as it is. */
  constructor(gap: Omit<Gap, 'state'>, told?: 'told') {
    ({ cause: this.cause, atLeast: this.atLeast, from: this.from, opened: this.opened } = gap);
    ({ to: this.to, missing: this.missing, handled: this.handled, stored: this.stored } = gap);
    if (told) this.#told = { missing: gap.missing, at: gap.opened };
  }

  /** At a later time so many are missing. Fewer mean nothing: what is on its way then is taken for stored. */
  seen(missing: number, at: { readonly to: number; readonly handled: number; readonly stored: number }): void {
    if (missing <= this.missing) return;
    this.missing = missing;
    ({ to: this.to, handled: this.handled, stored: this.stored } = at);
  }

  /** One of the missing may have come: of a request that had ended by `to`. */
  filled(end: number): void {
    if (end > this.to || this.atLeast || this.missing === 0) return;
    this.missing -= 1;
    this.stored += 1;
  }

  /** What there is to announce; a gap that changes is told again once a minute. */
  news(now: number): Gap | undefined {
    if (this.#told === undefined) return this.#tell('opened', now);
    if (this.missing === 0 && !this.atLeast) return this.#tell('closed', now);
    if (this.missing === this.#told.missing || now - this.#told.at < changesMs) return undefined;
    return this.#tell('changed', now);
  }

  #tell(state: 'opened' | 'changed' | 'closed', now: number): Gap {
    this.#told = { missing: this.missing, at: now };
    return this.as(state);
  }

  /** As it stands. */
  as(state: GapState): Gap {
    const { cause, atLeast, from, to, missing, handled, stored, opened } = this;
    return { state, cause, atLeast, from, to, missing, handled, stored, opened };
  }
}

const changesMs = 60_000;
