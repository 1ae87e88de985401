import { setTimeout as realPause } from 'node:timers/promises';

import { unreadable } from '../../base/disk-errors.ts';
import type { Disk, DiskFile } from '../../base/disk.ts';
import { errnoOf } from '../../base/errors.ts';
import type { Pause } from './journal.ts';
import type { Corruption } from './journal.types.ts';
import { scanSegment, type Frame, type ScannedTail, type ScanPosition } from './scan.ts';
import { listSegments, type Segment } from './segments.ts';

export { findSegment } from './segments.ts';

export interface ReadOptions {
  readonly dir: string;
  readonly disk: Disk;
  /** The index to begin with. Default 0. Where older segments were removed, reading begins with the oldest there is. */
  readonly from?: number;
  /** Given: at the end, waits for more until this is aborted. Not given: ends there. */
  readonly follow?: AbortSignal;
  /** Told once of each damage that hides frames from `from` on; reading goes on behind it. */
  readonly onCorrupt: (damage: Corruption) => void;
  readonly pause?: Pause;
}

export interface StoredFrame extends Frame {
  /** The file name of its segment. */
  readonly segment: string;
}

/**
 * Yields the frames of a journal in the order of their indices. Needs no lock and may run in another process than the writer.
 * Yields only frames that are acknowledged, or that a process which died left on disk and whose successor kept.
 *
 * Throws file_unreadable where the folder or a segment cannot be read.
 */
export async function* readJournal(options: ReadOptions): AsyncGenerator<StoredFrame, void> {
  for await (const frames of readBatches(options)) yield* frames;
}

/** As `readJournal`, some frames at a time (none, now and then), for an async step costs more than a frame does. */
export async function* readBatches(options: ReadOptions): AsyncGenerator<readonly StoredFrame[], void> {
  const pause = options.pause ?? ((milliseconds, signal) => realPause(milliseconds, undefined, { signal }));
  const { follow } = options;
  const more = async (): Promise<boolean> =>
    follow !== undefined &&
    pause(pollMs, follow).then(
      () => true,
      () => false,
    );
  const cursor = new Cursor(options);
  for (;;) {
    yield* cursor.read();
    if (cursor.atEnd && !(await more())) return;
  }
}

/** How long a follower at the end waits before it looks again. */
const pollMs = 50;

/** How far a reader has come. It opens the segment anew for each pass: what stands under the name may have been replaced. */
class Cursor {
  readonly #options: ReadOptions;
  readonly #from: number;
  #segment: Segment | undefined;
  /** The batch header in it from which on nothing has been yielded yet; undefined: its beginning. */
  #position: ScanPosition | undefined;
  /** Whether the last pass found no segment to go on with. */
  atEnd = false;
  /** The index after the last frame yielded. */
  #next = 0;
  #unreadable: string | undefined;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#from = options.from ?? 0;
  }

  /** One pass through one segment, from where the last pass ended. Yields batches, because an async step for each frame is slow. */
  async *read(): AsyncGenerator<StoredFrame[], void> {
    this.atEnd = true;
    const { disk, dir, follow } = this.#options;
    // Listed before it is read: if another segment follows, this one is written to no more.
    const segments = await listSegments(disk, dir);
    const segment = (this.#segment ??= segments.findLast(({ firstIndex }) => firstIndex <= this.#from) ?? segments[0]);
    if (segment === undefined) return;
    const successor = segments.find(({ firstIndex }) => firstIndex > segment.firstIndex);
    const end = successor?.firstIndex ?? Infinity;

    const file = segments.some(({ name }) => name === segment.name) ? await this.#open(segment) : undefined;
    if (file === undefined) {
      // Removed under our eyes, by retention say: what had not been read of it is gone.
      const nextIndex = Math.max(this.#next, this.#position?.index ?? segment.firstIndex);
      if (successor !== undefined) this.#moveTo(successor, segment, { end: this.#position?.offset ?? 0, nextIndex });
      return;
    }
    try {
      for await (const scanned of scanSegment(file, segment, { from: this.#position })) {
        if (scanned.kind === 'damage') this.#report(segment, scanned);
        else if (scanned.kind === 'batch') yield this.#wanted(segment, scanned.frames, end);
        else if (successor === undefined) this.#stay(segment, scanned);
        else {
          yield this.#wanted(segment, scanned.frames, end);
          this.#moveTo(successor, segment, scanned);
        }
        if (follow?.aborted === true) return;
      }
    } finally {
      await file.close();
    }
  }

  /** undefined: it was there when the folder was listed and is gone. */
  async #open(segment: Segment): Promise<DiskFile | undefined> {
    try {
      return await this.#options.disk.open(segment.path);
    } catch (caught) {
      if (errnoOf(caught) === 'ENOENT') return undefined;
      throw unreadable(segment.path, caught);
    }
  }

  #wanted(segment: Segment, frames: readonly Frame[], end: number): StoredFrame[] {
    const wanted = frames.filter(({ index }) => index >= this.#from && index < end);
    this.#next = (wanted.at(-1)?.index ?? this.#next - 1) + 1;
    return wanted.map(({ index, offset, payload }) => ({ index, offset, payload, segment: segment.name }));
  }

  /** At the end of what is stored. What cannot be read here is not there yet, except in a segment without any frame (see recover). */
  #stay(segment: Segment, tail: ScannedTail): void {
    this.#position = tail.resume ?? this.#position;
    if (tail.nextIndex > segment.firstIndex || this.#unreadable === segment.name) return;
    this.#unreadable = segment.name;
    this.#options.onCorrupt({ segment: segment.name, offset: tail.end, lostFrames: 1 });
  }

  #moveTo(successor: Segment, segment: Segment, tail: { end: number; nextIndex: number }): void {
    const lostFrames = successor.firstIndex - tail.nextIndex;
    if (lostFrames > 0) this.#report(segment, { offset: tail.end, index: tail.nextIndex, lostFrames });
    this.atEnd = false;
    this.#segment = successor;
    this.#position = undefined;
  }

  #report(segment: Segment, damage: { offset: number; index: number; lostFrames: number }): void {
    const next = damage.index + damage.lostFrames;
    if (next < this.#from) return;
    const lostFrames = next - Math.max(damage.index, this.#from);
    this.#options.onCorrupt({ segment: segment.name, offset: damage.offset, lostFrames: Math.max(lostFrames, 0) });
  }
}
