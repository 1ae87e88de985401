import type { DiskFile } from '../../base/disk.ts';

const nothing = Buffer.alloc(0);

/**
 * A stretch of a file in memory that moves forward. Each reading goes into memory of its own, so that views handed out stay
 * what they were; a view keeps at most one stretch alive.
 */
export class Window {
  /** The bytes at hand; `bytes[0]` is at `offset` in the file. */
  bytes: Buffer = nothing;
  offset: number;
  readonly #file: DiskFile;
  readonly #stretchBytes: number;
  readonly #pace: (bytes: number) => Promise<void>;

  constructor(
    file: DiskFile,
    options: { offset?: number; stretchBytes?: number; pace?: (bytes: number) => Promise<void> } = {},
  ) {
    this.#file = file;
    this.offset = options.offset ?? 0;
    this.#stretchBytes = options.stretchBytes ?? 256 * 1024;
    this.#pace = options.pace ?? (() => Promise.resolve());
  }

  /** Whether the `length` bytes from `offset` on are at hand. Where they are, there is nothing to wait for. */
  has(offset: number, length: number): boolean {
    return offset >= this.offset && offset + length <= this.offset + this.bytes.length;
  }

  /** Lets go of what is at hand, so that it is read anew. */
  forget(): void {
    this.bytes = nothing;
  }

  /** Moves on to `offset` and brings in at least `length` bytes from there; false if the file ends before. */
  async load(offset: number, length: number): Promise<boolean> {
    const kept = this.has(offset, 1) ? this.bytes.subarray(offset - this.offset) : nothing;
    const stretch = Buffer.allocUnsafeSlow(Math.max(this.#stretchBytes, length));
    kept.copy(stretch);
    const read = await this.#file.read(stretch.subarray(kept.length), offset + kept.length);
    this.bytes = stretch.subarray(0, kept.length + read);
    this.offset = offset;
    await this.#pace(read);
    return this.bytes.length >= length;
  }
}
