import type protobuf from 'protobufjs';
import protoJson from 'protobufjs/ext/protojson.js';
import { SekishoError } from '../base/errors.ts';
import { envoyApi } from './envoy-api.ts';

/** A message in ProtoJSON, in the field names of its .proto file, with its type beside them. Reads like Envoy's own YAML. */
export interface TypedJson {
  readonly '@type': string;
  readonly [field: string]: unknown;
}

/**
 * The bytes of a `google.protobuf.Any` that holds `json`. Strict: an unknown field, enum name or type is `resource_invalid`, because
 * a field that is dropped in silence is a door that is open in silence.
 * Source: https://protobuf.dev/programming-guides/json/
 */
export function encodeAny(json: TypedJson): Buffer {
  return encode('google.protobuf.Any', json);
}

/** The bytes of the message `type` written in ProtoJSON. */
export function encode(type: string, json: unknown): Buffer {
  try {
    const message = protoJson.fromJson(envoyApi().lookupType(type), json);
    return Buffer.from(message.$type.encode(message).finish());
  } catch (caught) {
    throw new SekishoError('resource_invalid', `${type} cannot be written: ${SekishoError.from(caught).message}`, {
      cause: caught,
    });
  }
}

/** The message `type` read from bytes, as ProtoJSON. Not for hot paths. */
export function decode(type: string, bytes: Uint8Array): unknown {
  const reflected: protobuf.Type = envoyApi().lookupType(type);
  return protoJson.toJson(reflected, reflected.decode(bytes));
}
