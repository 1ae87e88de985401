/**
 * HalfSipHash-2-4 with 64 bits of output (https://github.com/veorq/SipHash, halfsiphash.c): a hash with a secret key, so that nobody who chooses what is
 * hashed can make two things the same.
 */
export class HalfSipHash {
  readonly #k0: number;
  readonly #k1: number;
  /** The last hash. */
  low = 0;
  high = 0;

  /** `key`: 8 bytes that nobody else knows. */
  constructor(key: Buffer) {
    this.#k0 = key.readInt32LE(0);
    this.#k1 = key.readInt32LE(4);
  }

  /** Hashes the first `length` bytes into `low` and `high`, both unsigned. */
  of(bytes: Buffer, length: number): void {
    let v0 = this.#k0;
    let v1 = this.#k1 ^ 0xee;
    let v2 = 0x6c796765 ^ this.#k0;
    let v3 = 0x74656462 ^ this.#k1;
    const words = length >>> 2;
    // One round too many for the last, shorter word, four for each half of the result.
    for (let index = 0; index <= words; index += 1) {
      const at = index * 4;
      const word = index < words ? wordAt(bytes, at) : lastWord(bytes, at, length);
      v3 ^= word;
      for (let round = 0; round < 2; round += 1) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    v2 ^= 0xee;
    for (let half = 0; half < 2; half += 1) {
      for (let round = 0; round < 4; round += 1) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      if (half === 0) {
        this.low = (v1 ^ v3) >>> 0;
        v1 ^= 0xdd;
      } else this.high = (v1 ^ v3) >>> 0;
    }
  }
}

function wordAt(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** What is left behind whole words, and the length in the highest byte. */
function lastWord(bytes: Buffer, at: number, length: number): number {
  let word = (length & 0xff) << 24;
  for (let index = at; index < length; index += 1) word |= (bytes[index] ?? 0) << (8 * (index - at));
  return word;
}
