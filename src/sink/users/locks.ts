import type { Clock } from '../../base/clock.ts';

/** So many failures within this time, and nothing is tried for as long again. */
export const lockRules = { failures: 10, ms: 30 * 60_000 } as const;

/**
 * Of so many, failures are counted. Names fail no faster than one thread tries passwords: 24 a second at the least cost, 43,000 in half an hour. So nobody can push the lock of a name
 * out of here before it ends. Whoever has so many addresses needs not push out that of a client.
 */
const capacity = 65_536;

interface Tally {
  failures: number;
  /** When the failures are forgotten or the lock ends. */
  ends: number;
}

/** Counts failures by whoever they are of, and locks whoever has too many. Forgets the oldest when there are too many to remember. */
export class Locks {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #tallies = new Map<string, Tally>();

  constructor(clock: Clock, most: number = capacity) {
    this.#clock = clock;
    this.#capacity = most;
  }

  /** Milliseconds until the lock ends; 0 where there is none. */
  lockedFor(key: string): number {
    const tally = this.#tallies.get(key);
    if (tally === undefined || tally.failures < lockRules.failures) return 0;
    return Math.max(0, tally.ends - this.#clock.now());
  }

  /** True when this failure is the one that locks. */
  failed(key: string): boolean {
    const now = this.#clock.now();
    const known = this.#tallies.get(key);
    const tally = known !== undefined && known.ends > now ? known : { failures: 0, ends: now + lockRules.ms };
    tally.failures += 1;
    const locks = tally.failures === lockRules.failures;
    if (locks) tally.ends = now + lockRules.ms;
    this.#tallies.delete(key);
    this.#tallies.set(key, tally);
    const [oldest] = this.#tallies.keys();
    if (this.#tallies.size > this.#capacity && oldest !== undefined) this.#tallies.delete(oldest);
    return locks;
  }

  get size(): number {
    return this.#tallies.size;
  }
}
