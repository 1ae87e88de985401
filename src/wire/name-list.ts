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

/**
 * Long lists that were read last. A list that begins like one of them, byte for byte, is that one up to there, without a walk over its fields: in a push
 * thousands of clients say the same list again.
 */
const recent: NameList[] = [];
const recentLimits = { lists: 4, leastBytes: 64, mostBytes: 65_536 };

function remember(list: NameList): NameList {
  const { length } = list.bytes;
  if (length < recentLimits.leastBytes || length > recentLimits.mostBytes) return list;
  if (recent.length === recentLimits.lists) recent.shift();
  // A copy, for its bytes are a small part of a request that nobody needs any more.
  recent.push(new NameList(Buffer.from(list.bytes)));
  return list;
}

/** Gathers the fields of one number while a message is read; those that stand together are not copied. */
export class NameGatherer {
  #known: NameList | undefined;
  #parts: Buffer[] = [];
  #source: Buffer | undefined;
  #from = 0;
  #to = 0;

  /** Takes the field that `reader` stands on. */
  take(reader: FieldReader): void {
    if (this.#source === undefined && this.#parts.length === 0) {
      this.#known = recent.find(({ bytes }) => reader.skip(bytes));
    }
    const { buffer, start, to } = reader;
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
    if (this.#known?.bytes.length === first.length && more.length === 0) return this.#known;
    return remember(new NameList(more.length === 0 ? first : Buffer.concat(this.#parts)));
  }

  #close(): void {
    if (this.#source !== undefined) this.#parts.push(this.#source.subarray(this.#from, this.#to));
    this.#source = undefined;
  }
}
