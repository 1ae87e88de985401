import { canonicalJson } from './canonical-json.ts';
import { decode, type TypedJson } from './proto-json.ts';

/** What `encodeAny` made bytes of, in the field names of its .proto file again; what equals its default is left out. Not for hot paths. */
export function decodeAny(bytes: Uint8Array): TypedJson {
  return canonicalJson(decode('google.protobuf.Any', bytes) as TypedJson).json;
}
