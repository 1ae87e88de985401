import { varintSize, wireTypes, writeVarint } from './protobuf.ts';

/**
 * Writes protobuf from its end to its beginning: a message is complete, and its length known, before the tag in front of it is written. So nothing is
 * measured twice and every length is as short as it can be. Fields are written in the reverse of the order in which they shall stand.
 */
export class BackwardWriter {
  #buffer: Buffer;
  #at: number;

  /** `size`: bytes that are likely to suffice. */
  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafeSlow(size);
    this.#at = size;
  }

  /** Bytes written so far: the place of what comes next, from the end. */
  get length(): number {
    return this.#buffer.length - this.#at;
  }

  /** A field whose content is a stretch of another Buffer. */
  bytes(field: number, from: Buffer, start = 0, end = from.length): void {
    const mark = this.length;
    this.#room(end - start);
    this.#at -= end - start;
    from.copy(this.#buffer, this.#at, start, end);
    this.close(field, mark);
  }

  /** A field that is text of ours or of Envoy's, mostly ASCII. */
  text(field: number, text: string): void {
    const mark = this.length;
    const size = Buffer.byteLength(text);
    this.#room(size);
    this.#at -= size;
    this.#buffer.write(text, this.#at);
    this.close(field, mark);
  }

  /** An unsigned number up to 2^53; nothing for 0. */
  uint(field: number, value: number): void {
    if (value === 0) return;
    this.#varint(value);
    this.#varint(field * 8 + wireTypes.varint);
  }

  /** Makes what was written since `length` was `mark` the content of a field. */
  close(field: number, mark: number): void {
    this.#varint(this.length - mark);
    this.#varint(field * 8 + wireTypes.bytes);
  }

  /** All of it, in memory of its own. */
  finish(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  #varint(value: number): void {
    const size = varintSize(value);
    this.#room(size);
    this.#at -= size;
    writeVarint(this.#buffer, value, this.#at);
  }

  #room(size: number): void {
    if (size <= this.#at) return;
    const { length } = this;
    const larger = Buffer.allocUnsafeSlow(2 * (length + size));
    this.#buffer.copy(larger, larger.length - length, this.#at);
    this.#buffer = larger;
    this.#at = larger.length - length;
  }
}
