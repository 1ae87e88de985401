import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { unreadable, unwritable } from './disk-errors.ts';
import type { Disk, DiskFile, FileStat } from './disk.types.ts';
import { errnoOf } from './errors.ts';
import { watchFile } from './file-watch.ts';
import { lockFolder } from './folder-lock.ts';

export type { Disk, DiskFile, FileStat, FolderLock, Watch } from './disk.types.ts';

/** The disk of this machine. The one door through which anything in Sekisho reaches `node:fs`. */
export const realDisk: Disk = {
  open: async (path) => new RealFile(await fs.open(path, 'r')),
  openAppend: async (path) => new RealFile(await fs.open(path, 'r+')),
  createExclusive: async (path, mode) => new RealFile(await fs.open(path, 'wx+', mode)),
  readFile: async (path) => fs.readFile(path).catch((caught: unknown) => Promise.reject(unreadable(path, caught))),
  writeFileAtomic: async (path, bytes, mode) =>
    writeFileAtomic(path, bytes, mode).catch((caught: unknown) => Promise.reject(unwritable(path, caught))),
  list: async (folder) => {
    const names = await fs.readdir(folder).catch((caught: unknown) => Promise.reject(unreadable(folder, caught)));
    return names.sort();
  },
  makeDir: async (folder, mode) =>
    makeDir(folder, mode).catch((caught: unknown) => Promise.reject(unwritable(folder, caught))),
  syncDir,
  remove: (path) => fs.rm(path, { force: true }),
  rename: (from, to) => fs.rename(from, to),
  stat,
  watch: watchFile,
  lockFolder,
};

class RealFile implements DiskFile {
  readonly #handle: fs.FileHandle;

  constructor(handle: fs.FileHandle) {
    this.#handle = handle;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#handle.read(into, done, into.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  // pwrite may take fewer bytes than given; what stops it (a full disk, mostly) is what the next call says.
  async write(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * The file is whole under another name and on disk before its name is given to it: a crash before the rename leaves the old
 * bytes, one after it the new ones. Without the last `syncDir` the rename itself could be taken back by a crash.
 */
async function writeFileAtomic(path: string, bytes: Uint8Array | string, mode: number): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await fs.open(temporary, 'wx', mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, path);
  } catch (caught) {
    await fs.rm(temporary, { force: true });
    throw caught;
  }
  await syncDir(folder);
}

/** Every folder's name lies in the one above; each of these is synced, also if a process that died had made it before us. */
async function makeDir(folder: string, mode: number): Promise<void> {
  const absolute = resolve(folder);
  // The asynchronous form says ENOENT where the disk is full or read-only (Node 20).
  const first = mkdirSync(absolute, { recursive: true, mode });
  const top = first === undefined ? dirname(absolute) : dirname(first);
  for (let at = dirname(absolute); ; at = dirname(at)) {
    await syncDir(at);
    if (at === top || at === dirname(at)) break;
  }
}

async function syncDir(folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    const found = await fs.stat(path);
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
    return { kind, size: found.size, mode: found.mode & 0o777, modified: found.mtimeMs };
  } catch (caught) {
    const errno = errnoOf(caught);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw caught;
  }
}
