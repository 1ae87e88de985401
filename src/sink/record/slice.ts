import { SekishoError } from '../../base/errors.ts';
import { FieldReader, wireTypes } from '../../wire/protobuf.ts';
import { shownName } from '../../wire/shown-name.ts';
import * as fields from './entry-fields.ts';
import { valuesNamed } from './map-entry.ts';

/** Who sends a stream of access logs; only its first message says so. Each text is a `shownName`. */
export interface AlsIdentifier {
  /** The Envoy's node id, '' where it gave none. */
  readonly node: string;
  readonly cluster: string;
  readonly log: string;
  /** Start of the Envoy process, milliseconds since 1970, from node metadata `sekisho.epoch`; 0 where it did not say. */
  readonly epoch: number;
}

export interface AlsMessage {
  readonly identifier?: AlsIdentifier;
  /** HTTPAccessLogEntry messages, sharing the message's memory. */
  readonly http: readonly Buffer[];
  /** TCPAccessLogEntry messages, sharing the message's memory. */
  readonly tcp: readonly Buffer[];
}

/**
 * Cuts an envoy.service.accesslog.v3.StreamAccessLogsMessage into its entries without decoding them.
 * A message has entries of one type; should one bring both, both are given, for an entry is never thrown away unseen.
 * Throws SekishoError `record_malformed` with the offset.
 */
export function sliceAls(message: Buffer): AlsMessage {
  const http: Buffer[] = [];
  const tcp: Buffer[] = [];
  const identifier = { node: '', cluster: '', log: '', epoch: 0 };
  let identified = false;
  const part = new FieldReader(message);
  while (part.next()) {
    if (part.is(fields.streamAccessLogsMessage.http_logs)) collectEntries(part.message(), http);
    else if (part.is(fields.streamAccessLogsMessage.tcp_logs)) collectEntries(part.message(), tcp);
    else if (part.is(fields.streamAccessLogsMessage.identifier)) {
      readIdentifier(part.message(), identifier);
      identified = true;
    }
  }
  return identified ? { identifier, http, tcp } : { http, tcp };
}

/** Which Envoy, and which run of it, an envoy.config.core.v3.Node speaks of. */
export function envoyIn(node: FieldReader): Pick<AlsIdentifier, 'node' | 'epoch'> {
  const envoy = { node: '', cluster: '', log: '', epoch: 0 };
  readNode(node, envoy);
  return { node: envoy.node, epoch: envoy.epoch };
}

/** Whether an entry has AccessLogCommon, without which it says neither when nor who. */
export function hasCommonProperties(entry: Buffer): boolean {
  if (entry[0] === commonTag) return true; // As Envoy writes it.
  const part = new FieldReader(entry);
  while (part.next()) if (part.is(fields.httpAccessLogEntry.common_properties)) return true;
  return false;
}

const commonTag = fields.httpAccessLogEntry.common_properties * 8 + wireTypes.bytes;

function collectEntries(entries: FieldReader, into: Buffer[]): void {
  while (entries.next()) {
    if (!entries.is(fields.logEntries.log_entry)) continue;
    if (into.length === entriesLimit) throw tooMany();
    into.push(entries.bytes());
  }
}

/** Envoy's own buffer of 1 MiB holds some thousands. Two million empty entries fit into a message, and each becomes a record. */
const entriesLimit = 65_536;

function tooMany(): SekishoError {
  return new SekishoError(
    'record_malformed',
    `An access-log message has more than ${entriesLimit} entries; no Envoy sends that.`,
  );
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function readIdentifier(identifier: FieldReader, into: Mutable<AlsIdentifier>): void {
  while (identifier.next()) {
    if (identifier.is(fields.streamIdentifier.log_name)) into.log = shownName(identifier.string());
    else if (identifier.is(fields.streamIdentifier.node)) readNode(identifier.message(), into);
  }
}

/** Of a node only these three are looked at: it may have 60 KB of extension names. */
function readNode(node: FieldReader, into: Mutable<AlsIdentifier>): void {
  while (node.next()) {
    if (node.is(fields.node.id)) into.node = shownName(node.string());
    else if (node.is(fields.node.cluster)) into.cluster = shownName(node.string());
    else if (node.is(fields.node.metadata)) into.epoch = readEpoch(node.message()) ?? into.epoch;
  }
}

function readEpoch(metadata: FieldReader): number | undefined {
  const value = valuesNamed(metadata, fields.struct.fields, 'sekisho.epoch').at(-1);
  return value && millisecondsOf(value.message());
}

function millisecondsOf(value: FieldReader): number | undefined {
  let milliseconds = Number.NaN;
  while (value.next()) {
    if (value.is(fields.structValue.string_value)) milliseconds = decimal(value.string());
    else if (value.field === fields.structValue.number_value) milliseconds = value.double();
  }
  return Number.isSafeInteger(milliseconds) && milliseconds >= 0 ? milliseconds : undefined;
}

function decimal(text: string): number {
  return /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
}
