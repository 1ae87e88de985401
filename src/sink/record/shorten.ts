import { FieldReader, wireTypes } from '../../wire/protobuf.ts';
import * as fields from './entry-fields.ts';
import { keyOf, valuesOf } from './map-entry.ts';
import type { EntryType } from './redact.ts';
import { Redaction } from './redaction.ts';
import { redactionRules } from './redaction-rules.ts';

/** One step of shortening: how many bytes of a text may stay. */
interface Step {
  readonly headers: number;
  readonly texts: number;
  /** Whether what other filters left (metadata, filter state) goes. */
  readonly foreign: boolean;
}

/** Least evidence first: logged headers, then what other filters left, then the request's own texts. */
const steps: readonly Step[] = [
  { headers: 256, texts: Infinity, foreign: false },
  { headers: 256, texts: Infinity, foreign: true },
  { headers: 256, texts: 4096, foreign: true },
  { headers: 0, texts: 1024, foreign: true },
  { headers: 0, texts: 256, foreign: true },
];

/**
 * Ever shorter forms of an entry that is too large for a record, for the caller to take the first that fits. Marks name each place
 * with `:cut`, or `:dropped` where nothing is left. The entry has been redacted before: cutting first could split a secret's name.
 */
export function* shorten(entry: Buffer, type: EntryType): Generator<{ bytes: Buffer; marks: readonly string[] }> {
  for (const step of steps) {
    const cutter = new Redaction(entry, withoutRules);
    cutEntry(new FieldReader(entry), type, step, cutter);
    yield cutter.finish();
  }
}

const withoutRules = redactionRules();
const { accessLogCommon: common, httpRequestProperties: request, httpResponseProperties: response } = fields;

/** Texts by field number and the name that a mark shows. Identity, times, addresses and codes are never cut. */
const requestTexts: Readonly<Record<number, string>> = {
  [request.authority]: 'request.authority',
  [request.path]: 'request.path',
  [request.user_agent]: 'request.user_agent',
  [request.referer]: 'request.referer',
  [request.forwarded_for]: 'request.forwarded_for',
  [request.request_id]: 'request.request_id',
  [request.original_path]: 'request.original_path',
};
const commonTexts: Readonly<Record<number, string>> = {
  [common.upstream_transport_failure_reason]: 'upstream_transport_failure_reason',
  [common.connection_termination_details]: 'connection_termination_details',
  [common.downstream_transport_failure_reason]: 'downstream_transport_failure_reason',
};

function cutEntry(entry: FieldReader, type: EntryType, step: Step, cutter: Redaction): void {
  while (entry.next()) {
    if (entry.is(fields.httpAccessLogEntry.common_properties)) cutCommon(entry.message(), step, cutter);
    else if (type === 'tcp') continue;
    else if (entry.is(fields.httpAccessLogEntry.request)) cutRequest(entry.message(), step, cutter);
    else if (entry.is(fields.httpAccessLogEntry.response)) cutResponse(entry.message(), step, cutter);
  }
}

function cutCommon(part: FieldReader, step: Step, cutter: Redaction): void {
  while (part.next()) {
    if (part.wire !== wireTypes.bytes) continue;
    const place = commonTexts[part.field];
    if (place !== undefined) cutter.cut(part, place, step.texts);
    else if (part.field === common.custom_tags) cutValues(part, 'tags', step.texts, cutter);
    else if (part.field === common.filter_state_objects && step.foreign) dropForeign(part, 'filter_state', cutter);
    else if (part.field === common.metadata && step.foreign) dropMetadata(part.message(), cutter);
  }
}

function cutRequest(part: FieldReader, step: Step, cutter: Redaction): void {
  while (part.next()) {
    const place = part.wire === wireTypes.bytes ? requestTexts[part.field] : undefined;
    if (place !== undefined) cutter.cut(part, place, step.texts);
    else if (part.is(request.request_headers)) cutValues(part, 'request.headers', step.headers, cutter);
  }
}

function cutResponse(part: FieldReader, step: Step, cutter: Redaction): void {
  while (part.next()) {
    if (part.is(response.response_headers)) cutValues(part, 'response.headers', step.headers, cutter);
    else if (part.is(response.response_trailers)) cutValues(part, 'response.trailers', step.headers, cutter);
    else if (part.is(response.response_code_details)) cutter.cut(part, 'response.code_details', step.texts);
  }
}

/** One entry of a map; with nothing to keep it goes as a whole. */
function cutValues(holder: FieldReader, place: string, limit: number, cutter: Redaction): void {
  if (limit === 0) {
    cutter.remove(holder, place, `${keyOf(holder)}:dropped`);
    return;
  }
  for (const value of valuesOf(holder)) cutter.cut(value, `${place}.${keyOf(holder)}`, limit);
}

function dropMetadata(part: FieldReader, cutter: Redaction): void {
  while (part.next()) dropForeign(part, 'metadata', cutter);
}

function dropForeign(holder: FieldReader, place: string, cutter: Redaction): void {
  if (holder.wire !== wireTypes.bytes) return;
  const name = keyOf(holder);
  if (!name.startsWith('sekisho')) cutter.remove(holder, place, `${name}:dropped`);
}
