/** Hashes that came lately, within a bound of bytes. What is forgotten is the oldest. */
export class SeenHashes {
  readonly #now: () => number;
  readonly #bounds: SeenBounds;
  /** The newest first. */
  #generations: Generation[] = [];

  /** `now`: milliseconds, steadily growing. */
  constructor(now: () => number, bounds: SeenBounds = seenBounds) {
    this.#now = now;
    this.#bounds = bounds;
  }

  has(low: number, high: number): boolean {
    for (const generation of this.#generations) if (generation.has(low, high)) return true;
    return false;
  }

  add(low: number, high: number): void {
    this.#current().add(low, high);
  }

  /** Bytes of the tables. */
  get bytes(): number {
    return this.#generations.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #current(): Generation {
    const { generations, generationBytes, ms } = this.#bounds;
    const now = this.#now();
    const [newest] = this.#generations;
    if (newest !== undefined && !newest.full && now - newest.since < ms / generations) return newest;
    const next = new Generation(now, generationBytes);
    this.#generations = [next, ...this.#generations.filter(({ since }) => now - since < ms).slice(0, generations - 1)];
    return next;
  }
}

export interface SeenBounds {
  /** How many tables there are at most. */
  readonly generations: number;
  /** A table of so many bytes is not made larger: it takes a 16th of that many hashes. A power of 2. */
  readonly generationBytes: number;
  /** How long a hash is remembered, if there is room. */
  readonly ms: number;
}

/** 64 MiB and 15 minutes: 4 million entries, of 4,600 requests a second all of them. */
const seenBounds: SeenBounds = { generations: 8, generationBytes: 8 * 2 ** 20, ms: 15 * 60_000 };

const firstBytes = 64 * 1024;
const hashBytes = 8;

/** A table with open addressing, at most half full. */
class Generation {
  readonly since: number;
  readonly #limit: number;
  #table: Uint32Array;
  #count = 0;

  constructor(since: number, limit: number) {
    this.since = since;
    this.#limit = limit;
    this.#table = new Uint32Array(Math.min(firstBytes, limit) / 4);
  }

  get bytes(): number {
    return this.#table.length * 4;
  }

  get full(): boolean {
    return this.#count * 2 * hashBytes >= this.#limit;
  }

  has(low: number, high: number): boolean {
    const at = placeOf(this.#table, low, high);
    return this.#table[at] !== 0 || this.#table[at + 1] !== 0;
  }

  add(low: number, high: number): void {
    const at = placeOf(this.#table, low, high);
    if (this.#table[at] !== 0 || this.#table[at + 1] !== 0) return;
    this.#table[at] = low;
    this.#table[at + 1] = high;
    this.#count += 1;
    if (this.#count * 2 * hashBytes >= this.bytes && this.bytes < this.#limit) this.#grow();
  }

  #grow(): void {
    const table = new Uint32Array(this.#table.length * 2);
    for (let index = 0; index < this.#table.length; index += 2) {
      const [low = 0, high = 0] = [this.#table[index], this.#table[index + 1]];
      if (low === 0 && high === 0) continue;
      const at = placeOf(table, low, high);
      table[at] = low;
      table[at + 1] = high;
    }
    this.#table = table;
  }
}

/** Where this hash stands, or would stand. The one hash that is 0 counts as always there, which is once in 2^64. */
function placeOf(table: Uint32Array, low: number, high: number): number {
  const mask = table.length / 2 - 1;
  for (let slot = low & mask; ; slot = (slot + 1) & mask) {
    const at = slot * 2;
    const [first, second] = [table[at], table[at + 1]];
    if ((first === low && second === high) || (first === 0 && second === 0)) return at;
  }
}
