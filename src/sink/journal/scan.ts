import type { DiskFile } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import {
  batchHeaderBytes,
  batchHeaderStart,
  claimedMarker,
  frameHeaderBytes,
  readBatchHeader,
  readFrame,
  readFrameLength,
  readSegmentHeader,
  segmentHeaderBytes,
  type Marker,
} from './format.ts';
import type { Segment } from './segments.ts';
import { Window } from './window.ts';

/** A stored payload. `offset` is that of its frame in the segment; the payload is a view of memory that nobody writes to. */
export interface Frame {
  readonly index: number;
  readonly offset: number;
  readonly payload: Buffer;
}

/** Frames known to be acknowledged: what follows them could only be written after they were on disk. */
export interface ScannedBatch {
  readonly kind: 'batch';
  readonly frames: readonly Frame[];
}

/** Acknowledged bytes that cannot be read. The frames before it and those from the next batch header on are sound. */
export interface ScannedDamage {
  readonly kind: 'damage';
  readonly offset: number;
  /** The index of the first frame that is missing, and how many are. 0: the damage hit what carries no frame. */
  readonly index: number;
  readonly lostFrames: number;
}

/** The end of a segment: what nothing in this segment proves to be acknowledged, or to be damaged rather than torn. */
export interface ScannedTail {
  readonly kind: 'tail';
  /** Whole frames after the last batch header. */
  readonly frames: readonly Frame[];
  /** Where the last batch header is, and its index: reading may go on from here later. undefined if there is none. */
  readonly resume: ScanPosition | undefined;
  /** The first byte behind all that could be read, and the index of the frame that would be there. */
  readonly end: number;
  readonly nextIndex: number;
  /** Bytes of the file from `end` on. */
  readonly rest: number;
  /** undefined if neither the segment header nor any batch header could be read. */
  readonly marker: Marker | undefined;
}

export type Scanned = ScannedBatch | ScannedDamage | ScannedTail;

/** A batch header's place and index. */
export interface ScanPosition {
  readonly offset: number;
  readonly index: number;
}

/**
 * Reads a segment from its beginning, or from a batch header on, and yields what it holds in order; last and once, its tail.
 * Holds about one batch in memory. Throws journal_corrupt only for a segment of another format version.
 */
export async function* scanSegment(
  file: DiskFile,
  segment: Segment,
  options: { from?: ScanPosition | undefined; pace?: (bytes: number) => Promise<void> } = {},
): AsyncGenerator<Scanned, void> {
  let marker = await readMarker(file, segment);
  let resume: ScanPosition | undefined;
  let frames: Frame[] = [];
  let index = options.from?.index ?? segment.firstIndex;
  let suspect = -1;
  // With its header unreadable, the segment is damaged from its first byte on, and any sound batch header tells the marker.
  let at = options.from?.offset ?? (marker === undefined ? 0 : segmentHeaderBytes);
  const window = new Window(file, { ...options, offset: at });

  for (;;) {
    if (!window.has(at, batchHeaderBytes)) await window.load(at, batchHeaderBytes);
    if (marker !== undefined && readBatchHeader(window.bytes, at - window.offset, marker) === index) {
      if (frames.length > 0) yield { kind: 'batch', frames };
      [resume, frames] = [{ offset: at, index }, []];
      at += batchHeaderBytes;
      continue;
    }

    const payload = resume === undefined ? undefined : await payloadAt(window, at);
    if (payload !== undefined) {
      frames.push({ index, offset: at, payload });
      index += 1;
      at += frameHeaderBytes + payload.length;
      continue;
    }

    const rest = (await file.size()) - at;
    const found = await findBatchHeader(window, { at, marker, index });
    if (found === undefined) {
      yield { kind: 'tail', frames, resume, end: at, nextIndex: index, rest: Math.max(rest, 0), marker };
      return;
    }
    // A segment may grow while it is read: what was incomplete at the first look is complete now that a header stands behind it.
    if (suspect !== at) {
      suspect = at;
      window.forget();
      continue;
    }
    if (frames.length > 0) yield { kind: 'batch', frames };
    if (found.offset !== at || found.index !== index) {
      yield { kind: 'damage', offset: at, index, lostFrames: found.index - index };
    }
    [resume, frames, index, marker] = [found, [], found.index, found.marker];
    at = found.offset + batchHeaderBytes;
  }
}

async function readMarker(file: DiskFile, segment: Segment): Promise<Marker | undefined> {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  const header = readSegmentHeader(bytes.subarray(0, await file.read(bytes, 0)));
  if (header === 'other version') {
    throw new SekishoError(
      'journal_corrupt',
      `${segment.path} is of another format version: read it with the release that wrote it`,
      {
        facts: { segment: segment.name, offset: 0 },
      },
    );
  }
  return header === 'damaged' || header.firstIndex !== segment.firstIndex ? undefined : header.marker;
}

async function payloadAt(window: Window, at: number): Promise<Buffer | undefined> {
  if (!window.has(at, frameHeaderBytes) && !(await window.load(at, frameHeaderBytes))) return undefined;
  const length = readFrameLength(window.bytes, at - window.offset);
  if (length === undefined) return undefined;
  const whole = frameHeaderBytes + length;
  if (!window.has(at, whole) && !(await window.load(at, whole))) return undefined;
  return readFrame(window.bytes, at - window.offset, length);
}

/**
 * The next batch header from `at` on. One whose index lies before what has been read already cannot be this segment's own
 * next one; it is passed over.
 */
async function findBatchHeader(
  window: Window,
  from: { at: number; marker: Marker | undefined; index: number },
): Promise<(ScanPosition & { marker: Marker }) | undefined> {
  const start = batchHeaderStart(from.marker);
  let { at } = from;
  for (;;) {
    if (!window.has(at, batchHeaderBytes) && !(await window.load(at, batchHeaderBytes))) return undefined;
    const hit = window.bytes.indexOf(start, at - window.offset);
    if (hit === -1) {
      // The start of a header may lie across the end of this stretch.
      at = Math.max(at + 1, window.offset + window.bytes.length - start.length + 1);
      continue;
    }
    at = window.offset + hit;
    if (!window.has(at, batchHeaderBytes) && !(await window.load(at, batchHeaderBytes))) return undefined;
    const marker = from.marker ?? claimedMarker(window.bytes, at - window.offset);
    const index = readBatchHeader(window.bytes, at - window.offset, marker);
    if (index !== undefined && index >= from.index) return { offset: at, index, marker };
    at += 1;
  }
}
