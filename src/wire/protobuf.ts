import { SekishoError } from '../base/errors.ts';

/**
 * The protobuf wire format over a Buffer, without a schema: https://protobuf.dev/programming-guides/encoding/.
 * For the hot paths, where bytes stay bytes; everything else goes through protobufjs.
 */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

const groupDepthLimit = 100; // As in the other implementations of protobuf.

/**
 * Walks over the fields of one message. `next()` steps to a field; the properties then describe it until the next step.
 * Every method throws SekishoError `record_malformed` (with the offset) where the bytes are not protobuf.
 */
export class FieldReader {
  readonly buffer: Buffer;
  /** The reader that stands on the field whose content this reader walks; absent at the root. */
  readonly parent: FieldReader | undefined;
  readonly #end: number;
  #at: number;

  /** Field number. */
  field = 0;
  /** One of `wireTypes`. */
  wire = 0;
  /** Where the field's tag starts. */
  start = 0;
  /** The value: a length-delimited field's content, or the bytes of the number. `to` is also the field's end. */
  from = 0;
  to = 0;

  constructor(buffer: Buffer, from = 0, to: number = buffer.length, parent?: FieldReader) {
    this.buffer = buffer;
    this.parent = parent;
    this.#at = from;
    this.#end = to;
  }

  /** Steps to the next field; false at the end of the message. */
  next(): boolean {
    const start = this.#at;
    if (start >= this.#end) return false;
    this.start = start;
    const tag = this.#varint();
    if (tag > 0xffffffff || tag < 8) throw malformed('field number out of range', start);
    this.field = tag >>> 3;
    const wire = (this.wire = tag & 7);
    let to: number;
    if (wire === wireTypes.bytes) {
      const length = this.#varint();
      this.from = this.#at;
      to = this.#at + length;
    } else {
      this.from = this.#at;
      to = this.#endOfValue(wire, 0);
    }
    if (to > this.#end) throw malformed('field reaches beyond its message', start);
    this.to = to;
    this.#at = to;
    return true;
  }

  /**
   * Steps on to the last of some whole fields, if these stand here byte for byte, beginning with the field that the reader stands on; says whether they do.
   * `start` stays where they begin.
   */
  skip(fields: Buffer): boolean {
    const to = this.start + fields.length;
    if (to > this.#end || this.buffer.compare(fields, 0, fields.length, this.start, to) !== 0) return false;
    this.to = to;
    this.#at = to;
    return true;
  }

  /** Where a length-delimited field's length stands: behind the tag, before `from`. */
  get lengthAt(): number {
    let at = this.start;
    while ((this.buffer[at] ?? 0) >= 0x80) at += 1;
    return at + 1;
  }

  /** Whether this field has that number and is length-delimited: a string, bytes or a message. */
  is(field: number): boolean {
    return this.field === field && this.wire === wireTypes.bytes;
  }

  /** The content of a length-delimited field, sharing memory. */
  bytes(): Buffer {
    return this.buffer.subarray(this.from, this.to);
  }

  /** The content as UTF-8; broken bytes become U+FFFD. '' for a field of another wire type. */
  string(): string {
    if (this.wire !== wireTypes.bytes) return '';
    return this.buffer.toString('utf8', this.from, this.to);
  }

  /** The content, one char per byte: lossless for every byte string. */
  latin1(): string {
    return this.buffer.toString('latin1', this.from, this.to);
  }

  /** A reader over the content of a length-delimited field; over nothing for a field of another wire type. */
  message(): FieldReader {
    return new FieldReader(this.buffer, this.from, this.wire === wireTypes.bytes ? this.to : this.from, this);
  }

  /** Another reader that stands on the same field, and stays there when this one goes on. */
  standing(): FieldReader {
    const reader = new FieldReader(this.buffer, this.#at, this.#end, this.parent);
    reader.field = this.field;
    reader.wire = this.wire;
    reader.start = this.start;
    reader.from = this.from;
    reader.to = this.to;
    return reader;
  }

  /** An unsigned varint as a number; exact up to 2^53. 0 for a field of another wire type. */
  uint(): number {
    return this.wire === wireTypes.varint ? readVarint(this.buffer, this.from) : 0;
  }

  /** A signed (two's complement) varint: int32, int64, enum. 0 for a field of another wire type. */
  int(): bigint {
    if (this.wire !== wireTypes.varint) return 0n;
    let value = 0n;
    for (let at = this.from, shift = 0n; at < this.to; at += 1, shift += 7n) {
      value |= BigInt((this.buffer[at] ?? 0) & 0x7f) << shift;
    }
    return BigInt.asIntN(64, value);
  }

  /** A double. 0 for a field of another wire type. */
  double(): number {
    return this.wire === wireTypes.fixed64 ? this.buffer.readDoubleLE(this.from) : 0;
  }

  #varint(): number {
    const from = this.#at;
    const first = this.buffer[from] ?? 0;
    if (first < 0x80 && from < this.#end) {
      this.#at = from + 1;
      return first;
    }
    const second = this.buffer[from + 1] ?? 0;
    if (second < 0x80 && from + 1 < this.#end) {
      this.#at = from + 2;
      return (first & 0x7f) | (second << 7);
    }
    this.#at = this.#endOfVarint(from);
    return readVarint(this.buffer, from);
  }

  #endOfVarint(from: number): number {
    for (let at = from; at < from + 10; at += 1) {
      if (at >= this.#end) throw malformed('number cut short', from);
      if ((this.buffer[at] ?? 0) < 0x80) return at + 1;
    }
    throw malformed('number longer than 10 bytes', from);
  }

  #endOfValue(wire: number, depth: number): number {
    switch (wire) {
      case wireTypes.varint:
        return this.#endOfVarint(this.#at);
      case wireTypes.fixed64:
        return this.#at + 8;
      case wireTypes.fixed32:
        return this.#at + 4;
      case wireTypes.bytes: {
        const length = this.#varint();
        return this.#at + length;
      }
      case wireTypes.groupStart:
        return this.#endOfGroup(depth + 1);
      default:
        throw malformed(`wire type ${wire} has no place here`, this.start);
    }
  }

  /** Groups are gone from proto3, but an unknown field may still be one. */
  #endOfGroup(depth: number): number {
    if (depth > groupDepthLimit) throw malformed('groups nested too deeply', this.start);
    for (;;) {
      if (this.#at >= this.#end) throw malformed('group without an end', this.start);
      const wire = this.#varint() & 7;
      if (wire === wireTypes.groupEnd) return this.#at;
      this.#at = this.#endOfValue(wire, depth);
    }
  }
}

/** Bytes that an unsigned number (up to 2^53) takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** Writes an unsigned number (up to 2^53) as a varint at `at`; gives the offset behind it. */
export function writeVarint(target: Buffer, value: number, at: number): number {
  let rest = value;
  let to = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[to++] = (rest % 0x80) | 0x80;
  target[to++] = rest;
  return to;
}

/** One length-delimited field: tag, length, content. */
export function bytesField(field: number, content: Buffer | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  const tag = field * 8 + wireTypes.bytes;
  const buffer = Buffer.allocUnsafe(varintSize(tag) + varintSize(bytes.length) + bytes.length);
  bytes.copy(buffer, writeVarint(buffer, bytes.length, writeVarint(buffer, tag, 0)));
  return buffer;
}

/** One unsigned varint field (up to 2^53); nothing at all for 0, the default of proto3. */
export function uintField(field: number, value: number): Buffer {
  if (value === 0) return Buffer.alloc(0);
  const tag = field * 8 + wireTypes.varint;
  const buffer = Buffer.allocUnsafe(varintSize(tag) + varintSize(value));
  writeVarint(buffer, value, writeVarint(buffer, tag, 0));
  return buffer;
}

function readVarint(buffer: Buffer, from: number): number {
  let value = 0;
  for (let at = from, scale = 1; ; at += 1, scale *= 0x80) {
    const byte = buffer[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
}

function malformed(what: string, offset: number): SekishoError {
  return new SekishoError('record_malformed', `Not a protobuf message: ${what} at byte ${offset}.`, {
    facts: { offset },
  });
}
