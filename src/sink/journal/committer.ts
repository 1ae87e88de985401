import { isDiskFull } from '../../base/disk-errors.ts';
import type { Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Batch } from './batch.ts';
import type { Marker } from './format.ts';
import { SegmentWriter } from './segment-writer.ts';
import { segmentAt } from './segments.ts';

/** Puts one batch after the other on disk, into the segment at hand or a new one. */
export class Committer {
  readonly #options: CommitterOptions;
  /** undefined: the next batch begins a new segment. */
  #writer: SegmentWriter | undefined;

  constructor(options: CommitterOptions, writer: SegmentWriter | undefined) {
    this.#options = options;
    this.#writer = writer;
  }

  /**
   * Resolves when the batch is on disk. Throws disk_full or disk_failed; then none of it counts, and the same batch may be given
   * again. A failed sync gets a second chance in a new segment at once.
   */
  async commit(batch: Batch): Promise<void> {
    try {
      await this.#put(batch);
    } catch (caught) {
      throw this.#explain(caught);
    }
    // It is acknowledged whether or not this succeeds.
    await this.#writer?.writeNextHeader(batch.nextIndex).catch(() => this.#cutBack());
  }

  /** Closes the segment at hand; `nextIndex` is the index after its last frame. */
  async close(nextIndex: number): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined) return;
    // All that was acknowledged is on disk without this; what fails here only leaves the end unproven.
    await writer.seal(nextIndex).catch(() => undefined);
    await writer.close().catch(() => undefined);
  }

  async #put(batch: Batch): Promise<void> {
    if (this.#writer?.hasRoomFor(batch, this.#options.segmentBytes) === false) await this.#leave();
    if (this.#writer !== undefined && (await this.#putInto(this.#writer, batch))) return;
    await this.#begin(batch);
  }

  /** False: this segment takes no more, and a new one may. Throws where a new one would not help. */
  async #putInto(writer: SegmentWriter, batch: Batch): Promise<boolean> {
    try {
      await writer.write(batch);
    } catch (caught) {
      await this.#cutBack();
      if (isDiskFull(caught)) throw caught;
      await this.#leave();
      return false;
    }
    try {
      await writer.datasync(batch);
      return true;
    } catch {
      // Never sync this file again: the kernel may have dropped the pages and would now say yes (see docs/journal-format.md).
      await this.#cutBack();
      await this.#leave();
      return false;
    }
  }

  async #begin(batch: Batch): Promise<void> {
    const { disk, dir, newMarker, segmentOpened } = this.#options;
    const segment = segmentAt(dir, batch.firstIndex);
    this.#writer = await SegmentWriter.create(disk, dir, segment, batch, newMarker());
    segmentOpened({ segment: segment.name, firstIndex: segment.firstIndex });
  }

  async #cutBack(): Promise<void> {
    // Where the cut fails too, what stands there is overruled by the first index of the next segment.
    await this.#writer?.cutBack().catch(() => this.#leave());
  }

  async #leave(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close().catch(() => undefined);
  }

  #explain(caught: unknown): SekishoError {
    const { dir } = this.#options;
    return isDiskFull(caught)
      ? new SekishoError(
          'disk_full',
          `no space left for the journal in ${dir}: free some; until then records wait in memory`,
          {
            facts: { path: dir },
            cause: caught,
          },
        )
      : new SekishoError(
          'disk_failed',
          `the journal in ${dir} cannot be written: look at the disk; until then records wait in memory`,
          {
            facts: { path: dir },
            cause: caught,
          },
        );
  }
}

export interface CommitterOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly segmentBytes: number;
  readonly newMarker: () => Marker;
  readonly segmentOpened: (segment: { segment: string; firstIndex: number }) => void;
}
