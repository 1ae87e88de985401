import { uintField, type FieldReader } from './protobuf.ts';

/** The content of a google.protobuf.Timestamp. */
export function encodeTimestamp(seconds: number, nanos: number): Buffer {
  return Buffer.concat([uintField(1, seconds), uintField(2, nanos)]);
}

/** google.protobuf.Timestamp and Duration, in nanoseconds. */
export function nanosecondsIn(reader: FieldReader): bigint {
  let seconds = 0n;
  let nanos = 0n;
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.int();
    else if (reader.field === 2) nanos = BigInt.asIntN(32, reader.int());
  }
  return seconds * 1_000_000_000n + nanos;
}
