import { bytesField, FieldReader } from './protobuf.ts';

/**
 * A `repeated string` of a message, still as the bytes it came in. Discovery clients say the same names over and over, one client what another
 * said before it; to see that two lists are the same needs no decoding.
 */
export class NameList implements Iterable<string> {
  static readonly none = new NameList(Buffer.alloc(0));

  /** The fields as they stood in the message, tags and all. */
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  static of(names: Iterable<string>): NameList {
    const fields = Array.from(names, (name) => bytesField(1, name));
    return fields.length === 0 ? NameList.none : new NameList(Buffer.concat(fields));
  }

  get isEmpty(): boolean {
    return this.bytes.length === 0;
  }

  *[Symbol.iterator](): Iterator<string> {
    const reader = new FieldReader(this.bytes);
    while (reader.next()) yield reader.string();
  }
}

/** Gathers the fields of one number while a message is read; those that stand together are not copied. */
export class NameGatherer {
  #parts: Buffer[] = [];
  #source: Buffer | undefined;
  #from = 0;
  #to = 0;

  /** Takes the field that `reader` stands on. */
  take({ buffer, start, to }: FieldReader): void {
    if (this.#source !== undefined && start !== this.#to) this.#close();
    if (this.#source === undefined) {
      this.#source = buffer;
      this.#from = start;
    }
    this.#to = to;
  }

  finish(): NameList {
    this.#close();
    const [first, ...more] = this.#parts;
    if (first === undefined) return NameList.none;
    return new NameList(more.length === 0 ? first : Buffer.concat(this.#parts));
  }

  #close(): void {
    if (this.#source !== undefined) this.#parts.push(this.#source.subarray(this.#from, this.#to));
    this.#source = undefined;
  }
}
