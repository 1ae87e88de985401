import { SekishoError } from '../base/errors.ts';
import { bytesField, FieldReader, uintField } from './protobuf.ts';

/** What Sekisho reads of an envoy.service.auth.v3.CheckRequest. Messages stay bytes, for most go on into a record. */
export interface AuthorizationRequest {
  /** The address of the client's connection, without port; '' where it has none. */
  readonly client: string;
  /** By name in lower case; those that the filter was told to send. */
  readonly headers: ReadonlyMap<string, string>;
  /** envoy.config.core.v3.Address of both ends of the connection; empty where the question has none, as with the others. */
  readonly source: Buffer;
  readonly destination: Buffer;
  /** google.protobuf.Timestamp: when Envoy received the first byte. */
  readonly time: Buffer;
  /** envoy.config.core.v3.Metadata: the namespaces that the filter was told to send. */
  readonly metadata: Buffer;
  /** Server name of the TLS connection. */
  readonly serverName: string;
  /** Of a request; a question about a connection has none. */
  readonly http: HttpAttributes | undefined;
  /** What the route says to the question. */
  readonly extensions: ReadonlyMap<string, string>;
}

/** AttributeContext.HttpRequest. What is not UTF-8 Envoy has replaced. */
export interface HttpAttributes {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  /** With its query. */
  readonly path: string;
  /** `HTTP/1.1`, `HTTP/2`, … */
  readonly protocol: string;
}

/** What Envoy shall do with the request that it asked about. */
export type AuthorizationAnswer =
  { readonly metadata: Facts } | { readonly metadata: Facts; readonly denied: DeniedAnswer };

/** What the access log knows under the namespace of the filter. */
type Facts = Readonly<Record<string, string>>;

export interface DeniedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Reads a CheckRequest; the field numbers are those of envoy/service/auth/v3, others are skipped.
 * Throws `request_malformed` when the bytes are no such message.
 */
export function decodeAuthorizationRequest(bytes: Buffer): AuthorizationRequest {
  try {
    return readCheckRequest(new FieldReader(bytes));
  } catch (caught) {
    const why = SekishoError.from(caught).message;
    throw new SekishoError('request_malformed', `A question of authorization could not be read. ${why}`, {
      cause: caught,
    });
  }
}

const nothing: Buffer = Buffer.alloc(0);

interface Reading {
  readonly headers: Map<string, string>;
  readonly extensions: Map<string, string>;
  readonly http: Record<keyof HttpAttributes, string>;
  isHttp: boolean;
  client: string;
  source: Buffer;
  destination: Buffer;
  time: Buffer;
  metadata: Buffer;
  serverName: string;
}

function readCheckRequest(request: FieldReader): AuthorizationRequest {
  const read: Reading = {
    headers: new Map(),
    extensions: new Map(),
    http: { method: '', scheme: '', host: '', path: '', protocol: '' },
    isHttp: false,
    ...{ client: '', serverName: '' },
    ...{ source: nothing, destination: nothing, time: nothing, metadata: nothing },
  };
  while (request.next()) if (request.is(1)) readAttributes(request.message(), read);
  const { http, isHttp, ...rest } = read;
  return { ...rest, http: isHttp ? http : undefined };
}

/** AttributeContext; the numbers stand in envoy/service/auth/v3/attribute_context.proto. */
function readAttributes(attributes: FieldReader, into: Reading): void {
  while (attributes.next()) {
    if (attributes.is(1)) {
      into.source = bytesAt(attributes.message(), 1);
      into.client = textAt(attributes.message(), [1, 1, 2]);
    } else if (attributes.is(2)) into.destination = bytesAt(attributes.message(), 1);
    else if (attributes.is(4)) readRequest(attributes.message(), into);
    else if (attributes.is(10)) putPair(attributes.message(), into.extensions);
    else if (attributes.is(11)) into.metadata = attributes.bytes();
    else if (attributes.is(12)) into.serverName = textAt(attributes.message(), [1]);
  }
}

/** AttributeContext.Request: its time, and HttpRequest. */
function readRequest(request: FieldReader, into: Reading): void {
  while (request.next()) {
    if (request.is(1)) into.time = request.bytes();
    if (!request.is(2)) continue;
    into.isHttp = true;
    const http = request.message();
    while (http.next()) {
      const text = httpTexts[http.field];
      if (http.is(3)) putPair(http.message(), into.headers);
      else if (text !== undefined) into.http[text] = http.string();
    }
  }
}

const httpTexts: Readonly<Record<number, keyof HttpAttributes>> = {
  ...{ 2: 'method', 4: 'path', 5: 'host', 6: 'scheme', 10: 'protocol' },
};

function bytesAt(reader: FieldReader, field: number): Buffer {
  let bytes = nothing;
  while (reader.next()) if (reader.is(field)) bytes = reader.bytes();
  return bytes;
}

/** By way of Peer.address → core.v3.Address.socket_address → SocketAddress.address, for one. */
function textAt(reader: FieldReader, [field = 0, ...inside]: readonly number[]): string {
  let text = '';
  while (reader.next()) {
    if (reader.is(field)) text = inside.length === 0 ? reader.string() : textAt(reader.message(), inside);
  }
  return text;
}

function putPair(entry: FieldReader, into: Map<string, string>): void {
  const pair = ['', ''];
  while (entry.next()) if (entry.is(1) || entry.is(2)) pair[entry.field - 1] = entry.string();
  into.set(pair[0] ?? '', pair[1] ?? '');
}

/** google.rpc.Code. Any other than 0 is a refusal to Envoy. */
const permissionDenied = 7;

/** Writes a CheckResponse. Its status is always there: without one, Envoy takes the answer for an error. */
export function encodeAuthorizationAnswer(answer: AuthorizationAnswer): Buffer {
  const metadata = bytesField(4, struct(answer.metadata));
  if (!('denied' in answer)) return Buffer.concat([bytesField(1, ''), bytesField(3, ''), metadata]);
  const { status, headers, body } = answer.denied;
  const denied = Buffer.concat([
    bytesField(1, uintField(1, status)),
    ...Object.entries(headers).map(([name, value]) => bytesField(2, bytesField(1, pair(name, bytesField(2, value))))),
    bytesField(3, body),
  ]);
  return Buffer.concat([bytesField(1, uintField(1, permissionDenied)), bytesField(2, denied), metadata]);
}

/** google.protobuf.Struct of texts. */
function struct(facts: Facts): Buffer {
  const fields = Object.entries(facts).map(([name, value]) =>
    bytesField(1, pair(name, bytesField(2, bytesField(3, value)))),
  );
  return Buffer.concat(fields);
}

/** A map entry, or a header: the key is field 1 in both. */
function pair(key: string, value: Buffer): Buffer {
  return Buffer.concat([bytesField(1, key), value]);
}
