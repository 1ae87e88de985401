/** Milliseconds. */
const bucketMs = 50;

/** How many outcomes of one log are stored, and by when their requests had ended: exactly for those that nobody has asked about yet. */
export class Outcomes {
  /** Those that had ended before anything that will be asked. */
  #settled: number;
  /** The others, by when they ended, in steps of 50 ms. */
  readonly #recent = new Map<number, number>();
  #total: number;

  constructor(stored = 0) {
    this.#settled = stored;
    this.#total = stored;
  }

  get total(): number {
    return this.#total;
  }

  /** `end`: milliseconds since 1970, 0 for long ago. */
  add(end: number, count = 1): void {
    this.#total += count;
    const bucket = Math.floor(end / bucketMs);
    if (end === 0) this.#settled += count;
    else this.#recent.set(bucket, (this.#recent.get(bucket) ?? 0) + count);
  }

  /** Those that had ended by then, and perhaps some of the 50 ms that follow. Nothing earlier may be asked afterwards. */
  upTo(time: number): number {
    const last = Math.floor(time / bucketMs);
    for (const [bucket, count] of this.#recent) {
      if (bucket > last) continue;
      this.#settled += count;
      this.#recent.delete(bucket);
    }
    return this.#settled;
  }

  /** The clock was set back: whatever came so far had ended. */
  settleAll(): void {
    this.#recent.clear();
    this.#settled = this.#total;
  }
}
