import type { FieldReader } from '../../wire/protobuf.ts';
import { spells } from './map-entry.ts';
import { mayHoldSecret, redactAuthority, redacted, redactText } from './redact-text.ts';
import type { RedactionRules } from './redaction-rules.ts';
import { Splice } from './splice.ts';
import { Suspects } from './suspects.ts';

const marksLimit = 64; // A query may repeat thousands of secret parameters; a record has 65,535 bytes.
const longestMark = 160;
const none: readonly string[] = [];

const redactedBytes = Buffer.from(redacted);

/** An entry in the course of its redaction: what was found so far, and how it will be replaced. Allocates nothing until then. */
export class Redaction {
  readonly rules: RedactionRules;
  readonly #entry: Buffer;
  readonly #suspects: Suspects;
  #marks: Set<string> | undefined;
  #splice: Splice | undefined;

  /** `suspects`: of the message that the entry is a part of. */
  constructor(entry: Buffer, rules: RedactionRules, suspects: Suspects = new Suspects(entry)) {
    this.#entry = entry;
    this.#suspects = suspects;
    this.rules = rules;
  }

  /** The same Buffer and one shared empty array where nothing had to change. */
  finish(): { bytes: Buffer; marks: readonly string[] } {
    return {
      bytes: this.#splice === undefined ? this.#entry : this.#splice.finish(),
      marks: this.#marks === undefined ? none : [...this.#marks],
    };
  }

  /** A text that may be or contain a URL or a query. */
  text(field: FieldReader, place: string, keyFrom = 0, keyTo = 0): void {
    if (!this.#isSuspect(field)) return;
    const name = nameOf(field, keyFrom, keyTo);
    const text = field.latin1();
    this.#rewrite(
      field,
      text,
      redactText(text, this.rules, (what) => {
        this.mark(place, name, what);
      }),
    );
  }

  /** The authority of a request: a host, perhaps with userinfo before it. */
  authority(field: FieldReader, place: string): void {
    if (!this.#isSuspect(field)) return;
    const mark = (what: string): void => {
      this.mark(place, undefined, what);
    };
    const text = field.latin1();
    this.#rewrite(field, text, redactText(redactAuthority(text, mark), this.rules, mark));
  }

  /** A value that is secret whatever it says. */
  withhold(
    field: FieldReader,
    place: string,
    keyFrom: number,
    keyTo: number,
    replacement: Buffer = redactedBytes,
  ): void {
    if (field.from === field.to || spells(field.buffer, field.from, field.to, replacement)) return;
    this.mark(place, nameOf(field, keyFrom, keyTo), '');
    this.#splicing().replace(field, replacement);
  }

  /** Keeps at most `limit` bytes of a text, whole UTF-8 characters. */
  cut(field: FieldReader, place: string, limit: number): void {
    if (field.to - field.from <= limit) return;
    let end = field.from + limit;
    while (end > field.from && isContinuation(field.buffer[end])) end -= 1;
    this.mark(place, undefined, ':cut');
    this.#splicing().replace(field, field.buffer.subarray(field.from, end));
  }

  /** Removes the map entry that `holder` stands on. */
  remove(holder: FieldReader, place: string, name: string): void {
    this.mark(place, name, '');
    this.#splicing().remove(holder);
  }

  mark(place: string, name: string | undefined, what: string): void {
    this.#marks ??= new Set();
    if (this.#marks.size > marksLimit) return; // The last one says 'more'.
    const mark = showable(name === undefined ? place + what : `${place}.${name}${what}`);
    if (this.#marks.size < marksLimit) this.#marks.add(mark);
    else this.#marks.add('more');
  }

  #isSuspect(field: FieldReader): boolean {
    const { buffer, from, to } = field;
    return this.#suspects.within(buffer, from, to) && mayHoldSecret(buffer, from, to, this.rules);
  }

  #rewrite(field: FieldReader, before: string, after: string): void {
    if (after !== before) this.#splicing().replace(field, Buffer.from(after, 'latin1'));
  }

  #splicing(): Splice {
    this.#splice ??= new Splice(this.#entry);
    return this.#splice;
  }
}

/** The key beside a value, as a name in a mark. */
function nameOf(field: FieldReader, keyFrom: number, keyTo: number): string | undefined {
  return keyFrom === keyTo ? undefined : field.buffer.toString('latin1', keyFrom, keyTo);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Names come from outside: a mark is short and holds nothing that a terminal or a parser minds. */
function showable(mark: string): string {
  return mark.slice(0, longestMark).replaceAll(/[^\w.?@:[\]-]/g, '_');
}
