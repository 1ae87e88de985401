import { join } from 'node:path';
import type { Disk } from '../../base/disk.types.ts';
import { SekishoError } from '../../base/errors.ts';
import {
  currentFiles,
  entryFile,
  isEntry,
  newestLease,
  noteFile,
  notesIn,
  ownEntry,
  supersededFiles,
  type EntryFile,
} from './entry-names.ts';

export type EntryDisk = Pick<Disk, 'list' | 'readFile' | 'writeFileAtomic' | 'remove'>;

/** The entries of a state folder on disk, under the rule of lease numbers: a late write of somebody who lost the lease is never seen. */
export class Entries {
  readonly #folder: string;
  readonly #disk: EntryDisk;
  /** No number of a lease comes to a second process, so that no name that this one gives was ever given before. */
  #turns = 0;

  constructor(folder: string, disk: EntryDisk) {
    this.#folder = folder;
    this.#disk = disk;
  }

  async read(entry: string): Promise<Buffer | undefined> {
    for (let attempt = 0; ; attempt++) {
      const file = (await this.current()).get(entry);
      if (file === undefined) return undefined;
      // One that is not there has just been replaced by a newer one; the last attempt says what else it is.
      const bytes = await (attempt < attempts ? this.#readAny(file.file) : this.#read(file.file));
      if (bytes !== undefined) return bytes;
    }
  }

  async current(): Promise<Map<string, EntryFile>> {
    return currentFiles(await this.#names());
  }

  /** Writes under lease `lease`, one call after the other. Throws `lease_lost` when there is a newer lease, before and after. */
  async write(entry: string, bytes: Uint8Array | string, lease: number): Promise<void> {
    if (!isEntry(entry)) throw new Error(`${entry} can be no entry`);
    const names = await this.#names();
    assertNewest(names, lease);
    const before = currentFiles(names).get(entry);
    const next = join(this.#folder, entryFile(entry, lease, ++this.#turns).file);
    await this.#disk.writeFileAtomic(next, bytes, 0o600).catch(async (caught: unknown) => {
      // Whoever took the lease meanwhile has cleared away what was not whole yet.
      assertNewest(await this.#names(), lease);
      throw caught;
    });
    assertNewest(await this.#names(), lease);
    if (before !== undefined) await this.#disk.remove(join(this.#folder, before.file));
  }

  async remove(entry: string, lease: number): Promise<void> {
    const names = await this.#names();
    assertNewest(names, lease);
    const file = currentFiles(names).get(entry);
    if (file !== undefined) await this.#disk.remove(join(this.#folder, file.file));
    assertNewest(await this.#names(), lease);
  }

  /**
   * Writes every entry anew under a lease that was just taken, and last the one that says whose folder it is: from then on nothing counts that is written under an
   * older lease.
   */
  async seal(lease: number, own: string): Promise<void> {
    for (const { entry, lease: before } of (await this.current()).values()) {
      if (entry === ownEntry || before === lease) continue;
      const bytes = await this.read(entry);
      if (bytes !== undefined) await this.write(entry, bytes, lease);
    }
    await this.write(ownEntry, own, lease);
    const names = await this.#names();
    const told = notesIn(names).map(noteFile);
    for (const file of [...supersededFiles(names), ...told]) await this.#disk.remove(join(this.#folder, file));
  }

  async leaveNote(id: string, text: string): Promise<void> {
    await this.#disk.writeFileAtomic(join(this.#folder, noteFile(id)), text, 0o600);
  }

  /** The notes that others than the process `id` left. */
  async notes(id: string): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const other of notesIn(await this.#names()).filter((one) => one !== id)) {
      const text = await this.#readAny(noteFile(other));
      if (text !== undefined) found.set(other, text.toString('utf8'));
    }
    return found;
  }

  /** Undefined where it has just gone. */
  #readAny(file: string): Promise<Buffer | undefined> {
    return this.#read(file).catch((caught: unknown) => {
      if (SekishoError.from(caught).facts['errno'] === 'ENOENT') return undefined;
      throw caught;
    });
  }

  #read(file: string): Promise<Buffer> {
    return this.#disk.readFile(join(this.#folder, file));
  }

  #names(): Promise<string[]> {
    return this.#disk.list(this.#folder);
  }
}

/** Between one look at the names and the reading of a file, so many newer ones may come. */
const attempts = 8;

/** @throws SekishoError lease_lost */
function assertNewest(names: readonly string[], lease: number): void {
  if ((newestLease(names) ?? 0) > lease) throw leaseLost();
}

export function leaseLost(): SekishoError {
  return new SekishoError(
    'lease_lost',
    'this control plane does not hold the lease of the state folder, so what it would write is for the one that does to say; nothing has to be done',
  );
}
