import type { BackwardWriter } from '../../wire/backward-writer.ts';
import {
  httpNumbers,
  httpReceipt,
  receiptLimits,
  tcpNumbers,
  tcpReceipt,
  type HttpReceiptField,
} from '../../wire/receipt-layout.ts';
import * as fields from '../record/entry-fields.ts';
import * as names from '../record/entry-names.ts';
import { socketPeer } from '../record/host-port.ts';
import { receiptNanos } from './receipt-duration.ts';
import type { ReceiptRecord, Stretch } from './receipt-record.ts';

const { accessLogCommon: common, httpRequestProperties: request, httpResponseProperties: response } = fields;

/**
 * Writes the access-log entry that Envoy's ALS would have sent for the same request: an HTTPAccessLogEntry or a TCPAccessLogEntry. Gives the places that
 * Envoy cut, as marks of a record.
 */
export function writeReceiptEntry(record: ReceiptRecord, into: BackwardWriter): readonly string[] {
  const texts = new Texts(record);
  const numbers = numbersIn(texts);
  if (record.type === 'http') {
    const responseEnd = into.length;
    writeResponse(texts, numbers, into);
    into.close(fields.httpAccessLogEntry.response, responseEnd);
    const requestEnd = into.length;
    writeRequest(texts, numbers, into);
    into.close(fields.httpAccessLogEntry.request, requestEnd);
    into.uint(fields.httpAccessLogEntry.protocol_version, names.httpVersionNumber(texts.word(0)));
  } else {
    const connectionEnd = into.length;
    into.uint(fields.connectionProperties.sent_bytes, numbers('sent_bytes'));
    into.uint(fields.connectionProperties.received_bytes, numbers('received_bytes'));
    into.close(fields.tcpAccessLogEntry.connection_properties, connectionEnd);
  }
  const commonEnd = into.length;
  writeCommon(texts, numbers, into);
  into.close(fields.httpAccessLogEntry.common_properties, commonEnd);
  return texts.cuts;
}

type Field = Exclude<HttpReceiptField, 'numbers' | 'words' | 'layout' | 'epoch'>;
type Numbers = (name: (typeof httpNumbers)[number]) => number;

const places: ReadonlyMap<string, number> = new Map(httpReceipt.map((name, index) => [name, index]));
const placeOf = (name: string): number => places.get(name) ?? httpReceipt.length;
/** The common part of both layouts is the same. */
const wordsAt = tcpReceipt.indexOf('words');
const numbersAt = tcpReceipt.indexOf('numbers');

/** Where each text is that Envoy may have cut, as a mark of a record calls it. */
const cutMarks: Readonly<Record<string, string>> = {
  request_method: 'request.method',
  response_content_type: 'response.headers.content-type',
  location: 'response.headers.location',
  x_amzn_requestid: 'response.headers.x-amzn-requestid',
  origin: 'request.headers.origin',
  content_type: 'request.headers.content-type',
};

/** The texts of one record, by name. */
class Texts {
  readonly record: ReceiptRecord;
  readonly cuts: string[] = [];
  readonly #words: readonly string[];

  constructor(record: ReceiptRecord) {
    this.record = record;
    this.#words = this.at(wordsAt).split(' ');
  }

  at(place: number): string {
    const { from, to } = this.record.texts[place] ?? nothing;
    return this.record.message.toString('utf8', from, to);
  }

  of(name: Field): string {
    return isAbsent(this.record.message, this.#place(name)) ? '' : this.at(placeOf(name));
  }

  word(index: number): string {
    return this.#words[index] ?? '';
  }

  /** Copies a text as a field, if it is there. */
  copy(name: Field, field: number, into: BackwardWriter): void {
    const stretch = this.#uncut(name);
    if (isAbsent(this.record.message, stretch)) return;
    into.bytes(field, this.record.message, stretch.from, stretch.to);
  }

  /** The same as an entry of a map of headers. */
  header(name: Field, key: string, field: number, into: BackwardWriter): void {
    const stretch = this.#uncut(name);
    if (isAbsent(this.record.message, stretch)) return;
    const mark = into.length;
    into.bytes(fields.mapEntry.value, this.record.message, stretch.from, stretch.to);
    into.text(fields.mapEntry.key, key);
    into.close(field, mark);
  }

  #place(name: Field): Stretch {
    return this.record.texts[placeOf(name)] ?? nothing;
  }

  /**
   * Where Envoy cut, the end may be half of a secret whose name or whose `@` is gone: what stands behind the last delimiter is left out as well.
   */
  #uncut(name: Field): Stretch {
    const { from, to } = this.#place(name);
    const limit = receiptLimits[name];
    if (limit === undefined || to - from < limit) return { from, to };
    const mark = `${cutMarks[name] ?? `request.${name}`}:cut`;
    if (!this.cuts.includes(mark)) this.cuts.push(mark);
    let end = to;
    while (end > from && !delimiters.has(this.record.message[end - 1] ?? 0)) end -= 1;
    return { from, to: end };
  }
}

const nothing: Stretch = { from: 0, to: 0 };
const delimiters: ReadonlySet<number> = new Set(Buffer.from('?&#/ ,;'));

/** Envoy's word for what is not there. */
function isAbsent(message: Buffer, { from, to }: Stretch): boolean {
  return to === from || (to - from === 1 && message[from] === hyphen);
}

const hyphen = 0x2d;

function numbersIn(texts: Texts): Numbers {
  const order: readonly string[] = texts.record.type === 'http' ? httpNumbers : tcpNumbers;
  const numbers = texts.at(numbersAt).split(' ');
  return (name) => {
    const number = Number(numbers[order.indexOf(name)] ?? 0);
    return Number.isSafeInteger(number) && number > 0 ? number : 0;
  };
}

/** From the last field to the first. */
function writeResponse(texts: Texts, numbers: Numbers, into: BackwardWriter): void {
  texts.copy('response_code_details', response.response_code_details, into);
  texts.header('x_amzn_requestid', 'x-amzn-requestid', response.response_headers, into);
  texts.header('location', 'location', response.response_headers, into);
  texts.header('response_content_type', 'content-type', response.response_headers, into);
  into.uint(response.response_body_bytes, numbers('sent_bytes'));
  into.uint(response.response_headers_bytes, numbers('response_headers_bytes'));
  const code = numbers('response_code');
  if (code === 0) return;
  const mark = into.length;
  into.uint(fields.wrappedNumber.value, code);
  into.close(response.response_code, mark);
}

function writeRequest(texts: Texts, numbers: Numbers, into: BackwardWriter): void {
  texts.header('content_type', 'content-type', request.request_headers, into);
  texts.header('origin', 'origin', request.request_headers, into);
  texts.header('referer', 'referer', request.request_headers, into);
  into.uint(request.request_body_bytes, numbers('received_bytes'));
  into.uint(request.request_headers_bytes, numbers('request_headers_bytes'));
  texts.copy('original_path', request.original_path, into);
  texts.copy('request_id', request.request_id, into);
  texts.copy('forwarded_for', request.forwarded_for, into);
  texts.copy('referer', request.referer, into);
  texts.copy('user_agent', request.user_agent, into);
  texts.copy('path', request.path, into);
  texts.copy('authority', request.authority, into);
  texts.copy('scheme', request.scheme, into);
  into.uint(request.request_method, names.requestMethodNumber(texts.of('request_method')));
}

function writeCommon(texts: Texts, numbers: Numbers, into: BackwardWriter): void {
  into.uint(common.access_log_type, names.accessLogTypeNumber(texts.of('access_log_type')));
  into.uint(common.downstream_wire_bytes_received, numbers('downstream_wire_bytes_received'));
  into.uint(common.downstream_wire_bytes_sent, numbers('downstream_wire_bytes_sent'));
  texts.copy('downstream_transport_failure_reason', common.downstream_transport_failure_reason, into);
  texts.copy('stream_id', common.stream_id, into);
  texts.copy('connection_termination_details', common.connection_termination_details, into);
  into.uint(common.upstream_request_attempt_count, numbers('upstream_request_attempt_count'));
  writeDuration(texts.of('duration'), into);
  writeTags(texts.record, into);
  writeAddress(texts.of('downstream_direct_remote_address'), common.downstream_direct_remote_address, into);
  texts.copy('route_name', common.route_name, into);
  texts.copy('upstream_transport_failure_reason', common.upstream_transport_failure_reason, into);
  writeFlags(texts.word(1), into);
  texts.copy('upstream_cluster', common.upstream_cluster, into);
  writeAddress(texts.of('upstream_remote_address'), common.upstream_remote_address, into);
  const { seconds, nanos } = texts.record;
  if (seconds > 0) writeMoment(common.start_time, seconds, nanos, into);
  writeTls(texts, into);
  writeAddress(texts.of('downstream_local_address'), common.downstream_local_address, into);
  writeAddress(texts.of('downstream_remote_address'), common.downstream_remote_address, into);
}

function writeTls(texts: Texts, into: BackwardWriter): void {
  const mark = into.length;
  texts.copy('ja3_fingerprint', fields.tlsProperties.ja3_fingerprint, into);
  const peer = into.length;
  texts.copy('peer_subject', fields.certificateProperties.subject, into);
  if (into.length > peer) into.close(fields.tlsProperties.peer_certificate_properties, peer);
  texts.copy('tls_sni_hostname', fields.tlsProperties.tls_sni_hostname, into);
  into.uint(fields.tlsProperties.tls_version, names.tlsVersionNumber(texts.word(2)));
  if (into.length > mark) into.close(common.tls_properties, mark);
}

function writeFlags(list: string, into: BackwardWriter): void {
  if (list === '-' || list === '') return;
  const mark = into.length;
  const numbers = list
    .split(',')
    .map(names.responseFlagNumber)
    .filter((number) => number > 0)
    .sort((a, b) => b - a);
  for (const number of numbers) {
    // Only this one is a message.
    if (number === unauthorizedDetails) into.close(number, into.length);
    else into.uint(number, 1);
  }
  if (into.length > mark) into.close(common.response_flags, mark);
}

const unauthorizedDetails = 13;

/** Internal listeners and pipes are no sockets, and have no column. */
function writeAddress(text: string, field: number, into: BackwardWriter): void {
  const peer = socketPeer(text);
  if (peer === undefined) return;
  const mark = into.length;
  into.uint(fields.socketAddress.port_value, peer.port);
  into.text(fields.socketAddress.address, peer.address);
  into.close(fields.address.socket_address, mark);
  into.close(field, mark);
}

function writeDuration(text: string, into: BackwardWriter): void {
  const nanos = receiptNanos(text);
  if (nanos === undefined) return;
  const seconds = Math.floor(nanos / 1e9);
  writeMoment(common.duration, seconds, nanos - seconds * 1e9, into);
}

function writeMoment(field: number, seconds: number, nanos: number, into: BackwardWriter): void {
  const mark = into.length;
  into.uint(fields.moment.nanos, nanos);
  into.uint(fields.moment.seconds, seconds);
  into.close(field, mark);
}

function writeTags({ message, tags }: ReceiptRecord, into: BackwardWriter): void {
  for (let index = tags.length - 2; index >= 0; index -= 2) {
    const [key = nothing, value = nothing] = [tags[index], tags[index + 1]];
    if (isAbsent(message, value)) continue;
    const mark = into.length;
    into.bytes(fields.mapEntry.value, message, value.from, value.to);
    into.bytes(fields.mapEntry.key, message, key.from, key.to);
    into.close(common.custom_tags, mark);
  }
}
