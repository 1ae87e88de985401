import {
  batchHeaderBytes,
  frameHeaderBytes,
  largestPayload,
  segmentHeaderBytes,
  writeBatchHeader,
  writeSegmentHeader,
  type Marker,
} from './format.ts';
import type { Frames } from './frames.ts';

/**
 * The one batch that is on its way to the disk, encoded. Its memory is taken once and used again: what is in it stays until the
 * disk has it, so that a batch that failed is written again as it was.
 */
export class Batch {
  firstIndex = 0;
  frames = 0;
  readonly #limit: number;
  readonly #bytes: Buffer;
  #end = framesAt;

  /** `limit`: how many bytes of frames it takes, but for a single frame that is larger. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#bytes = Buffer.allocUnsafeSlow(framesAt + Math.max(limit, frameHeaderBytes + largestPayload));
  }

  get nextIndex(): number {
    return this.firstIndex + this.frames;
  }

  get frameBytes(): number {
    return this.#end - framesAt;
  }

  start(firstIndex: number): void {
    this.firstIndex = firstIndex;
    this.frames = 0;
    this.#end = framesAt;
  }

  /** Takes in frames from the one of number `first` on, as many as there is room for, and returns how many that was. */
  add({ bytes, ends }: Frames, first: number): number {
    const from = ends[first - 1] ?? 0;
    let next = ends.length;
    while (next > first && !this.#hasRoomFor((ends[next - 1] ?? 0) - from, next - first)) next -= 1;
    const to = ends[next - 1] ?? from;
    this.#end += bytes.copy(this.#bytes, this.#end, from, to);
    this.frames += next - first;
    return next - first;
  }

  /** A single frame may be larger than the limit, if it has the batch to itself. */
  #hasRoomFor(bytes: number, frames: number): boolean {
    return this.frameBytes + bytes <= this.#limit || (this.frames === 0 && frames === 1);
  }

  /** As it begins a new segment. */
  withSegmentHeader(marker: Marker): Buffer {
    writeSegmentHeader(this.#bytes, 0, { firstIndex: this.firstIndex, marker });
    this.withHeader(marker);
    return this.#bytes.subarray(0, this.#end);
  }

  withHeader(marker: Marker): Buffer {
    writeBatchHeader(this.#bytes, segmentHeaderBytes, marker, this.firstIndex);
    return this.#bytes.subarray(segmentHeaderBytes, this.#end);
  }

  /** As it goes behind a header that is already in the file. */
  withoutHeader(): Buffer {
    return this.#bytes.subarray(framesAt, this.#end);
  }
}

const framesAt = segmentHeaderBytes + batchHeaderBytes;
