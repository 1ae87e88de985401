/** For how long a lease holds, in milliseconds. */
export interface LeaseTimes {
  /** From the beginning of a renewal on its holder may write for so long, by its own clock. */
  readonly termMs: number;
  /**
   * Others wait so much longer before they take it: for how differently the clocks of two hosts may run meanwhile, and for how old a thing may be that a
   * file system shows.
   */
  readonly marginMs: number;
}

/** A third of the term between renewals: two of them may fail. */
export const leaseTimes: LeaseTimes = { termMs: 10_000, marginMs: 5_000 };

/** The newest lease as it lies in the folder. */
export interface FoundLease {
  readonly number: number;
  /** What its holder wrote; each renewal changes it. */
  readonly text: string;
  /** Whether its holder gave it back. */
  readonly released: boolean;
}

/** The newest lease, and since when it has looked like this to us. */
export interface WatchedLease {
  readonly found: FoundLease | undefined;
  /** By our own clock, which nobody sets. */
  readonly since: number;
}

/** Looks again. Time counts only from our own first sight of a renewal on, so that no clock is ever compared with that of another host. */
export function watchLease(before: WatchedLease | undefined, found: FoundLease | undefined, now: number): WatchedLease {
  const same = before?.found?.number === found?.number && before?.found?.text === found?.text;
  return before !== undefined && same ? before : { found, since: now };
}

/**
 * What to do about a lease: `renew` our own, `take` a new one where there is none, its holder gave it back or is silent for too long, or `leave` it to its
 * holder. One that is ours and that nobody else has taken may be renewed even after its time: until somebody takes another, nobody has been promised anything.
 */
export function judge(
  mine: number | undefined,
  { found, since }: WatchedLease,
  now: number,
  { termMs, marginMs }: LeaseTimes,
): 'renew' | 'take' | 'leave' {
  if (found === undefined || found.released) return 'take';
  if (found.number === mine) return 'renew';
  return now - since >= termMs + marginMs ? 'take' : 'leave';
}
