import type { Disk, DiskFile } from '../../base/disk.ts';
import type { Batch } from './batch.ts';
import { batchHeaderBytes, writeBatchHeader, type Marker } from './format.ts';
import type { Segment } from './segments.ts';

const segmentMode = 0o640;
/** What a segment is called until its first batch is on disk. */
export const unfinishedSuffix = '.new';

/** The segment that is being written to. `end` is behind the last byte known to be on disk. */
export class SegmentWriter {
  readonly segment: Segment;
  readonly #file: DiskFile;
  readonly #marker: Marker;
  #end: number;
  /** The next batch's header stands at `end` already. It is not synced; the next batch takes it along. */
  #headed = false;

  constructor(segment: Segment, file: DiskFile, state: { marker: Marker; end: number }) {
    this.segment = segment;
    this.#file = file;
    this.#marker = state.marker;
    this.#end = state.end;
  }

  /**
   * Makes a new segment out of its first batch. It gets its name only when the batch is on disk: a segment that a crash left
   * behind has a whole header and a whole first batch. Resolves when the name is on disk too.
   */
  static async create(
    disk: Disk,
    folder: string,
    segment: Segment,
    batch: Batch,
    marker: Marker,
  ): Promise<SegmentWriter> {
    const unfinished = segment.path + unfinishedSuffix;
    await disk.remove(unfinished);
    const file = await disk.createExclusive(unfinished, segmentMode);
    try {
      const bytes = batch.withSegmentHeader(marker);
      await file.write(bytes, 0);
      await file.datasync();
      await disk.rename(unfinished, segment.path);
      await disk.syncDir(folder);
      return new SegmentWriter(segment, file, { marker, end: bytes.length });
    } catch (caught) {
      await file.close().catch(() => undefined);
      await disk.remove(unfinished).catch(() => undefined);
      throw caught;
    }
  }

  hasRoomFor(batch: Batch, segmentBytes: number): boolean {
    return this.#end + batchHeaderBytes + batch.frameBytes <= segmentBytes;
  }

  /** Not on disk until `datasync`. */
  write(batch: Batch): Promise<void> {
    return this.#headed
      ? this.#file.write(batch.withoutHeader(), this.#end + batchHeaderBytes)
      : this.#file.write(batch.withHeader(this.#marker), this.#end);
  }

  /** After a throw the kernel may hold pages as clean that never reached the disk: this file must not be written to again. */
  async datasync(batch: Batch): Promise<void> {
    await this.#file.datasync();
    this.#end += batchHeaderBytes + batch.frameBytes;
    this.#headed = false;
  }

  /**
   * Writes the header of the batch to come: whoever reads it knows that everything before it is on disk. Without it, on a full
   * disk say, readers see the last batch when the next one is written, and nothing else is lost.
   */
  async writeNextHeader(index: number): Promise<void> {
    if (this.#headed) return;
    const header = Buffer.alloc(batchHeaderBytes);
    writeBatchHeader(header, 0, this.#marker, index);
    await this.#file.write(header, this.#end);
    this.#headed = true;
  }

  /** Takes back what was written after the last sync, but for the header that says so. */
  cutBack(): Promise<void> {
    return this.#file.truncate(this.#headed ? this.#end + batchHeaderBytes : this.#end);
  }

  /** Nothing comes any more: makes the last header stay, so that damage to the last batch is told from a torn one. */
  async seal(index: number): Promise<void> {
    await this.writeNextHeader(index);
    await this.#file.datasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
