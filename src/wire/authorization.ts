import { SekishoError } from '../base/errors.ts';
import { bytesField, FieldReader, uintField } from './protobuf.ts';

/** What Sekisho reads of an envoy.service.auth.v3.CheckRequest. */
export interface AuthorizationRequest {
  /** The address of the client's connection, without port; '' where it has none. */
  readonly client: string;
  /** By name in lower case; those that the filter was told to send. */
  readonly headers: ReadonlyMap<string, string>;
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

function readCheckRequest(request: FieldReader): AuthorizationRequest {
  const headers = new Map<string, string>();
  let client = '';
  while (request.next()) {
    if (!request.is(1)) continue;
    const attributes = request.message();
    while (attributes.next()) {
      if (attributes.is(1)) client = readAddress(attributes.message());
      else if (attributes.is(4)) readHeaders(attributes.message(), headers);
    }
  }
  return { client, headers };
}

/** AttributeContext.Peer.address → core.v3.Address.socket_address → SocketAddress.address. */
function readAddress(peer: FieldReader): string {
  return textAt(peer, [1, 1, 2]);
}

function textAt(reader: FieldReader, [field = 0, ...inside]: readonly number[]): string {
  let text = '';
  while (reader.next()) {
    if (reader.is(field)) text = inside.length === 0 ? reader.string() : textAt(reader.message(), inside);
  }
  return text;
}

/** AttributeContext.Request.http → HttpRequest.headers, a map. */
function readHeaders(request: FieldReader, into: Map<string, string>): void {
  while (request.next()) {
    if (!request.is(2)) continue;
    const http = request.message();
    while (http.next()) {
      if (!http.is(3)) continue;
      const entry = http.message();
      const header = ['', ''];
      while (entry.next()) if (entry.is(1) || entry.is(2)) header[entry.field - 1] = entry.string();
      into.set(header[0] ?? '', header[1] ?? '');
    }
  }
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
