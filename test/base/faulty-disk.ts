import { basename, dirname } from 'node:path';

import type { Disk, DiskFile, FileStat, FolderLock } from '../../src/base/disk.ts';
import { unreadable } from '../../src/base/disk-errors.ts';
import { SekishoError } from '../../src/base/errors.ts';

/** Numbers from 0 up to, not including, `below`. Whoever tests with a seed gets the same crash again. */
export type Draw = (below: number) => number;

export type End = 'kill' | 'power';

/**
 * A disk in memory that keeps only the promises that a real one makes.
 *
 * A write, a truncation or a file's name is safe when the sync that covers it has returned. Until then a power cut may drop it,
 * keep it, or keep some of its 512-byte sectors and tear one of them; names (created, renamed, removed) are dropped or kept one
 * by one. A killed process loses nothing that was written, but nothing of it becomes safe thereby. After a failed datasync the
 * file's unsafe bytes stay unsafe whatever later syncs say, as on Linux, where the kernel has marked the pages clean.
 */
export class FaultyDisk implements Disk {
  /** Free bytes. A write takes what still fits and then fails with ENOSPC. */
  freeBytes = Infinity;
  /** The datasyncs to fail with EIO, counted from 1 over all files. */
  readonly failDatasyncs = new Set<number>();
  /** Folder operations (create, rename, syncDir) that fail with EIO while this is set. */
  folderFails = false;
  datasyncs = 0;
  /** How many operations have begun. */
  operations = 0;
  /** At this operation everything stops: it and whatever comes later never returns. */
  crashAt = Infinity;
  readonly crashed: Promise<void>;
  #crash: () => void = () => undefined;
  #names: Names;
  readonly #locks = new Set<string>();

  constructor(names: Names = new Names()) {
    this.#names = names;
    this.crashed = new Promise((resolve) => (this.#crash = resolve));
  }

  /** What the next process finds. This disk answers nobody any more. */
  afterCrash(end: End, draw: Draw): FaultyDisk {
    this.crashAt = 0;
    return new FaultyDisk(end === 'power' ? this.#names.afterPowerCut(draw) : this.#names);
  }

  /** Another disk in the same state, with the same bytes at risk. */
  copy(): FaultyDisk {
    return new FaultyDisk(this.#names.copy());
  }

  /** The bytes that stand in a file, as any process would read them now; for tests to look at and to damage. */
  contents(path: string): Buffer | undefined {
    return this.#names.get(path)?.contents();
  }

  /** Puts bytes into a file safely, behind everyone's back. */
  plant(path: string, bytes: Uint8Array): void {
    this.#names.plant(path, new Inode(Buffer.from(bytes)));
  }

  /** Takes a file away safely, behind everyone's back. */
  lose(path: string): void {
    this.#names.plant(path, undefined);
  }

  paths(): string[] {
    return this.#names.paths();
  }

  async open(path: string): Promise<DiskFile> {
    await this.step();
    return new FaultyFile(this, this.#existing(path));
  }

  openAppend(path: string): Promise<DiskFile> {
    return this.open(path);
  }

  async createExclusive(path: string): Promise<DiskFile> {
    await this.#folderStep(path);
    if (this.#names.get(path) !== undefined) throw errno('EEXIST', path);
    const inode = new Inode();
    this.#names.change(dirname(path), [[path, inode]]);
    return new FaultyFile(this, inode);
  }

  async readFile(path: string): Promise<Buffer> {
    await this.step();
    try {
      return this.#existing(path).contents();
    } catch (caught) {
      throw unreadable(path, caught);
    }
  }

  async writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
    const temporary = `${path}.tmp`;
    await this.remove(temporary);
    const file = await this.createExclusive(temporary);
    await file.write(Buffer.from(bytes), 0);
    await file.sync();
    await this.rename(temporary, path);
    await this.syncDir(dirname(path));
  }

  async list(folder: string): Promise<string[]> {
    await this.step();
    return this.#names
      .paths()
      .filter((path) => dirname(path) === folder)
      .map((path) => basename(path))
      .sort();
  }

  // Folders are there and safe; their own names are the real disk's tests' concern.
  async makeDir(): Promise<void> {
    await this.step();
  }

  async syncDir(folder: string): Promise<void> {
    await this.#folderStep(folder);
    this.#names.sync(folder);
  }

  async remove(path: string): Promise<void> {
    await this.step();
    if (this.#names.get(path) !== undefined) this.#names.change(dirname(path), [[path, undefined]]);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#folderStep(from);
    const inode = this.#existing(from);
    this.#names.change(dirname(from), [
      [from, undefined],
      [to, inode],
    ]);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await this.step();
    const inode = this.#names.get(path);
    return inode && { kind: 'file', size: inode.contents().length, mode: 0o640, modified: 0 };
  }

  watch(): never {
    throw new Error('nothing watches this disk');
  }

  lockFolder(folder: string): Promise<FolderLock> {
    if (this.#locks.has(folder)) return Promise.reject(new SekishoError('folder_in_use', `${folder} is in use`));
    this.#locks.add(folder);
    return Promise.resolve({
      release: () => {
        this.#locks.delete(folder);
        return Promise.resolve();
      },
    });
  }

  /** Counts an operation, and lets others have their turn as a real disk does. */
  async step(): Promise<void> {
    this.operations += 1;
    if (this.operations >= this.crashAt) {
      this.#crash();
      await new Promise(() => undefined);
    }
    await Promise.resolve();
  }

  async #folderStep(path: string): Promise<void> {
    await this.step();
    if (this.folderFails) throw errno('EIO', path);
  }

  #existing(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw errno('ENOENT', path);
    return inode;
  }
}

export function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

class FaultyFile implements DiskFile {
  readonly #disk: FaultyDisk;
  readonly #inode: Inode;
  #open = true;

  constructor(disk: FaultyDisk, inode: Inode) {
    this.#disk = disk;
    this.#inode = inode;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    await this.#step();
    const bytes = this.#inode.contents().subarray(position, position + into.length);
    into.set(bytes);
    return bytes.length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { crashAt, operations } = this.#disk;
    // The write during which the machine stops may have got anywhere.
    if (operations + 1 === crashAt) this.#inode.write(bytes, position);
    await this.#step();
    const growth = Math.max(0, position + bytes.length - this.#inode.contents().length);
    const fits = Math.min(bytes.length, bytes.length - growth + this.#disk.freeBytes);
    this.#disk.freeBytes -= Math.min(growth, this.#disk.freeBytes);
    this.#inode.write(bytes.subarray(0, fits), position);
    if (fits < bytes.length) throw errno('ENOSPC', 'write');
  }

  async datasync(): Promise<void> {
    await this.#step();
    this.#disk.datasyncs += 1;
    if (this.#disk.failDatasyncs.has(this.#disk.datasyncs)) {
      this.#inode.giveUp();
      throw errno('EIO', 'fdatasync');
    }
    this.#inode.sync();
  }

  sync(): Promise<void> {
    return this.datasync();
  }

  async truncate(length: number): Promise<void> {
    await this.#step();
    this.#disk.freeBytes += Math.max(0, this.#inode.contents().length - length);
    this.#inode.truncate(length);
  }

  async size(): Promise<number> {
    await this.#step();
    return this.#inode.contents().length;
  }

  close(): Promise<void> {
    this.#open = false;
    return Promise.resolve();
  }

  async #step(): Promise<void> {
    if (!this.#open) throw errno('EBADF', 'closed file');
    await this.#disk.step();
  }
}

type Change =
  | { readonly kind: 'write'; readonly bytes: Buffer; readonly position: number; state: State }
  | { readonly kind: 'truncate'; readonly length: number; state: State };

/** `lost`: a sync failed, the kernel forgot that it is unsafe. */
type State = 'safe' | 'unsafe' | 'lost';

const sectorBytes = 512;

class Inode {
  /** What is safe, before the changes. */
  #base: Buffer;
  #changes: Change[] = [];
  #contents: Buffer | undefined;

  constructor(base: Buffer = Buffer.alloc(0)) {
    this.#base = base;
  }

  copy(): Inode {
    const copy = new Inode(this.#base);
    copy.#changes = this.#changes.map((change) => ({ ...change }));
    return copy;
  }

  contents(): Buffer {
    this.#contents ??= this.#changes.reduce(
      (bytes, change) =>
        change.kind === 'write' ? put(bytes, change.bytes, change.position) : cut(bytes, change.length),
      this.#base,
    );
    return this.#contents;
  }

  write(bytes: Uint8Array, position: number): void {
    this.#change({ kind: 'write', bytes: Buffer.from(bytes), position, state: 'unsafe' });
  }

  truncate(length: number): void {
    this.#change({ kind: 'truncate', length, state: 'unsafe' });
  }

  sync(): void {
    for (const change of this.#changes) if (change.state === 'unsafe') change.state = 'safe';
    if (this.#changes.some((change) => change.state !== 'safe')) return;
    this.#base = this.contents();
    this.#changes = [];
  }

  giveUp(): void {
    for (const change of this.#changes) if (change.state === 'unsafe') change.state = 'lost';
  }

  afterPowerCut(draw: Draw): Inode {
    let bytes = this.#base;
    for (const change of this.#changes) {
      if (change.kind === 'truncate') {
        if (change.state === 'safe' || draw(2) === 0) bytes = cut(bytes, change.length);
      } else {
        bytes = change.state === 'safe' ? put(bytes, change.bytes, change.position) : tear(bytes, change, draw);
      }
    }
    return new Inode(bytes);
  }

  #change(change: Change): void {
    this.#changes.push(change);
    this.#contents = undefined;
  }
}

/** Each sector that the write touches is old, new, or new up to some byte. The file's new length may be kept without its bytes. */
function tear(before: Buffer, write: { bytes: Buffer; position: number }, draw: Draw): Buffer {
  const whole = draw(4);
  if (whole === 0) return before;
  if (whole === 1) return put(before, write.bytes, write.position);
  const end = write.position + write.bytes.length;
  let after = draw(2) === 0 ? before : put(before, Buffer.alloc(Math.max(0, end - before.length)), before.length);
  for (let from = write.position; from < end;) {
    const to = Math.min(end, (Math.floor(from / sectorBytes) + 1) * sectorBytes);
    const fate = draw(3);
    const kept = fate === 0 ? from : fate === 1 ? to : from + draw(to - from);
    after = put(after, write.bytes.subarray(from - write.position, kept - write.position), from);
    from = to;
  }
  return after;
}

function put(bytes: Buffer, piece: Buffer, position: number): Buffer {
  if (piece.length === 0) return bytes;
  const result = Buffer.alloc(Math.max(bytes.length, position + piece.length));
  bytes.copy(result);
  piece.copy(result, position);
  return result;
}

function cut(bytes: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  bytes.copy(result);
  return result;
}

/** One operation on a folder: these names change together or not at all. */
type Entries = readonly (readonly [path: string, inode: Inode | undefined])[];

class Names {
  readonly #safe: Map<string, Inode>;
  #now: Map<string, Inode>;
  #unsafe: { folder: string; entries: Entries }[] = [];

  constructor(safe: ReadonlyMap<string, Inode> = new Map()) {
    this.#safe = new Map(safe);
    this.#now = new Map(safe);
  }

  get(path: string): Inode | undefined {
    return this.#now.get(path);
  }

  paths(): string[] {
    return [...this.#now.keys()].sort();
  }

  plant(path: string, inode: Inode | undefined): void {
    assign(this.#safe, [[path, inode]]);
    assign(this.#now, [[path, inode]]);
  }

  change(folder: string, entries: Entries): void {
    assign(this.#now, entries);
    this.#unsafe.push({ folder, entries });
  }

  sync(folder: string): void {
    for (const change of this.#unsafe) if (change.folder === folder) assign(this.#safe, change.entries);
    this.#unsafe = this.#unsafe.filter((change) => change.folder !== folder);
  }

  copy(): Names {
    const inodes = new Map<Inode, Inode>();
    const copied = (inode: Inode): Inode => {
      const copy = inodes.get(inode) ?? inode.copy();
      inodes.set(inode, copy);
      return copy;
    };
    const copyAll = (names: ReadonlyMap<string, Inode>): [string, Inode][] =>
      [...names].map(([path, inode]) => [path, copied(inode)]);
    const copy = new Names(new Map(copyAll(this.#safe)));
    copy.#now = new Map(copyAll(this.#now));
    copy.#unsafe = this.#unsafe.map(({ folder, entries }) => ({
      folder,
      entries: entries.map(([path, inode]) => [path, inode && copied(inode)] as const),
    }));
    return copy;
  }

  afterPowerCut(draw: Draw): Names {
    const names = new Map(this.#safe);
    for (const change of this.#unsafe) if (draw(2) === 0) assign(names, change.entries);
    const inodes = new Map<Inode, Inode>();
    for (const inode of names.values()) inodes.set(inode, inodes.get(inode) ?? inode.afterPowerCut(draw));
    return new Names(new Map([...names].map(([path, inode]) => [path, inodes.get(inode) ?? inode])));
  }
}

function assign(names: Map<string, Inode>, entries: Entries): void {
  for (const [path, inode] of entries) {
    if (inode === undefined) names.delete(path);
    else names.set(path, inode);
  }
}
