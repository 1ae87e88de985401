import { join } from 'node:path';

import type { Disk, DiskFile } from '../../base/disk.ts';
import { segmentHeaderBytes } from './format.ts';
import type { JournalObserver } from './journal.types.ts';
import { scanSegment, type ScannedTail } from './scan.ts';
import { SegmentWriter, unfinishedSuffix } from './segment-writer.ts';
import { listSegments, type Segment } from './segments.ts';

export interface Recovered {
  readonly nextIndex: number;
  /** Where to go on; undefined: with a new segment. */
  readonly writer: SegmentWriter | undefined;
  /** The segments that nobody looked into yet. The last one in it ends where `successor` begins. */
  readonly unchecked: readonly Segment[];
  readonly successor: number;
}

/**
 * Puts the folder of a journal in order after whatever ended the last process: reads the newest segment through, cuts off the
 * batch that was being written, and leaves alone whatever is damaged. The rules are in docs/journal-format.md.
 */
export async function recover(disk: Disk, dir: string, observer: JournalObserver): Promise<Recovered> {
  // The last process may have died between making a name and syncing it.
  await disk.syncDir(dir);
  await removeUnfinished(disk, dir, observer);
  const segments = await listSegments(disk, dir);
  const newest = segments.at(-1);
  if (newest === undefined) return { nextIndex: 0, writer: undefined, unchecked: [], successor: 0 };

  const file = await disk.openAppend(newest.path);
  let writer: SegmentWriter | undefined;
  try {
    const { tail, damaged } = await readThrough(file, newest, observer);
    if (tail.nextIndex === newest.firstIndex) await setAside(disk, dir, newest, tail, observer);
    else writer = await goOn(file, newest, { tail, damaged, observer });
    return { nextIndex: tail.nextIndex, writer, unchecked: segments.slice(0, -1), successor: newest.firstIndex };
  } finally {
    if (writer === undefined) await file.close();
  }
}

/** A segment that never got its name holds one batch that was never acknowledged. */
async function removeUnfinished(disk: Disk, dir: string, observer: JournalObserver): Promise<void> {
  for (const name of await disk.list(dir)) {
    if (!name.endsWith(`.seg${unfinishedSuffix}`)) continue;
    const path = join(dir, name);
    const bytes = (await disk.stat(path))?.size ?? 0;
    await disk.remove(path);
    if (bytes > 0) observer.torn?.({ segment: name, offset: 0, bytes });
  }
}

async function readThrough(
  file: DiskFile,
  segment: Segment,
  observer: JournalObserver,
): Promise<{ tail: ScannedTail; damaged: boolean }> {
  let damaged = false;
  for await (const scanned of scanSegment(file, segment)) {
    if (scanned.kind === 'tail') return { tail: scanned, damaged };
    if (scanned.kind === 'batch') continue;
    damaged = true;
    observer.corrupt?.({ segment: segment.name, offset: scanned.offset, lostFrames: scanned.lostFrames });
  }
  throw new Error('a scan ends with a tail');
}

/** Makes sure of what the newest segment holds. undefined: it is damaged, and what comes goes into a new one. */
async function goOn(
  file: DiskFile,
  segment: Segment,
  { tail, damaged, observer }: { tail: ScannedTail; damaged: boolean; observer: JournalObserver },
): Promise<SegmentWriter | undefined> {
  await keepTail(file, tail);
  if (tail.rest > 0) observer.torn?.({ segment: segment.name, offset: tail.end, bytes: tail.rest });
  if (tail.rest > 0 && !damaged) await file.truncate(tail.end);
  // Also what a process that was killed had written and not synced, and the size.
  await file.datasync();
  if (damaged || tail.marker === undefined) return undefined;
  // A header that waits for its batch is written once more too, for the reason that keepTail gives.
  const end = tail.frames.length === 0 ? (tail.resume?.offset ?? tail.end) : tail.end;
  const writer = new SegmentWriter(segment, file, { marker: tail.marker, end });
  await writer.writeNextHeader(tail.nextIndex);
  return writer;
}

/**
 * A segment got its name with its first batch on disk; one without a single readable frame was not left so by a crash. It is
 * kept under another name, as a new one has to begin at the same index.
 */
async function setAside(
  disk: Disk,
  dir: string,
  segment: Segment,
  tail: ScannedTail,
  observer: JournalObserver,
): Promise<void> {
  observer.corrupt?.({ segment: segment.name, offset: tail.end, lostFrames: 1 });
  for (let n = 1; ; n++) {
    const aside = `${segment.path}.damaged-${n}`;
    if ((await disk.stat(aside)) !== undefined) continue;
    await disk.rename(segment.path, aside);
    await disk.syncDir(dir);
    return;
  }
}

/**
 * The whole frames of the last batch are kept: they may have been acknowledged. They are written once more, the same bytes to
 * the same place, because a kernel that failed to write them may hold them as clean; the sync that follows then says the truth.
 */
async function keepTail(file: DiskFile, tail: ScannedTail): Promise<void> {
  if (tail.resume === undefined || tail.frames.length === 0) return;
  const from = tail.resume.offset === segmentHeaderBytes ? 0 : tail.resume.offset;
  const bytes = Buffer.allocUnsafe(tail.end - from);
  await file.read(bytes, from);
  await file.write(bytes, from);
}
