import type { AuthorizationRequest, HttpAttributes } from '../../wire/authorization.ts';
import { bytesField, uintField } from '../../wire/protobuf.ts';
import * as fields from './entry-fields.ts';
import { httpVersionNumber, requestMethodNumber } from './entry-names.ts';
import type { EntryType } from './redact.ts';

/** What an intent says besides the question itself. */
export interface IntentFacts {
  /** Who authenticated at the door; undefined or `-` where nobody had to. */
  readonly user?: string | undefined;
  /** The CONNECT behind which this is. */
  readonly tunnel?: string | undefined;
  /** The stream id of the outcome; undefined or `-` where nobody knows it. */
  readonly id?: string | undefined;
}

/** Whether the entry of an intent is one of a request or of a connection, by the log in which its outcome will be. */
export function intentType(log: string): EntryType {
  return log.endsWith('/tcp') ? 'tcp' : 'http';
}

/**
 * What was about to leave, as the access-log entry that Envoy would write of it, without response: HTTPAccessLogEntry where the question is about a
 * request, else TCPAccessLogEntry (envoy/data/accesslog/v3). Not redacted yet.
 */
export function intentEntry(question: AuthorizationRequest, facts: IntentFacts): Buffer {
  const { http, headers } = question;
  const common = bytesField(fields.httpAccessLogEntry.common_properties, commonOf(question, facts));
  if (http === undefined) return common;
  return Buffer.concat([
    common,
    uintField(fields.httpAccessLogEntry.protocol_version, httpVersionNumber(http.protocol)),
    bytesField(fields.httpAccessLogEntry.request, requestOf(http, headers)),
  ]);
}

const { accessLogCommon: common, httpRequestProperties: request } = fields;

function commonOf(question: AuthorizationRequest, { user, tunnel, id }: IntentFacts): Buffer {
  const { source, destination, serverName, time, metadata } = question;
  return Buffer.concat([
    some(common.downstream_remote_address, source),
    some(common.downstream_local_address, destination),
    serverName === ''
      ? nothing
      : bytesField(common.tls_properties, bytesField(fields.tlsProperties.tls_sni_hostname, serverName)),
    some(common.start_time, time),
    some(common.metadata, metadata),
    tag('user', user),
    tag('tunnel', tunnel),
    some(common.stream_id, id ?? ''),
  ]);
}

function requestOf({ method, scheme, host, path }: HttpAttributes, headers: ReadonlyMap<string, string>): Buffer {
  return Buffer.concat([
    uintField(request.request_method, requestMethodNumber(method)),
    some(request.scheme, scheme),
    some(request.authority, host),
    some(request.path, path),
    some(request.user_agent, headers.get('user-agent') ?? ''),
    some(request.request_id, headers.get('x-request-id') ?? ''),
  ]);
}

const nothing = Buffer.alloc(0);

function some(field: number, content: Buffer | string): Buffer {
  return content.length === 0 ? nothing : bytesField(field, content);
}

function tag(name: string, value: string | undefined): Buffer {
  if (value === undefined || value === '' || value === '-') return nothing;
  const entry = [bytesField(fields.mapEntry.key, name), bytesField(fields.mapEntry.value, value)];
  return bytesField(common.custom_tags, Buffer.concat(entry));
}
