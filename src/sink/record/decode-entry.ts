import { FieldReader } from '../../wire/protobuf.ts';
import { nanosecondsIn } from '../../wire/timestamp.ts';
import { flagsIn, putEntry, socketPeerIn, wrappedNumberIn } from './decode-parts.ts';
import * as fields from './entry-fields.ts';
import { standingOn, valuesNamed } from './map-entry.ts';
import type { EntryType } from './redact.ts';
import type { StoredCommon, StoredEntry, StoredRequest, StoredResponse, StoredTls } from './stored-record.types.ts';

/** Reads what Sekisho names of an access-log entry. Throws SekishoError `record_malformed`. */
export function decodeEntry(bytes: Buffer, type: EntryType): StoredEntry {
  const entry: StoredEntry = {};
  const part = new FieldReader(bytes);
  while (part.next()) {
    // A message that comes twice is merged into the first, as protobuf has it.
    if (part.is(fields.httpAccessLogEntry.common_properties)) readCommon(part.message(), (entry.common ??= {}));
    else if (type === 'http') readHttp(part, entry);
    else if (part.is(fields.tcpAccessLogEntry.connection_properties)) {
      readConnection(part.message(), (entry.connection ??= {}));
    }
  }
  return entry;
}

function readHttp(part: FieldReader, entry: StoredEntry): void {
  if (part.is(fields.httpAccessLogEntry.request)) readRequest(part.message(), (entry.request ??= {}));
  else if (part.is(fields.httpAccessLogEntry.response)) readResponse(part.message(), (entry.response ??= {}));
  else if (part.field === fields.httpAccessLogEntry.protocol_version) entry.protocol = part.uint();
}

function readConnection(part: FieldReader, connection: { receivedBytes?: number; sentBytes?: number }): void {
  while (part.next()) {
    if (part.field === fields.connectionProperties.received_bytes) connection.receivedBytes = part.uint();
    else if (part.field === fields.connectionProperties.sent_bytes) connection.sentBytes = part.uint();
  }
}

/** What to do with a field, by its number. */
type Readers<T> = Readonly<Record<number, (reader: FieldReader, into: T) => void>>;

function readFields<T>(reader: FieldReader, into: T, readers: Readers<T>): void {
  while (reader.next()) readers[reader.field]?.(reader, into);
}

function put<T, K extends keyof T>(into: T, key: K, value: T[K] | undefined): void {
  if (value !== undefined) into[key] = value;
}

const { accessLogCommon: common, httpRequestProperties: request, httpResponseProperties: response } = fields;

function readCommon(reader: FieldReader, into: StoredCommon): void {
  readFields(reader, into, commonReaders);
}

const commonReaders: Readers<StoredCommon> = {
  [common.downstream_remote_address]: (r, c) => {
    put(c, 'downstreamRemote', socketPeerIn(r.message()));
  },
  [common.downstream_local_address]: (r, c) => {
    put(c, 'downstreamLocal', socketPeerIn(r.message()));
  },
  [common.downstream_direct_remote_address]: (r, c) => {
    put(c, 'downstreamDirect', socketPeerIn(r.message()));
  },
  [common.upstream_remote_address]: (r, c) => {
    put(c, 'upstreamRemote', socketPeerIn(r.message()));
  },
  [common.tls_properties]: (r, c) => {
    readFields(r.message(), (c.tls ??= {}), tlsReaders);
  },
  [common.start_time]: (r, c) => {
    c.startTime = nanosecondsIn(r.message());
  },
  [common.duration]: (r, c) => {
    c.duration = nanosecondsIn(r.message());
  },
  [common.upstream_cluster]: (r, c) => {
    c.upstreamCluster = r.string();
  },
  [common.response_flags]: (r, c) => {
    c.responseFlags = flagsIn(r.message());
  },
  [common.metadata]: (r, c) => {
    put(c, 'claimedArn', claimedArnIn(r.message()));
  },
  [common.upstream_transport_failure_reason]: (r, c) => {
    c.upstreamFailure = r.string();
  },
  [common.downstream_transport_failure_reason]: (r, c) => {
    c.downstreamFailure = r.string();
  },
  [common.connection_termination_details]: (r, c) => {
    c.termination = r.string();
  },
  [common.route_name]: (r, c) => {
    c.routeName = r.string();
  },
  [common.custom_tags]: (r, c) => {
    c.tags = putEntry(c.tags, r);
  },
  [common.upstream_request_attempt_count]: (r, c) => {
    c.attempts = r.uint();
  },
  [common.stream_id]: (r, c) => {
    c.streamId = r.string();
  },
  [common.downstream_wire_bytes_sent]: (r, c) => {
    c.wireBytesSent = r.uint();
  },
  [common.downstream_wire_bytes_received]: (r, c) => {
    c.wireBytesReceived = r.uint();
  },
  [common.access_log_type]: (r, c) => {
    c.accessLogType = r.uint();
  },
};

const tlsReaders: Readers<StoredTls> = {
  [fields.tlsProperties.tls_version]: (r, t) => {
    t.version = r.uint();
  },
  [fields.tlsProperties.tls_sni_hostname]: (r, t) => {
    t.serverName = r.string();
  },
  [fields.tlsProperties.ja3_fingerprint]: (r, t) => {
    t.ja3 = r.string();
  },
  [fields.tlsProperties.peer_certificate_properties]: (r, t) => {
    readFields(r.message(), t, peerReaders);
  },
};

const peerReaders: Readers<StoredTls> = {
  [fields.certificateProperties.subject]: (r, t) => {
    t.peerSubject = r.string();
  },
};

function claimedArnIn(metadata: FieldReader): string | undefined {
  return valuesNamed(metadata, fields.metadata.filter_metadata, 'sekisho')
    .flatMap((struct) => valuesNamed(struct.message(), fields.struct.fields, 'arn'))
    .flatMap((value) => standingOn(value.message(), fields.structValue.string_value))
    .at(-1)
    ?.string();
}

function readRequest(reader: FieldReader, into: StoredRequest): void {
  readFields(reader, into, requestReaders);
}

const requestReaders: Readers<StoredRequest> = {
  [request.request_method]: (r, q) => {
    q.method = r.uint();
  },
  [request.scheme]: (r, q) => {
    q.scheme = r.string();
  },
  [request.authority]: (r, q) => {
    q.authority = r.string();
  },
  [request.path]: (r, q) => {
    q.path = r.string();
  },
  [request.user_agent]: (r, q) => {
    q.userAgent = r.string();
  },
  [request.referer]: (r, q) => {
    q.referer = r.string();
  },
  [request.forwarded_for]: (r, q) => {
    q.forwardedFor = r.string();
  },
  [request.request_id]: (r, q) => {
    q.requestId = r.string();
  },
  [request.original_path]: (r, q) => {
    q.originalPath = r.string();
  },
  [request.request_headers_bytes]: (r, q) => {
    q.headersBytes = r.uint();
  },
  [request.request_body_bytes]: (r, q) => {
    q.bodyBytes = r.uint();
  },
  [request.request_headers]: (r, q) => {
    q.headers = putEntry(q.headers, r);
  },
};

function readResponse(reader: FieldReader, into: StoredResponse): void {
  readFields(reader, into, responseReaders);
}

const responseReaders: Readers<StoredResponse> = {
  [response.response_code]: (r, s) => {
    s.code = wrappedNumberIn(r.message());
  },
  [response.response_headers_bytes]: (r, s) => {
    s.headersBytes = r.uint();
  },
  [response.response_body_bytes]: (r, s) => {
    s.bodyBytes = r.uint();
  },
  [response.response_headers]: (r, s) => {
    s.headers = putEntry(s.headers, r);
  },
  [response.response_trailers]: (r, s) => {
    s.trailers = putEntry(s.trailers, r);
  },
  [response.response_code_details]: (r, s) => {
    s.codeDetails = r.string();
  },
};
