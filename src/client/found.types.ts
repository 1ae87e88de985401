import type { RecordForm } from '../wire/records-api.ts';

/** A record as `sekisho records -o json` prints it; docs/records.md has every name. */
export type NamedRecord = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A record in the form that was asked for. */
export interface FoundRecord<F extends RecordForm = 'json'> {
  readonly kind: 'record';
  /** Its place in the journal. To go on behind it, ask from `index + 1`. */
  readonly index: number;
  readonly record: F extends 'payload' ? undefined : NamedRecord;
  /** The stored bytes, a serialised sekisho.v1.Record. */
  readonly payload: F extends 'json' ? undefined : Uint8Array;
}

/** What cannot be read; an auditor must see it, so it passes every filter. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly index: number;
  /** A code of docs/errors.md. */
  readonly code: string;
  readonly message: string;
  /** How many records from `index` on cannot be read, where a part of the journal is damaged. */
  readonly lost: number;
}

export type Found<F extends RecordForm = 'json'> = FoundRecord<F> | Unreadable;
