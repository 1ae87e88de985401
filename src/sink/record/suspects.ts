/** A secret that can be told by its name needs one of these in its text: an `=`, an encoded `=`, userinfo's `@`, or JSON's quotes. */
const signs = ['=', '%', '@', '"', "'"] as const;

const nowhere = 0x3fffffff; // Behind every message, and still a small integer.

/**
 * Answers, for texts in the order in which they stand in a message, whether one holds any of these signs. Most do not, so the signs are searched
 * natively over the whole message with all its entries, and a text without one costs five comparisons instead of a look at each byte.
 */
export class Suspects {
  readonly #start: number;
  readonly #message: string;
  #seen = 0;
  #equals = -1;
  #percent = -1;
  #at = -1;
  #quote = -1;
  #apostrophe = -1;

  constructor(message: Buffer) {
    this.#start = message.byteOffset;
    this.#message = message.toString('latin1');
  }

  /** A stretch of `part`, which shares the memory of the message. */
  within(part: Buffer, start: number, end: number): boolean {
    const from = part.byteOffset - this.#start + start;
    const to = from - start + end;
    // Not in order; search anew.
    if (from < this.#seen) this.#equals = this.#percent = this.#at = this.#quote = this.#apostrophe = -1;
    this.#seen = from;
    if (this.#equals < from) this.#equals = this.#next(signs[0], from);
    if (this.#percent < from) this.#percent = this.#next(signs[1], from);
    if (this.#at < from) this.#at = this.#next(signs[2], from);
    if (this.#quote < from) this.#quote = this.#next(signs[3], from);
    if (this.#apostrophe < from) this.#apostrophe = this.#next(signs[4], from);
    return this.#equals < to || this.#percent < to || this.#at < to || this.#quote < to || this.#apostrophe < to;
  }

  #next(sign: string, from: number): number {
    const found = this.#message.indexOf(sign, from);
    return found < 0 ? nowhere : found;
  }
}
