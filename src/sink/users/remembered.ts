import type { Clock } from '../../base/clock.ts';

/** How long a right password need not be worked out again. */
export const rememberedMs = 5 * 60_000;

/** As many as the people of a users file. */
const capacity = 10_000;

/** Marks (never passwords) of what was right a short while ago. Forgets the oldest when there are too many to remember. */
export class Remembered {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #ends = new Map<string, number>();

  constructor(clock: Clock, most: number = capacity) {
    this.#clock = clock;
    this.#capacity = most;
  }

  has(mark: string): boolean {
    const ends = this.#ends.get(mark);
    if (ends === undefined) return false;
    if (ends > this.#clock.now()) return true;
    this.#ends.delete(mark);
    return false;
  }

  /** From now on, however often it is asked for meanwhile. */
  add(mark: string): void {
    this.#ends.delete(mark);
    this.#ends.set(mark, this.#clock.now() + rememberedMs);
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > this.#capacity && oldest !== undefined) this.#ends.delete(oldest);
  }

  get size(): number {
    return this.#ends.size;
  }
}
