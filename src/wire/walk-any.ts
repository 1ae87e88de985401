import protobuf from 'protobufjs';
import { envoyApi } from './envoy-api.ts';

/** What a walk through a message meets. */
export interface MessageVisitor {
  /** A message, by its full name (`envoy.config.route.v3.RouteAction`), with the fields that are set, in the names of its .proto file. */
  message(type: string, fields: Readonly<Record<string, unknown>>): void;
  /** A message of a type that is not loaded, or bytes that are none. */
  opaque(bytes: Buffer): void;
}

/** Visits every message in a serialized `google.protobuf.Any`, and in every Any inside it, outer ones first. */
export function walkAny(bytes: Buffer, visitor: MessageVisitor): void {
  const any = decoded('google.protobuf.Any', bytes);
  if (any === undefined) visitor.opaque(bytes);
  else walkEmbedded(any, visitor, 0);
}

/** Configuration nests a few levels deep (listener, filter, route, per-filter configuration); what goes on further is not looked into. */
const deepest = 16;

function walkEmbedded(any: Fields, visitor: MessageVisitor, depth: number): void {
  const { type_url: url, value } = any;
  const bytes = value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : empty;
  const type = typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : '';
  const message = depth < deepest ? decoded(type, bytes) : undefined;
  if (message === undefined) visitor.opaque(bytes);
  else walk(message, visitor, depth);
}

function walk(message: Fields, visitor: MessageVisitor, depth: number): void {
  const type = nameOf(message);
  if (type === 'google.protobuf.Any') {
    walkEmbedded(message, visitor, depth + 1);
    return;
  }
  if (type !== undefined) visitor.message(type, message);
  for (const value of Object.values(message)) walkValue(value, visitor, depth);
}

function walkValue(value: unknown, visitor: MessageVisitor, depth: number): void {
  if (Array.isArray(value)) for (const item of value) walkValue(item, visitor, depth);
  else if (isFields(value)) walk(value, visitor, depth);
}

type Fields = Readonly<Record<string, unknown>>;

const empty = Buffer.alloc(0);

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

/** Undefined for a map field, which is no message. */
function nameOf(message: Fields): string | undefined {
  return message instanceof protobuf.Message ? message.$type.fullName.slice(1) : undefined;
}

function decoded(type: string, bytes: Buffer): Fields | undefined {
  try {
    const message: unknown = envoyApi().lookupType(type).decode(bytes);
    return isFields(message) ? message : undefined;
  } catch {
    return undefined; // An unknown type, or bytes that are not of it.
  }
}
