import { crc32 } from 'node:zlib';

/**
 * The bytes of a segment, as drawn in docs/journal-format.md. All numbers are big-endian; all lengths and offsets are in bytes.
 */
export const segmentHeaderBytes = 32;
export const batchHeaderBytes = 24;
export const frameHeaderBytes = 8;
export const largestPayload = 0xffff;
export const markerBytes = 8;

const segmentMagic = Buffer.from('SEKISHOJ', 'latin1');
const formatVersion = 1;
/** Greater than any frame's length, so that what comes next in a segment is told by its first four bytes. */
const batchMagic = 0xb5e15a7c;

/** Drawn at random for each segment and repeated in its batch headers, so that no payload can pass for one. */
export type Marker = Buffer;

export interface SegmentHeader {
  readonly firstIndex: number;
  readonly marker: Marker;
}

export type SegmentHeaderReading = SegmentHeader | 'damaged' | 'other version';

export function writeSegmentHeader(into: Buffer, at: number, header: SegmentHeader): void {
  segmentMagic.copy(into, at);
  into.writeUInt32BE(formatVersion, at + 8);
  writeIndex(into, at + 12, header.firstIndex);
  header.marker.copy(into, at + 20);
  into.writeUInt32BE(crc32(into.subarray(at, at + 28)), at + 28);
}

export function readSegmentHeader(bytes: Buffer): SegmentHeaderReading {
  if (bytes.length < segmentHeaderBytes || !bytes.subarray(0, 8).equals(segmentMagic)) return 'damaged';
  if (bytes.readUInt32BE(28) !== crc32(bytes.subarray(0, 28))) return 'damaged';
  if (bytes.readUInt32BE(8) !== formatVersion) return 'other version';
  return { firstIndex: readIndex(bytes, 12), marker: Buffer.from(bytes.subarray(20, 28)) };
}

/** `index` is that of the batch's first frame: all frames before it were on disk before this header was written. */
export function writeBatchHeader(into: Buffer, at: number, marker: Marker, index: number): void {
  into.writeUInt32BE(batchMagic, at);
  marker.copy(into, at + 4);
  writeIndex(into, at + 12, index);
  into.writeUInt32BE(crc32(into.subarray(at, at + 20)), at + 20);
}

/** The index in the batch header at `at`, or undefined if no whole and sound one of this marker stands there. */
export function readBatchHeader(bytes: Buffer, at: number, marker: Marker): number | undefined {
  if (at + batchHeaderBytes > bytes.length || bytes.readUInt32BE(at) !== batchMagic) return undefined;
  if (bytes.compare(marker, 0, markerBytes, at + 4, at + 12) !== 0) return undefined;
  if (bytes.readUInt32BE(at + 20) !== crc32(bytes.subarray(at, at + 20))) return undefined;
  return readIndex(bytes, at + 12);
}

/** What every batch header begins with, where the marker is known: what to search for behind damage. */
export function batchHeaderStart(marker: Marker | undefined): Buffer {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(batchMagic);
  return marker === undefined ? magic : Buffer.concat([magic, marker]);
}

/** The marker that the batch header at `at` claims, for a segment whose own header is lost. */
export function claimedMarker(bytes: Buffer, at: number): Marker {
  return Buffer.from(bytes.subarray(at + 4, at + 4 + markerBytes));
}

/**
 * Makes a frame of the `length` bytes that stand behind the place for its header at `at`, and returns where the next one goes. There must be 1 to
 * `largestPayload` of them.
 */
export function sealFrame(bytes: Buffer, at: number, length: number): number {
  const from = at + frameHeaderBytes;
  const to = from + length;
  bytes.writeUInt32BE(length, at);
  bytes.writeUInt32BE(crc32(bytes.subarray(from, to), crcOfLength(length)), at + 4);
  return to;
}

/** How many bytes the payload of the frame at `at` claims to have; undefined if no frame can begin there. Needs four bytes. */
export function readFrameLength(bytes: Buffer, at: number): number | undefined {
  const length = bytes.readUInt32BE(at);
  return length >= 1 && length <= largestPayload ? length : undefined;
}

/** The payload of the frame at `at`, a view of `bytes`; undefined if its CRC does not match. Needs the whole frame in `bytes`. */
export function readFrame(bytes: Buffer, at: number, length: number): Buffer | undefined {
  const payload = bytes.subarray(at + frameHeaderBytes, at + frameHeaderBytes + length);
  return crc32(payload, crcOfLength(length)) === bytes.readUInt32BE(at + 4) ? payload : undefined;
}

/** The CRC goes on from the four bytes of the length. A call into zlib for so few costs as much as that for a payload. */
function crcOfLength(length: number): number {
  const known = lengthCrcs[length];
  if (known !== undefined && known !== 0) return known;
  lengthBytes.writeUInt32BE(length);
  return (lengthCrcs[length] = crc32(lengthBytes));
}

const lengthCrcs = new Uint32Array(largestPayload + 1);
const lengthBytes = Buffer.alloc(4);

function writeIndex(into: Buffer, at: number, index: number): void {
  into.writeUInt32BE(Math.floor(index / 2 ** 32), at);
  into.writeUInt32BE(index % 2 ** 32, at + 4);
}

function readIndex(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
