/**
 * The disk as Sekisho sees it: what journal, CA, policy and the others need of `node:fs`, and no more. Real code is given
 * `realDisk`; tests give a disk in memory that drops, tears and refuses.
 *
 * Methods that take a whole file or folder (readFile, writeFileAtomic, list, makeDir, lockFolder) throw a SekishoError that
 * names path and remedy. The others throw what the operating system said; `errnoOf` reads it.
 */
export interface Disk {
  /** Opens an existing file for reading. */
  open(path: string): Promise<DiskFile>;
  /** Opens an existing file for reading and for writing at given positions; its bytes stay as they are. */
  openAppend(path: string): Promise<DiskFile>;
  /** Creates a file; EEXIST where the name is taken. Its name survives a crash only after `syncDir` of its folder. */
  createExclusive(path: string, mode: number): Promise<DiskFile>;
  /** The whole file. Throws file_unreadable. */
  readFile(path: string): Promise<Buffer>;
  /**
   * Replaces or creates a file so that whoever looks, also after a crash, finds the old bytes or the new ones, never a mixture.
   * On disk when it resolves. Throws file_unwritable, or disk_full.
   */
  writeFileAtomic(path: string, bytes: Uint8Array | string, mode: number): Promise<void>;
  /** The names in a folder, sorted. Throws file_unreadable. */
  list(folder: string): Promise<string[]>;
  /** Makes the folder and the missing ones above it, and syncs what names them. An existing folder keeps its mode. Throws file_unwritable. */
  makeDir(folder: string, mode: number): Promise<void>;
  /** Makes the names in a folder (created, renamed, removed) survive a crash. */
  syncDir(folder: string): Promise<void>;
  /** Removes a file; it is no error if there is none. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** undefined where there is nothing of that name. */
  stat(path: string): Promise<FileStat | undefined>;
  /**
   * Calls back after a change of the file: written to, replaced by rename, created or removed; of a folder, after a name came or went. Several changes may
   * come as one call.
   */
  watch(path: string, changed: () => void): Watch;
  /**
   * Takes the folder, which is on a local file system, for this opener alone, or together with others of the same `company` (a word without spaces), until
   * `release` or the death of the process. Throws folder_in_use, file_unwritable.
   */
  lockFolder(folder: string, company?: string): Promise<FolderLock>;
}

/** An open file. Positions and lengths are in bytes. */
export interface DiskFile {
  /** Fills `into` from `position` on; returns how many bytes there were, fewer than asked only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` or throws; after a throw any part of them may be in the file. Not on disk until `datasync`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Resolves when all that was written, and the size, is on disk (fdatasync). After a throw nothing is known of it. */
  datasync(): Promise<void>;
  /** As `datasync`, with times and mode too (fsync). */
  sync(): Promise<void>;
  /** Cuts the file to `length`. On disk after `datasync`. */
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

export interface FileStat {
  readonly kind: 'file' | 'folder' | 'other';
  readonly size: number;
  /** Permission bits, as in 0o640. */
  readonly mode: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface Watch {
  /** No call comes after this. */
  close(): void;
}

export interface FolderLock {
  /** Gives the folder back. May be called twice. */
  release(): Promise<void>;
}
