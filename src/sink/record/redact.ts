import { FieldReader, wireTypes } from '../../wire/protobuf.ts';
import * as fields from './entry-fields.ts';
import { isClaimedArn } from './claimed-arn.ts';
import { everyValue, spells } from './map-entry.ts';
import { redactAny } from './redact-any.ts';
import { redactMetadata } from './redact-metadata.ts';
import { redactTls } from './redact-tls.ts';
import { Redaction } from './redaction.ts';
import type { RedactionRules } from './redaction-rules.ts';
import type { Suspects } from './suspects.ts';

/** The message type of an entry: HTTPAccessLogEntry or TCPAccessLogEntry. */
export type EntryType = 'http' | 'tcp';

export interface RedactedEntry {
  /** The entry; the very Buffer that came in where nothing was to be withheld. */
  readonly bytes: Buffer;
  /** Where something was withheld: `request.path?code`, `response.headers.set-cookie`, `tags.arn`. */
  readonly marks: readonly string[];
}

/**
 * Takes the secrets out of an access-log entry, byte by byte: what is not withheld stays as Envoy wrote it, unknown fields included.
 * `suspects` are those of the message around it, where there is one: then they are looked for once for all its entries.
 * docs/records.md says what is withheld and what cannot be seen. Idempotent.
 * Throws SekishoError `record_malformed` with the offset where a part that must be looked into is no protobuf.
 */
export function redactEntry(entry: Buffer, type: EntryType, rules: RedactionRules, suspects?: Suspects): RedactedEntry {
  const redaction = new Redaction(entry, rules, suspects);
  const part = new FieldReader(entry);
  while (part.next()) {
    if (part.is(fields.httpAccessLogEntry.common_properties)) redactCommon(part.message(), redaction);
    else if (type === 'tcp') continue;
    else if (part.is(fields.httpAccessLogEntry.request)) redactRequest(part.message(), redaction);
    else if (part.is(fields.httpAccessLogEntry.response)) redactResponse(part.message(), redaction);
  }
  return redaction.finish();
}

const { accessLogCommon, httpRequestProperties, httpResponseProperties } = fields;

/** The texts of each message that may hold a URL, by field number, with the place that a mark names. */
const commonTexts: Readonly<Record<number, string>> = {
  [accessLogCommon.upstream_transport_failure_reason]: 'upstream_transport_failure_reason',
  [accessLogCommon.connection_termination_details]: 'connection_termination_details',
  [accessLogCommon.stream_id]: 'stream_id',
  [accessLogCommon.downstream_transport_failure_reason]: 'downstream_transport_failure_reason',
};
const requestTexts: Readonly<Record<number, string>> = {
  [httpRequestProperties.path]: 'request.path',
  [httpRequestProperties.user_agent]: 'request.user_agent',
  [httpRequestProperties.referer]: 'request.referer',
  [httpRequestProperties.forwarded_for]: 'request.forwarded_for',
  [httpRequestProperties.request_id]: 'request.request_id',
  [httpRequestProperties.original_path]: 'request.original_path',
};

function redactCommon(common: FieldReader, redaction: Redaction): void {
  while (common.next()) {
    if (common.wire !== wireTypes.bytes) continue;
    if (common.field === accessLogCommon.tls_properties) redactTls(common.message(), redaction);
    if (common.field < accessLogCommon.metadata) continue;
    const place = commonTexts[common.field];
    if (place !== undefined) redaction.text(common, place);
    else if (common.field === accessLogCommon.metadata) redactMetadata(common.message(), redaction);
    else if (common.field === accessLogCommon.custom_tags) redactTag(common, redaction);
    else if (common.field === accessLogCommon.filter_state_objects) {
      redactAny(common, 'filter_state', redaction);
    }
  }
}

function redactRequest(request: FieldReader, redaction: Redaction): void {
  while (request.next()) {
    if (request.wire !== wireTypes.bytes) continue;
    const place = requestTexts[request.field];
    if (place !== undefined) redaction.text(request, place);
    else if (request.field === httpRequestProperties.request_headers)
      redactHeader(request, 'request.headers', redaction);
    else if (request.field === httpRequestProperties.authority) redaction.authority(request, 'request.authority');
  }
}

function redactResponse(response: FieldReader, redaction: Redaction): void {
  while (response.next()) {
    if (response.wire !== wireTypes.bytes) continue;
    if (response.field === httpResponseProperties.response_headers) {
      redactHeader(response, 'response.headers', redaction);
    } else if (response.field === httpResponseProperties.response_trailers) {
      redactHeader(response, 'response.trailers', redaction);
    } else if (response.field === httpResponseProperties.response_code_details) {
      redaction.text(response, 'response.code_details');
    }
  }
}

/** One entry of a map of headers or trailers. */
function redactHeader(holder: FieldReader, place: string, redaction: Redaction): void {
  everyValue(holder, (value, keyFrom, keyTo) => {
    redactNamed(value, keyFrom, keyTo, place, redaction);
  });
}

function redactNamed(value: FieldReader, keyFrom: number, keyTo: number, place: string, redaction: Redaction): void {
  if (redaction.rules.isSecretHeader(value.buffer, keyFrom, keyTo)) redaction.withhold(value, place, keyFrom, keyTo);
  else redaction.text(value, place, keyFrom, keyTo);
}

const arnKey = Buffer.from('arn');

function redactTag(holder: FieldReader, redaction: Redaction): void {
  const kept = everyValue(holder, (value, keyFrom, keyTo) => {
    if (spells(value.buffer, keyFrom, keyTo, arnKey)) return isClaimedArn(value.buffer, value.from, value.to);
    redactNamed(value, keyFrom, keyTo, 'tags', redaction);
    return true;
  });
  if (!kept) redaction.remove(holder, 'tags', 'arn');
}
