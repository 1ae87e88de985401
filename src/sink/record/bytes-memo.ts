import { spells } from './map-entry.ts';

const slots = 4096; // Clients choose parameter names, so what is remembered of them is bounded.
const longest = 128;

/**
 * Remembers what was decided about short byte strings (header names, parameter names), so that the same one in the next entry costs
 * a look and no string. One slot for each hash value: what collides is decided again, never confused.
 */
export class BytesMemo<T> {
  readonly #decide: (text: string) => T;
  readonly #known: ({ readonly bytes: Buffer; readonly verdict: T } | undefined)[];

  /** `decide` sees one char per byte (latin1). */
  constructor(decide: (text: string) => T) {
    this.#decide = decide;
    this.#known = Array.from({ length: slots }, () => undefined);
  }

  of(buffer: Buffer, from: number, to: number): T {
    if (to - from > longest) return this.#decide(buffer.toString('latin1', from, to));
    let hash = 0;
    for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + (buffer[at] ?? 0)) | 0;
    const slot = (hash ^ (hash >>> 12)) & (slots - 1);
    const known = this.#known[slot];
    if (known !== undefined && spells(buffer, from, to, known.bytes)) return known.verdict;
    const verdict = this.#decide(buffer.toString('latin1', from, to));
    this.#known[slot] = { bytes: Buffer.from(buffer.subarray(from, to)), verdict };
    return verdict;
  }
}
