import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import fc from 'fast-check';

import type { Disk, DiskFile } from '../../../src/base/disk.ts';
import { type Corruption, openJournal, type Journal, type JournalObserver } from '../../../src/sink/journal/journal.ts';
import { readJournal } from '../../../src/sink/journal/reader.ts';
import { draws } from '../../base/draws.ts';
import { type Draw, type End, FaultyDisk } from '../../base/faulty-disk.ts';

const dir = '/journal';
const plenty = 1e9;

/** Lives that once ended badly. */
const seeds = JSON.parse(readFileSync('test/seeds/journal-crash.json', 'utf8')) as Life[];

interface Round {
  /** The sizes of what is appended, call by call. */
  readonly appends: readonly (readonly number[])[];
  /** How many appends are on their way at a time. */
  readonly inFlight: number;
  /** At which operation of the disk everything stops; beyond the last one, the journal is closed in peace. */
  readonly crashAt: number;
  readonly end: End;
  readonly failDatasyncs: readonly number[];
  readonly freeBytes: number;
}

interface Life {
  readonly rounds: readonly Round[];
  readonly segmentBytes: number;
  readonly batchBytes: number;
  readonly seed: number;
}

const size = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) }, fc.integer({ min: 1, max: 1500 }));
const round: fc.Arbitrary<Round> = fc.record({
  appends: fc.array(fc.array(size, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
  inFlight: fc.integer({ min: 1, max: 6 }),
  crashAt: fc.integer({ min: 1, max: 120 }),
  end: fc.constantFrom('kill', 'power'),
  failDatasyncs: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
  freeBytes: fc.oneof({ weight: 3, arbitrary: fc.constant(plenty) }, fc.integer({ min: 100, max: 4000 })),
});
const life: fc.Arbitrary<Life> = fc.record({
  rounds: fc.array(round, { minLength: 1, maxLength: 4 }),
  segmentBytes: fc.integer({ min: 200, max: 4000 }),
  batchBytes: fc.integer({ min: 60, max: 2000 }),
  seed: fc.integer(),
});

function lives(through: (disk: FaultyDisk) => Disk = (disk) => disk): fc.IAsyncProperty<[Life]> {
  return fc.asyncProperty(life, async (one) => live(one, through));
}

test('whatever ends the process, what was acknowledged is there, in order and byte for byte', async () => {
  await fc.assert(lives(), { numRuns: 400, examples: seeds.map((seed) => [seed]) });
});

// Faults in the journal, made by a disk that does not do what it was told. A test of durability that passes with them tests nothing.
const faults: Readonly<Record<string, (disk: FaultyDisk) => Disk>> = {
  'does not sync its data': (disk) => withDatasync(disk, () => Promise.resolve()),
  'does not sync the names of its segments': (disk) => override(disk, { syncDir: () => Promise.resolve() }),
  'acknowledges a batch whose sync failed': (disk) =>
    withDatasync(disk, (file) => file.datasync().catch(() => undefined)),
};

for (const [fault, through] of Object.entries(faults)) {
  test(`the same test finds a journal that ${fault}`, async () => {
    const found = await fc.check(lives(through), { numRuns: 400, endOnFailure: true });
    assert.ok(found.errorInstance instanceof assert.AssertionError, 'nothing was found');
  });
}

/** What the journal owes: `written[0..owed)` must be found; what comes after may be, without a hole. */
interface Debt {
  readonly written: readonly Buffer[];
  readonly owed: number;
}

async function live({ rounds, seed, ...sizes }: Life, through: (disk: FaultyDisk) => Disk): Promise<void> {
  const draw = draws(seed);
  let disk = new FaultyDisk();
  let debt: Debt = { written: [], owed: 0 };
  for (const one of rounds) {
    const corruptions: Corruption[] = [];
    const corrupt = (corruption: Corruption): number => corruptions.push(corruption);
    const lived = await liveRound(disk, one, { ...sizes, through, debt, draw, corrupt });
    disk = disk.afterCrash(lived.closed ? 'kill' : one.end, draw);
    ({ debt } = lived);
    // On a copy, so that the next round finds the disk as the crash left it.
    const found = await reopen(disk.copy(), through, corrupt);
    assert.deepEqual(corruptions, [], 'a mere crash was reported as corruption');
    assert.ok(found.length >= debt.owed, `${debt.owed} owed, ${found.length} found`);
    assert.deepEqual(found, debt.written.slice(0, found.length));
  }
}

/** Opens and appends until everything is appended and the journal closed, or until the disk stops. */
async function liveRound(
  disk: FaultyDisk,
  one: Round,
  options: {
    segmentBytes: number;
    batchBytes: number;
    through: (disk: FaultyDisk) => Disk;
    debt: Debt;
    draw: Draw;
    corrupt: (corruption: Corruption) => void;
  },
): Promise<{ debt: Debt; closed: boolean }> {
  let { owed } = options.debt;
  let written = [...options.debt.written];
  const work = async (): Promise<void> => {
    const journal = await openJournal({
      dir,
      disk: options.through(disk),
      observer: { corrupt: options.corrupt },
      segmentBytes: options.segmentBytes,
      batchBytes: options.batchBytes,
      newMarker: () => Buffer.from(Array.from({ length: 8 }, () => options.draw(256))),
      pause: (milliseconds, signal) => pauseUntilRoom(disk, milliseconds, signal),
    });
    // What this opening kept is published, and owed from now on.
    owed = journal.nextIndex;
    written = written.slice(0, owed);
    // Opening is spared; afterwards the disk has its troubles.
    for (const n of one.failDatasyncs) disk.failDatasyncs.add(disk.datasyncs + n);
    disk.freeBytes = one.freeBytes;
    const waiting = [...one.appends];
    await Promise.all(
      Array.from({ length: one.inFlight }, async () => {
        for (let sizes = waiting.shift(); sizes !== undefined; sizes = waiting.shift()) {
          const first = written.length;
          const payloads = sizes.map((bytes, i) => payload(first + i, bytes, options.draw));
          written.push(...payloads);
          assert.equal(await journal.append(payloads), first);
          owed = Math.max(owed, first + payloads.length);
        }
      }),
    );
    await journal.close();
  };
  disk.crashAt = disk.operations + one.crashAt;
  const closed = await Promise.race([work().then(() => true), disk.crashed.then(() => false)]);
  return { debt: { written, owed }, closed };
}

/** Opens as the next process would, reads everything as any process would, and closes. */
async function reopen(
  disk: FaultyDisk,
  through: (disk: FaultyDisk) => Disk,
  corrupt: (corruption: Corruption) => void,
): Promise<Buffer[]> {
  const before = newestSegment(disk);
  const torn: { segment: string; offset: number }[] = [];
  let journal: Journal | undefined;
  await new Promise<void>((resolve, reject) => {
    const observer: JournalObserver = {
      corrupt,
      checked: () => setImmediate(resolve),
      torn: (tail) => torn.push(tail),
    };
    openJournal({ dir, disk: through(disk), observer, pause: () => Promise.resolve() }).then((opened) => {
      journal = opened;
    }, reject);
  });
  assert.ok(journal);
  assertCutIsTold(disk, before, torn);

  const found: Buffer[] = [];
  for await (const frame of readJournal({ dir, disk, onCorrupt: corrupt })) {
    assert.equal(frame.index, found.length);
    found.push(frame.payload);
  }
  assert.equal(journal.nextIndex, found.length);
  await journal.close();
  return found;
}

interface NewestSegment {
  readonly path: string;
  readonly bytes: Buffer;
}

function newestSegment(disk: FaultyDisk): NewestSegment | undefined {
  const path = disk.paths().findLast((name) => name.endsWith('.seg'));
  return path === undefined ? undefined : { path, bytes: disk.contents(path) ?? Buffer.alloc(0) };
}

/** Bytes that stood in the newest segment before the opening and do not stand there after it were reported as torn. */
function assertCutIsTold(
  disk: FaultyDisk,
  before: NewestSegment | undefined,
  torn: { segment: string; offset: number }[],
): void {
  if (before === undefined) return;
  const after = disk.contents(before.path) ?? Buffer.alloc(0);
  const different = before.bytes.findIndex((byte, i) => byte !== after[i]);
  if (different === -1) return;
  const told = torn.find(({ segment }) => before.path.endsWith(`/${segment}`));
  assert.ok(told !== undefined && told.offset <= different, `bytes from ${different} on are gone and nobody was told`);
}

/** Somebody frees space when the journal has waited a while. */
async function pauseUntilRoom(disk: FaultyDisk, milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await disk.step();
  if (milliseconds > 500) disk.freeBytes = plenty;
}

/** Tells its index, and is full of what might be mistaken for the journal's own marks. */
function payload(index: number, bytes: number, draw: Draw): Buffer {
  const filling =
    [Buffer.from([0xb5, 0xe1, 0x5a, 0x7c]), Buffer.alloc(4), Buffer.from([0, 0, 0, 9])][draw(3)] ?? Buffer.alloc(1);
  const result = Buffer.alloc(bytes, filling);
  Buffer.from(`#${index}`).copy(result);
  return result;
}

/** A disk that does some things otherwise. */
function override(disk: Disk, changes: Partial<Disk>): Disk {
  const all: Disk = {
    open: (path) => disk.open(path),
    openAppend: (path) => disk.openAppend(path),
    createExclusive: (path, mode) => disk.createExclusive(path, mode),
    readFile: (path) => disk.readFile(path),
    writeFileAtomic: (path, bytes, mode) => disk.writeFileAtomic(path, bytes, mode),
    list: (folder) => disk.list(folder),
    makeDir: (folder, mode) => disk.makeDir(folder, mode),
    syncDir: (folder) => disk.syncDir(folder),
    remove: (path) => disk.remove(path),
    rename: (from, to) => disk.rename(from, to),
    stat: (path) => disk.stat(path),
    watch: (path, changed) => disk.watch(path, changed),
    lockFolder: (folder) => disk.lockFolder(folder),
  };
  return { ...all, ...changes };
}

/** The same for the files of a disk. */
function withDatasync(disk: Disk, datasync: (file: DiskFile) => Promise<void>): Disk {
  const changed = (file: DiskFile): DiskFile => ({
    read: (into, position) => file.read(into, position),
    write: (bytes, position) => file.write(bytes, position),
    datasync: () => datasync(file),
    sync: () => datasync(file),
    truncate: (length) => file.truncate(length),
    size: () => file.size(),
    close: () => file.close(),
  });
  return override(disk, {
    openAppend: async (path) => changed(await disk.openAppend(path)),
    createExclusive: async (path, mode) => changed(await disk.createExclusive(path, mode)),
  });
}
