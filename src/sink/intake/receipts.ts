import { SekishoError } from '../../base/errors.ts';
import { BackwardWriter } from '../../wire/backward-writer.ts';
import * as otlp from '../../wire/otlp-logs.ts';
import { FieldReader } from '../../wire/protobuf.ts';
import { tcpReceipt } from '../../wire/receipt-layout.ts';
import { shownName } from '../../wire/shown-name.ts';
import type { Frames } from '../journal/frames.ts';
import { entryRecords, reportBad, type Entries, type EntryObserver, type EntryRules } from './entry-records.ts';
import { logSource, type LogSource } from './log-source.ts';
import { writeReceiptEntry } from './receipt-entry.ts';
import { receiptIdentity } from './receipt-identity.ts';
import { receiptRecord, type ReceiptRecord } from './receipt-record.ts';
import { acceptSender, type Sender, type SenderRules } from './sender.ts';

export interface ReceiptsObserver extends EntryObserver {
  /** A message was read: so many log records in so many bytes. */
  message(facts: { readonly entries: number; readonly bytes: number }): void;
}

export interface ReceiptsOptions extends EntryRules, Pick<SenderRules, 'admits'> {
  readonly observer: ReceiptsObserver;
}

/** The sink's end of OTLP: an ExportLogsServiceRequest to records. Knows no gRPC and no disk. */
export interface ReceiptsIntake {
  /**
   * The records of a message that the sink has not got yet, framed for the journal, for each of its logs. Bad log records are reported and left out; good
   * ones beside them stay. Throws, and nothing of it was taken: SekishoError `record_malformed` where it is no such message or does not say who sends,
   * `identity_mismatch` or `node_unknown` as for access log streams.
   */
  message(bytes: Buffer, from: Sender): readonly Frames[];
}

export function receiptsIntake(options: ReceiptsOptions): ReceiptsIntake {
  const sources = new Sources();
  return {
    message: (bytes, identity) => {
      const sender: SenderRules = { identity, ...(options.admits && { admits: options.admits }) };
      const logs = logsIn(bytes).map(({ name, records }) => ({ ...acceptSender(name, sender), records }));
      const entries = logs.reduce((sum, { records }) => sum + records.length, 0);
      options.observer.message({ entries, bytes: bytes.length });
      return logs.map(({ node, log, records }) => {
        const readable = readableIn(records, options);
        const source = sources.of({ node, log, epoch: epochIn(readable[0]) }, identity.kind);
        return entryRecords(translated(readable, source, options), source, options);
      });
    },
  };
}

interface Log {
  readonly name: { readonly node: string; readonly log: string };
  /** Readers that stand on its log records. */
  readonly records: readonly FieldReader[];
}

function logsIn(bytes: Buffer): Log[] {
  const logs: Log[] = [];
  const part = new FieldReader(bytes);
  while (part.next()) {
    if (!part.is(otlp.exportLogsServiceRequest.resource_logs)) continue;
    const name = { node: '', log: '' };
    const records: FieldReader[] = [];
    const log = part.message();
    while (log.next()) {
      if (log.is(otlp.resourceLogs.resource)) readName(log.message(), name);
      else if (log.is(otlp.resourceLogs.scope_logs)) collect(log.message(), records);
    }
    logs.push({ name, records });
  }
  return logs;
}

function collect(scope: FieldReader, into: FieldReader[]): void {
  while (scope.next()) {
    if (!scope.is(otlp.scopeLogs.log_records)) continue;
    if (into.length === recordsLimit) throw tooMany();
    into.push(scope.standing());
  }
}

/** Envoy sends 16 KiB at a time. */
const recordsLimit = 65_536;

function tooMany(): SekishoError {
  return new SekishoError(
    'record_malformed',
    `An OTLP message has more than ${recordsLimit} log records; no Envoy sends that.`,
  );
}

function readName(resource: FieldReader, into: { node: string; log: string }): void {
  while (resource.next()) {
    if (!resource.is(otlp.resource.attributes)) continue;
    const attribute = resource.message();
    let [key, value] = ['', ''];
    while (attribute.next()) {
      if (attribute.is(otlp.keyValue.key)) key = attribute.latin1();
      else if (attribute.is(otlp.keyValue.value)) {
        const any = attribute.message();
        while (any.next()) if (any.is(otlp.anyValue.string_value)) value = any.string();
      }
    }
    if (key === 'node_name') into.node = shownName(value);
    else if (key === 'log_name') into.log = shownName(value);
  }
}

function readableIn(records: readonly FieldReader[], { observer }: ReceiptsOptions): ReceiptRecord[] {
  return records.flatMap((record) => {
    try {
      return [receiptRecord(record)];
    } catch (caught) {
      reportBad(caught, observer);
      return [];
    }
  });
}

const epochAt = tcpReceipt.indexOf('epoch');

/** A message comes from one process. */
function epochIn(record: ReceiptRecord | undefined): number {
  const epoch = record?.texts[epochAt];
  const text = record && epoch ? record.message.toString('latin1', epoch.from, epoch.to) : '';
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/** What is known already is not translated: that is most of it. */
function translated(records: readonly ReceiptRecord[], { key, copy }: LogSource, options: ReceiptsOptions): Entries {
  const seen = options.seen?.();
  const wanted = records.filter((record) => {
    if (seen?.has(key, receiptIdentity(record)) !== true) return true;
    options.observer.duplicate?.(copy);
    return false;
  });
  const [first] = wanted;
  if (first === undefined) return nothing;
  const writer = new BackwardWriter(first.message.length + 256 * wanted.length);
  // The last one first, so that in memory they stand in their order.
  const written = wanted.toReversed().map((record) => {
    const end = writer.length;
    const cuts = writeReceiptEntry(record, writer);
    return { type: record.type, from: writer.length, to: end, cuts };
  });
  const bytes = writer.finish();
  const placed = written.toReversed().map(({ from, to, ...rest }) => {
    return { ...rest, entry: bytes.subarray(bytes.length - from, bytes.length - to) };
  });
  const cut = placed.filter(({ cuts }) => cuts.length > 0);
  return {
    bytes,
    http: placed.filter(({ type }) => type === 'http').map(({ entry }) => entry),
    tcp: placed.filter(({ type }) => type === 'tcp').map(({ entry }) => entry),
    ...(cut.length > 0 && { cuts: new Map(cut.map(({ entry, cuts }) => [entry, cuts])) }),
  };
}

const nothing: Entries = { bytes: Buffer.alloc(0), http: [], tcp: [] };

/** The logs of all nodes, as each message names its own anew. */
class Sources {
  readonly #known = new Map<string, LogSource>();

  of(
    name: { readonly node: string; readonly log: string; readonly epoch: number },
    identity: Sender['kind'],
  ): LogSource {
    const key = `${name.node}\n${name.log}\n${name.epoch}\n${identity}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= sourcesLimit) this.#known.clear();
    const source = logSource(name, identity, 'receipt');
    this.#known.set(key, source);
    return source;
  }
}

const sourcesLimit = 16_384;
