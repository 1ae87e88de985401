import { SekishoError } from '../../base/errors.ts';
import { recordIdentities, type RecordIdentity } from '../../wire/control-event.ts';
import { numberIn } from '../../wire/enum-names.ts';
import { bytesField, uintField, varintSize, writeVarint } from '../../wire/protobuf.ts';
import { encodeTimestamp } from '../../wire/timestamp.ts';
import { intentType } from './intent.ts';
import { shorten } from './shorten.ts';

/** A tlog entry bundle has two bytes for a leaf's length (https://c2sp.org/tlog-tiles). */
export const recordLimit = 65_535;

/** Numbers of sekisho.v1.Record, of its Suppressed and its Kind: proto/sekisho/v1/record.proto. */
export const recordFields = {
  ...{ node: 1, log: 2, epoch: 3, kind: 4, identity: 5, received: 6, redactions: 7, truncated: 8 },
  ...{ suppressed: 9, copy: 10, assurance: 11, entry: 15 },
} as const;
export const suppressedFields = { count: 1, since: 2, shared: 3 } as const;
export const recordCopies = { receipt: 1 } as const;
export const recordAssurances = { stream: 1, receipt: 2, gate: 3 } as const;
export const recordKinds = { http: 1, tcp: 2, connection: 3, intent: 4, gap: 5, control: 6 } as const;

/** Which of an Envoy's loggers brought an entry. */
export type EntryCopy = 'stream' | 'receipt';

/** What the policy promises of records. */
export type Assurance = keyof typeof recordAssurances;

/** What all records of a stream have in common. */
export interface RecordOrigin {
  readonly node: string;
  readonly log: string;
  /** Milliseconds since 1970, 0 where unknown. */
  readonly epoch: number;
  readonly kind: keyof typeof recordKinds;
  readonly identity: RecordIdentity | 'unknown';
  /** `stream` unless told. */
  readonly copy?: EntryCopy;
}

/** What is known of one entry besides. */
export interface EntryFacts {
  /** What the policy promises at this moment; absent where no Envoy logged it. */
  readonly assurance?: Assurance;
  /** Somebody before the sink has shortened the entry; the marks say where. */
  readonly cut?: boolean;
}

export interface RecordEncoder {
  /**
   * One sekisho.v1.Record, at most `recordLimit` bytes. An entry that does not fit is shortened where that costs least evidence.
   * `received`: milliseconds since 1970. Throws SekishoError `record_too_large` where shortening does not suffice.
   */
  encode(received: number, marks: readonly string[], entry: Buffer, facts?: EntryFacts): EncodedRecord;
}

/** A record of known length whose parts have not been copied yet: `writeRecord` puts them where they belong, once. */
export interface EncodedRecord {
  readonly length: number;
  readonly head: Buffer;
  readonly marks: readonly string[];
  readonly truncated: boolean;
  /** The field of that name as it will stand there, with its tag; empty for most. */
  readonly suppressed: Buffer;
  /** The fields between that and the entry. */
  readonly tail: Buffer;
  readonly entry: Buffer;
}

export function recordEncoder(origin: RecordOrigin): RecordEncoder {
  const head = encodeOrigin(origin);
  let moment = { received: Number.NaN, bytes: head };
  let tail = { assurance: undefined as Assurance | undefined, bytes: encodeTail(origin.copy, undefined) };

  return {
    encode(received, marks, entry, { assurance, cut = false } = {}) {
      if (tail.assurance !== assurance) tail = { assurance, bytes: encodeTail(origin.copy, assurance) };
      // Entries come in batches with one time of receipt.
      if (moment.received !== received) moment = { received, bytes: Buffer.concat([head, encodeReceived(received)]) };
      const around = { head: moment.bytes, tail: tail.bytes };
      const record = encodeRecord(around, marks, cut, entry);
      if (record !== undefined) return record;
      for (const shorter of shorterOf(entry, origin)) {
        const fitted = encodeRecord(around, [...marks, ...shorter.marks], true, shorter.bytes);
        if (fitted !== undefined) return fitted;
      }
      throw tooLarge(origin, entry);
    },
  };
}

function shorterOf(entry: Buffer, origin: RecordOrigin): Iterable<{ bytes: Buffer; marks: readonly string[] }> {
  switch (origin.kind) {
    case 'http':
      return shorten(entry, 'http');
    case 'intent':
      return shorten(entry, intentType(origin.log));
    case 'tcp':
    case 'connection':
      return shorten(entry, 'tcp');
    case 'gap':
    case 'control': // They are made to fit.
      return [];
  }
}

const entryTag = recordFields.entry * 8 + 2;
const redactionsTag = recordFields.redactions * 8 + 2;
const truncatedTag = recordFields.truncated * 8;
const nothing = Buffer.alloc(0);

/** Undefined where the record would be too long. */
function encodeRecord(
  { head, tail }: Pick<EncodedRecord, 'head' | 'tail'>,
  marks: readonly string[],
  truncated: boolean,
  entry: Buffer,
): EncodedRecord | undefined {
  let length = head.length + tail.length + (truncated ? 2 : 0) + 1 + varintSize(entry.length) + entry.length;
  for (const mark of marks) length += 1 + varintSize(mark.length) + mark.length; // Marks are ASCII.
  return length > recordLimit ? undefined : { length, head, marks, truncated, suppressed: nothing, tail, entry };
}

/** Writes a record to `at`: its fields in the order of their numbers. */
export function writeRecord(record: EncodedRecord, into: Buffer, start: number): void {
  const { head, marks, truncated, suppressed, tail, entry } = record;
  into.set(head, start);
  let at = start + head.length;
  for (const mark of marks) {
    into[at++] = redactionsTag;
    at = writeVarint(into, mark.length, at);
    at += into.write(mark, at, 'latin1');
  }
  if (truncated) {
    into[at++] = truncatedTag;
    into[at++] = 1;
  }
  if (suppressed.length > 0) at += suppressed.copy(into, at);
  if (tail.length > 0) at += tail.copy(into, at);
  into[at++] = entryTag;
  into.set(entry, writeVarint(into, entry.length, at));
}

/** Bytes that `withSuppressed` adds at most. */
export const suppressedLimit = 48;

/** The record with what it stands for besides itself; it must have room for that. `since`: milliseconds since 1970. */
export function withSuppressed(
  record: EncodedRecord,
  { count, since, shared }: { readonly count: number; readonly since: number; readonly shared: boolean },
): EncodedRecord {
  const suppressed = bytesField(
    recordFields.suppressed,
    Buffer.concat([
      uintField(suppressedFields.count, count),
      bytesField(suppressedFields.since, timestamp(since)),
      uintField(suppressedFields.shared, shared ? 1 : 0),
    ]),
  );
  return { ...record, length: record.length - record.suppressed.length + suppressed.length, suppressed };
}

/** The record with another, short entry, marked as shortened. */
export function withShortEntry({ head, tail }: EncodedRecord, mark: string, entry: Buffer): EncodedRecord {
  const record = encodeRecord({ head, tail }, [mark], true, entry);
  if (record === undefined) throw new SekishoError('internal', `a short entry has ${entry.length} bytes`);
  return record;
}

function encodeOrigin(origin: RecordOrigin): Buffer {
  return Buffer.concat([
    bytesField(recordFields.node, origin.node),
    bytesField(recordFields.log, origin.log),
    uintField(recordFields.epoch, origin.epoch),
    uintField(recordFields.kind, recordKinds[origin.kind]),
    uintField(recordFields.identity, numberIn(recordIdentities, origin.identity)),
  ]);
}

function encodeTail(copy: EntryCopy | undefined, assurance: Assurance | undefined): Buffer {
  return Buffer.concat([
    uintField(recordFields.copy, copy === 'receipt' ? recordCopies.receipt : 0),
    uintField(recordFields.assurance, assurance === undefined ? 0 : recordAssurances[assurance]),
  ]);
}

function encodeReceived(received: number): Buffer {
  return bytesField(recordFields.received, timestamp(received));
}

/** google.protobuf.Timestamp, of milliseconds since 1970. */
function timestamp(milliseconds: number): Buffer {
  const seconds = Math.floor(milliseconds / 1000);
  const nanos = Math.round((milliseconds - seconds * 1000) * 1e6);
  return encodeTimestamp(seconds, nanos);
}

function tooLarge(origin: RecordOrigin, entry: Buffer): SekishoError {
  return new SekishoError(
    'record_too_large',
    `An access-log entry of ${entry.length} bytes from node ${origin.node} does not fit into ${recordLimit} bytes, even shortened. ` +
      'Log fewer headers, tags or metadata in that listener, or lower its max_request_headers_kb.',
    { facts: { node: origin.node, log: origin.log, bytes: entry.length } },
  );
}
