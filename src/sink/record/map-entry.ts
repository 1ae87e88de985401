import type { FieldReader } from '../../wire/protobuf.ts';
import { mapEntry } from './entry-fields.ts';

/** What `everyValue` calls: a reader that stands on the value, and the bounds of the key in the same Buffer. */
type Visit = (value: FieldReader, keyFrom: number, keyTo: number) => unknown;

/** Visits the value of the map entry that `holder` stands on; nearly always there is one, behind its key. False once a visit says false. */
export function everyValue(holder: FieldReader, visit: Visit): boolean {
  const entry = holder.message();
  if (!entry.next()) return true;
  const { from, to } = entry;
  if (entry.is(mapEntry.key) && entry.next() && entry.is(mapEntry.value) && entry.to === holder.to) {
    return visit(entry, from, to) !== false;
  }
  // Written by another hand than Envoy's: fields in any order, several of them, or none.
  const key = standingOn(holder.message(), mapEntry.key).at(-1);
  return valuesOf(holder).every((value) => visit(value, key?.from ?? 0, key?.to ?? 0) !== false);
}

/** Whether a stretch of a Buffer is exactly these bytes. */
export function spells(buffer: Buffer, from: number, to: number, bytes: Buffer): boolean {
  if (to - from !== bytes.length) return false;
  for (let index = 0; index < bytes.length; index += 1) if (buffer[from + index] !== bytes[index]) return false;
  return true;
}

/** The key of a map entry, one char per byte; '' where it has none, the last where it has several. */
export function keyOf(holder: FieldReader): string {
  return standingOn(holder.message(), mapEntry.key).at(-1)?.latin1() ?? '';
}

/** Readers that stand on the values of a map entry. */
export function valuesOf(holder: FieldReader): FieldReader[] {
  return standingOn(holder.message(), mapEntry.value);
}

/** The values that a map field of a message has under a key. */
export function valuesNamed(message: FieldReader, field: number, key: string): FieldReader[] {
  return standingOn(message, field)
    .filter((holder) => keyOf(holder) === key)
    .flatMap(valuesOf);
}

/** For each field of that number a reader of its own that stands on it. */
export function standingOn(message: FieldReader, field: number): FieldReader[] {
  const found: FieldReader[] = [];
  while (message.next()) if (message.is(field)) found.push(message.standing());
  return found;
}
