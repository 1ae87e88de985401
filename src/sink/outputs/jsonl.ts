import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { unwritable } from '../../base/disk-errors.ts';
import type { Disk, DiskFile } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { keepWholeLines, type KnownFile } from './jsonl-lines.ts';
import type { Cursor, NamedLine, Output } from './output.types.ts';

export interface JsonlOptions {
  readonly dir: string;
  readonly rotate: { readonly bytes: number; readonly seconds: number };
  readonly disk: Disk;
  readonly clock: Clock;
}

/** Lines go here until the file is rotated. */
const currentName = 'current.jsonl';

/**
 * Files of lines. The one that grows is called `current.jsonl`; it is on disk whenever the cursor moves, and gets a name of its own when it is
 * large or old enough. Files with such a name are never touched again.
 */
export function jsonlOutput(options: JsonlOptions): Output {
  return new JsonlOutput(options);
}

interface Current extends KnownFile {
  readonly file: DiskFile;
  /** Milliseconds since 1970 at which its first line was written. */
  readonly begun: number;
}

class JsonlOutput implements Output {
  readonly #options: JsonlOptions;
  readonly #path: string;
  #current: Current | undefined;

  constructor(options: JsonlOptions) {
    this.#options = options;
    this.#path = join(options.dir, currentName);
  }

  async open(cursor: Cursor): Promise<Cursor> {
    const { dir, disk } = this.#options;
    return this.#explained(async () => {
      await disk.makeDir(dir, 0o750);
      // The last process may have died between making a name and syncing it.
      await disk.syncDir(dir);
      if ((await disk.stat(this.#path)) === undefined) return { next: cursor.next };
      return this.#goOn(cursor);
    });
  }

  async write(lines: readonly NamedLine[]): Promise<{ taken: number; note: unknown }> {
    return this.#explained(async () => {
      const used = this.#current?.bytes ?? 0;
      const full = used > 0 && used + bytesOf(lines[0]) > this.#options.rotate.bytes;
      if (full || this.#dueIn() <= 0) await this.#rotate();
      const current = await this.#begun(lines[0]?.index ?? 0);
      const taken = howManyFit(lines, this.#options.rotate.bytes - current.bytes);
      const bytes = Buffer.from(
        lines
          .slice(0, taken)
          .map(({ json }) => `${json}\n`)
          .join(''),
      );
      await this.#assertOurs(current);
      await current.file.write(bytes, current.bytes);
      await current.file.datasync();
      if (current.bytes === 0) await this.#options.disk.syncDir(this.#options.dir);
      this.#current = { ...current, bytes: current.bytes + bytes.length };
      return { taken, note: noteOf(this.#current) };
    });
  }

  async tend(): Promise<number> {
    return this.#explained(async () => {
      if (this.#dueIn() <= 0) await this.#rotate();
      return this.#dueIn();
    });
  }

  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    // What was answered for is on disk; what a failing close takes with it was not.
    await current?.file.close().catch(() => undefined);
  }

  async #goOn(cursor: Cursor): Promise<Cursor> {
    const { disk, clock } = this.#options;
    const file = await disk.openAppend(this.#path);
    const note = readNote(cursor.note);
    this.#current = { file, first: cursor.next, bytes: 0, begun: clock.now() };
    const {
      first = cursor.next,
      bytes,
      next,
      foreign,
    } = await keepWholeLines(file, { next: cursor.next, known: note });
    const begun = note?.first === first ? note.begun : clock.now();
    this.#current = { file, first, bytes, begun };
    if (foreign) await this.#rotate();
    return { next, note: noteOf(this.#current) };
  }

  /** The file at hand, or a new one whose first line will have this index. */
  async #begun(first: number): Promise<Current> {
    if (this.#current !== undefined && this.#current.bytes > 0) return this.#current;
    const { disk, clock } = this.#options;
    const file = this.#current?.file ?? (await disk.createExclusive(this.#path, 0o640));
    this.#current = { file, first, bytes: 0, begun: clock.now() };
    return this.#current;
  }

  /** All that is in the file is on disk already. The new name is, too, before another file takes the old one. */
  async #rotate(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    await this.close();
    const { disk, dir } = this.#options;
    await disk.rename(this.#path, join(dir, await this.#freeName(current)));
    await disk.syncDir(dir);
  }

  /** A cursor that was set back can come to the same name twice within a second. */
  async #freeName({ begun, first }: Current): Promise<string> {
    const time = new Date(begun).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    for (let n = 1; ; n++) {
      const name = `${time}-${String(first).padStart(20, '0')}${n === 1 ? '' : `-${n}`}.jsonl`;
      if ((await this.#options.disk.stat(join(this.#options.dir, name))) === undefined) return name;
    }
  }

  /** Milliseconds until the file is old enough. An empty one never is. */
  #dueIn(): number {
    const { rotate, clock } = this.#options;
    if (this.#current === undefined || this.#current.bytes === 0) return Infinity;
    return this.#current.begun + rotate.seconds * 1000 - clock.now();
  }

  /** A file that was taken away, cut or written to by somebody else would be spoilt by going on. */
  async #assertOurs({ file, bytes }: Current): Promise<void> {
    const named = await this.#options.disk.stat(this.#path);
    if (named?.size === bytes && (await file.size()) === bytes) return;
    const what = named === undefined ? 'is gone' : 'was changed by somebody else';
    throw new SekishoError('file_unwritable', `${this.#path} ${what}: leave it to Sekisho until it is rotated`, {
      facts: { path: this.#path },
    });
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (caught) {
      throw unwritable(this.#options.dir, caught);
    }
  }
}

interface Note extends KnownFile {
  readonly begun: number;
}

function noteOf(current: Current | undefined): Note | undefined {
  return current && { first: current.first, bytes: current.bytes, begun: current.begun };
}

function readNote(note: unknown): Note | undefined {
  const { first, bytes, begun } = (note ?? {}) as Partial<Record<keyof Note, unknown>>;
  if (typeof first !== 'number' || typeof bytes !== 'number' || typeof begun !== 'number') return undefined;
  return bytes === 0 ? undefined : { first, bytes, begun };
}

function bytesOf(line: NamedLine | undefined): number {
  return line === undefined ? 0 : Buffer.byteLength(line.json) + 1;
}

/** A single line may be larger than a file, if it has the file to itself. */
function howManyFit(lines: readonly NamedLine[], room: number): number {
  let used = 0;
  const tooMuch = lines.findIndex((line) => (used += bytesOf(line)) > room);
  return tooMuch === -1 ? lines.length : Math.max(tooMuch, 1);
}
