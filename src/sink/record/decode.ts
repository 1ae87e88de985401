import { SekishoError } from '../../base/errors.ts';
import { decodeControlEvent, recordIdentities } from '../../wire/control-event.ts';
import { decodeGap } from '../../wire/gap.ts';
import { nameIn } from '../../wire/enum-names.ts';
import { FieldReader } from '../../wire/protobuf.ts';
import { nanosecondsIn } from '../../wire/timestamp.ts';
import { decodeEntry } from './decode-entry.ts';
import { intentType } from './intent.ts';
import { recordAssurances, recordCopies, recordFields, recordKinds, suppressedFields } from './envelope.ts';
import type { StoredEntry, StoredRecord, SuppressedRefusals } from './stored-record.types.ts';

/**
 * Decodes a payload of the journal (sekisho.v1.Record). What this version does not know is ignored, as protobuf asks.
 * Throws SekishoError `record_malformed` where the payload is no record.
 */
export function decodeRecord(payload: Buffer): StoredRecord {
  const read = { node: '', log: '', kind: 0, identity: 0, epoch: 0, received: 0n, truncated: false };
  const how = { copy: 0, assurance: 0 };
  const redactions: string[] = [];
  let suppressed: SuppressedRefusals | undefined;
  let entry: Buffer | undefined;
  const record = new FieldReader(payload);
  while (record.next()) {
    if (record.is(recordFields.node)) read.node = record.string();
    else if (record.is(recordFields.log)) read.log = record.string();
    else if (record.is(recordFields.received)) read.received = nanosecondsIn(record.message());
    else if (record.is(recordFields.redactions)) redactions.push(record.string());
    else if (record.is(recordFields.suppressed)) suppressed = suppressedIn(record.message());
    else if (record.is(recordFields.entry)) entry = record.bytes();
    else if (record.field === recordFields.epoch) read.epoch = record.uint();
    else if (record.field === recordFields.kind) read.kind = record.uint();
    else if (record.field === recordFields.identity) read.identity = record.uint();
    else if (record.field === recordFields.copy) how.copy = record.uint();
    else if (record.field === recordFields.assurance) how.assurance = record.uint();
    else if (record.field === recordFields.truncated) read.truncated = record.uint() !== 0;
  }
  const { epoch, ...rest } = read;
  const kind = nameIn(recordKinds, read.kind);
  // The control plane may speak of several nodes.
  if ((read.node === '' && kind !== 'control') || entry === undefined) throw notARecord();
  return {
    ...rest,
    ...(epoch > 0 && { epoch }),
    ...(how.copy > 0 && { copy: nameIn(recordCopies, how.copy) }),
    ...(how.assurance > 0 && { assurance: nameIn(recordAssurances, how.assurance) }),
    kind,
    identity: nameIn(recordIdentities, read.identity),
    redactions,
    ...(suppressed && { suppressed }),
    entry: entryOf(entry, kind, read.log),
    ...(kind === 'control' && { control: decodeControlEvent(entry) }),
    ...(kind === 'gap' && { gap: decodeGap(entry) }),
  };
}

function suppressedIn(reader: FieldReader): SuppressedRefusals {
  const read = { count: 0, since: 0n, shared: false };
  while (reader.next()) {
    if (reader.field === suppressedFields.count) read.count = reader.uint();
    else if (reader.is(suppressedFields.since)) read.since = nanosecondsIn(reader.message());
    else if (reader.field === suppressedFields.shared) read.shared = reader.uint() !== 0;
  }
  return read;
}

function entryOf(entry: Buffer, kind: StoredRecord['kind'], log: string): StoredEntry {
  switch (kind) {
    case 'http':
      return decodeEntry(entry, 'http');
    case 'intent':
      return decodeEntry(entry, intentType(log));
    case 'tcp':
    case 'connection':
      return decodeEntry(entry, 'tcp');
    case 'gap':
    case 'control': // They are no entries of Envoy's.
    case 'unknown': // A kind of a later version: its entry is none of ours to read.
      return {};
  }
}

function notARecord(): SekishoError {
  return new SekishoError(
    'record_malformed',
    'These bytes are not a record: they have no node or no entry. If they come from a journal, verify it, and restore the segment ' +
      'from a copy where it is damaged.',
  );
}
