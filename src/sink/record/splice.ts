import type { FieldReader } from '../../wire/protobuf.ts';
import { varintSize, writeVarint } from '../../wire/protobuf.ts';

/** Bytes of the source that are replaced. */
interface Patch {
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

/** A message around a patch, whose length must be repaired. */
interface Enclosing {
  readonly lengthAt: number;
  readonly from: number;
  readonly to: number;
  readonly parent: Enclosing | undefined;
  growth: number;
}

const nothing = Buffer.alloc(0);

/**
 * Replaces the content of fields, or removes fields, anywhere inside a protobuf message, and repairs the lengths of the messages
 * around them; all other bytes stay as they are.
 */
export class Splice {
  readonly #source: Buffer;
  readonly #patches: Patch[] = [];
  readonly #enclosing = new Map<number, Enclosing>();

  constructor(source: Buffer) {
    this.#source = source;
  }

  /** Gives the length-delimited field that `field` stands on a new content. */
  replace(field: FieldReader, content: Buffer): void {
    this.#patch(field.parent, { from: field.from, to: field.to, bytes: content });
    const size = varintSize(content.length);
    if (content.length === field.to - field.from) return;
    const length = Buffer.allocUnsafe(size);
    writeVarint(length, content.length, 0);
    this.#patch(field.parent, { from: field.lengthAt, to: field.from, bytes: length });
  }

  /** Removes the field that `field` stands on. */
  remove(field: FieldReader): void {
    this.#patch(field.parent, { from: field.start, to: field.to, bytes: nothing });
  }

  /** The message with everything replaced. */
  finish(): Buffer {
    this.#repairLengths();
    this.#patches.sort((a, b) => a.from - b.from);
    const growth = this.#patches.reduce((sum, patch) => sum + growthOf(patch), 0);
    const target = Buffer.allocUnsafe(this.#source.length + growth);
    let read = 0;
    let written = 0;
    for (const { from, to, bytes } of this.#patches) {
      written += this.#source.copy(target, written, read, from);
      written += bytes.copy(target, written);
      read = to;
    }
    this.#source.copy(target, written, read);
    return target;
  }

  #patch(around: FieldReader | undefined, patch: Patch): void {
    this.#patches.push(patch);
    const enclosing = this.#around(around);
    if (enclosing !== undefined) enclosing.growth += growthOf(patch);
  }

  /** The message that a reader stands on, and so its parents. */
  #around(reader: FieldReader | undefined): Enclosing | undefined {
    if (reader === undefined) return undefined;
    const { lengthAt, from, to } = reader;
    const known = this.#enclosing.get(lengthAt);
    if (known !== undefined) return known;
    const added = { lengthAt, from, to, parent: this.#around(reader.parent), growth: 0 };
    this.#enclosing.set(lengthAt, added);
    return added;
  }

  /** Inner messages first: a length that needs another byte makes the message around it grow, too. */
  #repairLengths(): void {
    const inwards = [...this.#enclosing.values()].sort((a, b) => b.from - a.from);
    for (const { lengthAt, from, to, parent, growth } of inwards) {
      if (growth === 0) continue;
      const length = to - from + growth;
      const bytes = Buffer.allocUnsafe(varintSize(length));
      writeVarint(bytes, length, 0);
      this.#patches.push({ from: lengthAt, to: from, bytes });
      if (parent !== undefined) parent.growth += growth + bytes.length - (from - lengthAt);
    }
  }
}

function growthOf(patch: Patch): number {
  return patch.bytes.length - (patch.to - patch.from);
}
