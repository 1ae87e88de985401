import { SekishoError } from '../../base/errors.ts';
import { frameHeaderBytes, largestPayload, sealFrame } from './format.ts';

/**
 * Payloads as they will stand in a segment, frame behind frame in one piece of memory: what is appended together is one object to wait, and one
 * copy to the batch, however many payloads it is.
 */
export interface Frames {
  readonly bytes: Buffer;
  /** Where each frame ends in `bytes`. */
  readonly ends: readonly number[];
}

export const noFrames: Frames = { bytes: Buffer.alloc(0), ends: [] };

/**
 * Frames what `items` become: each a payload of `lengthOf(item)` bytes, which `write` puts into the given memory at `at`.
 * Throws record_malformed for a payload without bytes, record_too_large for one of more than 65,535.
 */
export function framesOf<T>(
  items: readonly T[],
  lengthOf: (item: T) => number,
  write: (item: T, into: Buffer, at: number) => void,
): Frames {
  let size = 0;
  const ends = items.map((item) => (size += frameHeaderBytes + checked(lengthOf(item))));
  const bytes = take(size);
  let at = 0;
  for (const item of items) {
    const length = lengthOf(item);
    write(item, bytes, at + frameHeaderBytes);
    at = sealFrame(bytes, at, length);
  }
  return { bytes, ends };
}

/** Frames ready payloads. Throws as `framesOf`. */
export function framePayloads(payloads: readonly Buffer[]): Frames {
  return framesOf(
    payloads,
    (payload) => payload.length,
    (payload, into, at) => {
      into.set(payload, at);
    },
  );
}

const slabBytes = 512 * 1024;
let slab = Buffer.alloc(0);
let taken = 0;

/** Memory out of a larger piece, which lives until the last frames in it are on disk: a piece for each append costs as much as filling it. */
function take(size: number): Buffer {
  if (size > slabBytes / 8) return Buffer.allocUnsafeSlow(size);
  if (taken + size > slab.length) [slab, taken] = [Buffer.allocUnsafeSlow(slabBytes), 0];
  taken += size;
  return slab.subarray(taken - size, taken);
}

function checked(length: number): number {
  if (length === 0) throw new SekishoError('record_malformed', 'a record without bytes cannot be stored');
  if (length <= largestPayload) return length;
  throw new SekishoError(
    'record_too_large',
    `a record of ${length} bytes: the journal stores at most ${largestPayload}`,
    {
      facts: { bytes: length },
    },
  );
}
