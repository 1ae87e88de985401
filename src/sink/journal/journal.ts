import { randomBytes } from 'node:crypto';
import { setTimeout as realPause } from 'node:timers/promises';

import { unwritable } from '../../base/disk-errors.ts';
import type { Disk, FolderLock } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { Batch } from './batch.ts';
import { checkSegment } from './check.ts';
import { Committer } from './committer.ts';
import { markerBytes, type Marker } from './format.ts';
import { framePayloads, type Frames } from './frames.ts';
import type { AppendOptions, Journal, JournalObserver } from './journal.types.ts';
import { AppendQueue } from './queue.ts';
import { recover, type Recovered } from './recover.ts';

export type { Corruption, Journal, JournalObserver } from './journal.types.ts';

export interface JournalOptions {
  readonly dir: string;
  readonly disk: Disk;
  readonly observer?: JournalObserver;
  /** A segment ends before the batch that would make it larger than this. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** How many bytes of frames go to disk with one sync, at most. Default 1 MiB: a sync of more takes noticeably longer. */
  readonly batchBytes?: number;
  /**
   * How long a batch gathers before it goes to the disk, in milliseconds, unless a quarter of `batchBytes` waits already or an append is urgent.
   * Default 0: at once. Each commit costs a sync, so with nobody waiting a few milliseconds save most of it.
   */
  readonly lingerMs?: number;
  /** From how many bytes waiting on there is no room. Default 16 MiB: some seconds of a busy fleet. */
  readonly queueBytes?: number;
  /** Waits that long; rejects when, or if already, the signal is aborted. Tests bring their own. */
  readonly pause?: Pause;
  /** Milliseconds, with fractions. */
  readonly now?: () => number;
  readonly newMarker?: () => Marker;
}

export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/**
 * Opens the journal in `dir`, which is made if missing, and puts it in order after a crash.
 *
 * Throws folder_in_use, file_unwritable or disk_full with the path and what to do. Damage found is no reason to throw: the
 * observer is told and appending goes on behind it.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { dir, disk, observer = {} } = options;
  await disk.makeDir(dir, 0o750);
  const lock = await disk.lockFolder(dir);
  try {
    const recovered = await recover(disk, dir, observer);
    return new OpenJournal(options, lock, recovered);
  } catch (caught) {
    await lock.release();
    throw unwritable(dir, caught);
  }
}

class OpenJournal implements Journal {
  readonly #options: JournalOptions;
  readonly #observer: JournalObserver;
  readonly #lock: FolderLock;
  readonly #queue: AppendQueue;
  readonly #batch: Batch;
  readonly #lingerMs: number;
  readonly #enoughBytes: number;
  readonly #committer: Committer;
  readonly #pause: Pause;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  /** Before this index somebody waits for what was appended. */
  #urgentUntil = 0;
  #gathering: AbortController | undefined;
  readonly #check: Promise<void>;
  #committing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #nextIndex: number;
  #failing: SekishoError | undefined;

  constructor(options: JournalOptions, lock: FolderLock, recovered: Recovered) {
    const {
      dir,
      disk,
      observer = {},
      segmentBytes = 64 * 2 ** 20,
      batchBytes = 2 ** 20,
      queueBytes = 16 * 2 ** 20,
      lingerMs = 0,
    } = options;
    this.#options = options;
    this.#observer = observer;
    this.#lock = lock;
    this.#nextIndex = recovered.nextIndex;
    this.#queue = new AppendQueue({ nextIndex: recovered.nextIndex, limit: queueBytes });
    this.#batch = new Batch(batchBytes);
    this.#lingerMs = lingerMs;
    this.#enoughBytes = batchBytes / 4;
    const newMarker = options.newMarker ?? (() => randomBytes(markerBytes));
    const segmentOpened = (segment: { segment: string; firstIndex: number }): void => observer.segmentOpened?.(segment);
    this.#committer = new Committer({ dir, disk, segmentBytes, newMarker, segmentOpened }, recovered.writer);
    this.#pause = options.pause ?? ((milliseconds, signal) => realPause(milliseconds, undefined, { signal }));
    this.#now = options.now ?? (() => performance.now());
    this.#check = this.#checkOlder(recovered);
  }

  get nextIndex(): number {
    return this.#nextIndex;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get failing(): SekishoError | undefined {
    return this.#failing;
  }

  append(payloads: readonly Buffer[] | Frames, { urgent = false }: AppendOptions = {}): Promise<number> {
    if (this.#closed !== undefined) return Promise.reject(new SekishoError('journal_closed', 'the journal is closed'));
    let frames: Frames;
    try {
      frames = 'ends' in payloads ? payloads : framePayloads(payloads);
    } catch (caught) {
      return Promise.reject(SekishoError.from(caught));
    }
    const appended = this.#queue.add(frames);
    if (urgent) {
      this.#urgentUntil = this.#queue.nextIndex;
      this.#gathering?.abort();
    }
    this.#committing ??= this.#commitAll();
    return appended;
  }

  settled(): Promise<void> {
    return this.#queue.settled();
  }

  hasRoom(): boolean {
    return this.#queue.hasRoom();
  }

  room(): Promise<void> {
    return this.#closed === undefined ? this.#queue.room() : Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Group commit: while one batch is on its way to the disk the next one gathers, and goes as soon as that is there. */
  async #commitAll(): Promise<void> {
    // What the same turn of the event loop appends goes together.
    await Promise.resolve();
    while (!this.#queue.empty) {
      await this.#gather();
      this.#queue.fill(this.#batch);
      const failed = await this.#commit(this.#batch);
      if (failed !== undefined) this.#queue.fail(failed);
    }
    this.#committing = undefined;
  }

  /** A journal that closes waits for nothing. */
  async #gather(): Promise<void> {
    if (this.#lingerMs === 0 || this.#queue.bytes >= this.#enoughBytes) return;
    if (this.#urgentUntil > this.#nextIndex || this.#closing.signal.aborted) return;
    this.#gathering = new AbortController();
    await this.#pause(this.#lingerMs, this.#gathering.signal).catch(() => undefined);
    this.#gathering = undefined;
  }

  /** Tries until it works. Only a journal that closes gives up, and says why. */
  async #commit(batch: Batch): Promise<SekishoError | undefined> {
    const start = this.#now();
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#committer.commit(batch);
      } catch (caught) {
        const error = SekishoError.from(caught, 'disk_failed');
        this.#fail(error);
        const wait = Math.min(firstRetryMs * 2 ** attempt, longestRetryMs);
        const again = this.#pause(wait, this.#closing.signal).then(
          () => true,
          () => false,
        );
        if (!(await again)) return error;
        continue;
      }
      this.#nextIndex = batch.nextIndex;
      if (this.#failing !== undefined) {
        this.#failing = undefined;
        this.#observer.recovered?.();
      }
      const seconds = (this.#now() - start) / 1000;
      this.#observer.committed?.({ frames: batch.frames, bytes: batch.frameBytes, seconds });
      this.#queue.committed(batch);
      return undefined;
    }
  }

  #fail(error: SekishoError): void {
    const known = this.#failing?.code;
    this.#failing = error;
    if (known !== error.code) this.#observer.failing?.(error);
  }

  /** Damage to older segments stops nobody from appending, so they are read in the background and without haste. */
  async #checkOlder({ unchecked, successor }: Recovered): Promise<void> {
    const start = this.#now();
    const corrupt = this.#observer.corrupt?.bind(this.#observer) ?? (() => undefined);
    const pace = (bytes: number): Promise<void> => this.#pause(bytes / checkBytesPerMs, this.#closing.signal);
    for (const [i, segment] of unchecked.entries()) {
      try {
        await checkSegment(this.#options.disk, segment, {
          successor: unchecked[i + 1]?.firstIndex ?? successor,
          corrupt,
          pace,
        });
      } catch {
        if (this.#closing.signal.aborted) return;
        // It cannot be read at all: that says as much about its frames as wrong bytes would.
        const lostFrames = (unchecked[i + 1]?.firstIndex ?? successor) - segment.firstIndex;
        corrupt({ segment: segment.name, offset: 0, lostFrames });
      }
    }
    this.#observer.checked?.({ segments: unchecked.length, seconds: (this.#now() - start) / 1000 });
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#gathering?.abort();
    await this.#committing;
    await this.#check;
    await this.#committer.close(this.#nextIndex);
    await this.#lock.release();
  }
}

const firstRetryMs = 100;
const longestRetryMs = 5000;
/** 64 MiB a second: some hundredths of what a disk can do, so that the fleet's records do not wait for the check. */
const checkBytesPerMs = (64 * 2 ** 20) / 1000;
