import { controlTimeIn } from '../../wire/control-event.ts';
import { FieldReader } from '../../wire/protobuf.ts';
import { nanosecondsIn } from '../../wire/timestamp.ts';
import { wrappedNumberIn } from '../record/decode-parts.ts';
import * as fields from '../record/entry-fields.ts';
import { recordFields, recordKinds } from '../record/envelope.ts';
import { hostPort } from '../record/host-port.ts';
import type { NamedRecord } from '../record/name.ts';
import { rfc3339 } from '../record/rfc3339.ts';
import { recordFilter, type RecordQuestion } from './filter.ts';

/**
 * Whether a payload may answer the question, by what can be read of it at a fraction of the cost of decoding it: time, host, status, kind. Who passes
 * is decoded and asked for the rest. What cannot be read passes. Throws SekishoError `usage` where the question is not understood.
 */
export function payloadFilter(question: RecordQuestion, now: number): (payload: Buffer) => boolean {
  const { since, until, host, status, kind } = question;
  const glimpsed = { since, until, host, status, kind };
  if (Object.values(glimpsed).every((part) => part === undefined)) return () => true;
  const filter = recordFilter(glimpsed, now);
  return (payload) => {
    const seen = glimpse(payload);
    return seen === undefined || filter(seen);
  };
}

/** What `nameRecord` would say under these names; undefined where the payload is no record, or none that this version knows how to read. */
export function glimpse(payload: Buffer): NamedRecord | undefined {
  try {
    return read(payload);
  } catch {
    return undefined;
  }
}

interface Seen {
  startTime?: bigint;
  authority?: string;
  serverName?: string;
  status?: number;
}

function read(payload: Buffer): NamedRecord | undefined {
  let [kind, received] = [0, 0n];
  let entry: FieldReader | undefined;
  const record = new FieldReader(payload);
  while (record.next()) {
    if (record.field === recordFields.kind) kind = record.uint();
    else if (record.is(recordFields.received)) received = nanosecondsIn(record.message());
    else if (record.is(recordFields.entry)) entry = record.message();
  }
  const name = kindNames.get(kind);
  if (entry === undefined || name === undefined) return undefined;
  const seen = seenOf(name, entry);
  const host = seen.authority === undefined ? undefined : hostPort(seen.authority)?.host;
  return {
    time: rfc3339(seen.startTime ?? received) ?? rfc3339(received) ?? '',
    'sekisho.kind': name,
    ...(host !== undefined && { 'server.address': host }),
    ...(seen.serverName !== undefined && { 'tls.client.server_name': seen.serverName }),
    ...(seen.status !== undefined && { 'http.response.status_code': seen.status }),
  };
}

function seenOf(kind: string, entry: FieldReader): Seen {
  if (kind === 'control') return { startTime: controlTimeIn(entry) };
  return kind === 'gap' ? {} : readEntry(entry, kind === 'http' || kind === 'intent');
}

const kindNames = new Map<number, string>(Object.entries(recordKinds).map(([name, number]) => [number, name]));

function readEntry(entry: FieldReader, http: boolean): Seen {
  const seen: Seen = {};
  while (entry.next()) {
    if (entry.is(fields.httpAccessLogEntry.common_properties)) readCommon(entry.message(), seen);
    else if (http && entry.is(fields.httpAccessLogEntry.request)) readRequest(entry.message(), seen);
    else if (http && entry.is(fields.httpAccessLogEntry.response)) readResponse(entry.message(), seen);
  }
  return seen;
}

function readCommon(common: FieldReader, seen: Seen): void {
  while (common.next()) {
    if (common.field === fields.accessLogCommon.start_time) seen.startTime = nanosecondsIn(common.message());
    else if (common.field === fields.accessLogCommon.tls_properties) readTls(common.message(), seen);
  }
}

function readTls(tls: FieldReader, seen: Seen): void {
  while (tls.next()) if (tls.field === fields.tlsProperties.tls_sni_hostname) seen.serverName = tls.string();
}

function readRequest(request: FieldReader, seen: Seen): void {
  while (request.next())
    if (request.field === fields.httpRequestProperties.authority) seen.authority = request.string();
}

function readResponse(response: FieldReader, seen: Seen): void {
  while (response.next()) {
    if (response.field === fields.httpResponseProperties.response_code)
      seen.status = wrappedNumberIn(response.message());
  }
}
