import type { Disk } from '../../../src/base/disk.ts';
import { openJournal, type Corruption, type Journal, type JournalOptions } from '../../../src/sink/journal/journal.ts';
import { readJournal, type ReadOptions } from '../../../src/sink/journal/reader.ts';

export const dir = '/journal';

/** What a journal said while it was opened and checked. */
export interface Told {
  readonly corrupt: Corruption[];
  readonly torn: { segment: string; offset: number; bytes: number }[];
  readonly segments: string[];
  readonly failing: string[];
  recovered: number;
  readonly committed: { frames: number; bytes: number; seconds: number }[];
  /** Resolves when the older segments have been checked. */
  readonly checked: Promise<{ segments: number; seconds: number }>;
}

/** Opens a journal that does not wait for clocks, and writes down what it tells its observer. */
export async function open(
  disk: Disk,
  options: Partial<JournalOptions> = {},
): Promise<{ journal: Journal; told: Told }> {
  let checked: (result: { segments: number; seconds: number }) => void = () => undefined;
  const told: Told = {
    corrupt: [],
    torn: [],
    segments: [],
    failing: [],
    recovered: 0,
    committed: [],
    checked: new Promise((resolve) => (checked = resolve)),
  };
  const journal = await openJournal({
    dir,
    disk,
    pause: (_, signal) =>
      turn().then(() => {
        signal.throwIfAborted();
      }),
    observer: {
      corrupt: (damage) => told.corrupt.push(damage),
      torn: (tail) => told.torn.push(tail),
      segmentOpened: ({ segment }) => told.segments.push(segment),
      failing: ({ code }) => told.failing.push(code),
      recovered: () => (told.recovered += 1),
      committed: (batch) => told.committed.push(batch),
      checked,
    },
    ...options,
  });
  return { journal, told };
}

/** Everything that a reader finds, and what it complains about. */
export async function readAll(
  disk: Disk,
  options: Partial<ReadOptions> = {},
): Promise<{ frames: Map<number, string>; corrupt: Corruption[] }> {
  const frames = new Map<number, string>();
  const corrupt: Corruption[] = [];
  for await (const { index, payload } of readJournal({
    dir,
    disk,
    onCorrupt: (damage) => corrupt.push(damage),
    ...options,
  })) {
    frames.set(index, payload.toString());
  }
  return { frames, corrupt };
}

/** Ten bytes that tell which frame this is. */
export function numbered(index: number): Buffer {
  return Buffer.from(`frame ${String(index).padStart(4, '0')}`);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
