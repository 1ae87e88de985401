import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';

import { realDisk } from '../../../src/base/disk.ts';
import { openJournal } from '../../../src/sink/journal/journal.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { dir, numbered, open, range, readAll, turn } from './fixture.ts';

/** Waits until something is so; a test that waits for what never comes ends with the runner's time limit. */
async function until(fact: () => boolean): Promise<void> {
  while (!fact()) await turn();
}

test('indices count from 0, go on after closing and are those that readers see', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  assert.equal(await journal.append([numbered(0), numbered(1)]), 0);
  assert.equal(await journal.append([numbered(2)]), 2);
  assert.equal(journal.nextIndex, 3);
  await journal.close();

  const { journal: again, told } = await open(disk);
  assert.equal(again.nextIndex, 3);
  assert.equal(await again.append([numbered(3)]), 3);
  await again.close();
  assert.deepEqual(told.segments, [], 'the segment is written on');
  assert.deepEqual(
    (await readAll(disk)).frames,
    new Map(range(0, 4).map((index) => [index, numbered(index).toString()])),
  );
});

test('what is acknowledged can be read by any reader at once', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk, { segmentBytes: 200 });
  for (let index = 0; index < 20; index++) {
    await journal.append([numbered(index)]);
    assert.equal((await readAll(disk)).frames.size, index + 1);
  }
  await journal.close();
});

test('all that waits when a sync returns goes to disk with the next one', async () => {
  const { journal, told } = await open(new FaultyDisk());
  const first = journal.append([numbered(0)]);
  await turn();
  await first;
  const waiting = range(1, 101).map((index) => journal.append([numbered(index)]));
  assert.deepEqual(await Promise.all(waiting), range(1, 101));
  assert.deepEqual(
    told.committed.map(({ frames, bytes }) => ({ frames, bytes })),
    [
      { frames: 1, bytes: 18 },
      { frames: 100, bytes: 1800 },
    ],
  );
  await journal.close();
});

test('an append larger than a batch goes to disk in several and is acknowledged after the last', async () => {
  const disk = new FaultyDisk();
  const { journal, told } = await open(disk, { batchBytes: 50 });
  assert.equal(await journal.append(range(0, 7).map(numbered)), 0);
  assert.deepEqual(
    told.committed.map(({ frames }) => frames),
    [2, 2, 2, 1],
  );
  assert.equal(await journal.append([Buffer.alloc(65_535)]), 7, 'a frame may be larger than a batch');
  await journal.close();
  assert.equal((await readAll(disk)).frames.size, 8);
});

test('a segment ends before the batch that would make it too large', async () => {
  const disk = new FaultyDisk();
  const { journal, told } = await open(disk, { segmentBytes: 200 });
  for (let index = 0; index < 40; index++) await journal.append([numbered(index)]);
  await journal.close();
  assert.ok(told.segments.length > 5);
  assert.deepEqual(
    disk.paths(),
    told.segments.map((name) => `${dir}/${name}`),
  );
  for (const path of disk.paths()) assert.ok((disk.contents(path)?.length ?? 0) <= 224, path);
});

const refusals = [
  { payloads: [Buffer.alloc(65_536)], code: 'record_too_large' },
  { payloads: [numbered(0), Buffer.alloc(0)], code: 'record_malformed' },
];
for (const { payloads, code } of refusals) {
  test(`an append with ${code} is refused whole and takes no index`, async () => {
    const { journal } = await open(new FaultyDisk());
    await assert.rejects(journal.append(payloads), { code });
    assert.equal(journal.queuedBytes, 0);
    assert.equal(await journal.append([numbered(0)]), 0);
    await journal.close();
  });
}

test('an append of nothing is acknowledged at once', async () => {
  const { journal } = await open(new FaultyDisk());
  assert.equal(await journal.append([]), 0);
  await journal.close();
});

test('closing stores what waits, may be done twice, and ends appending', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  const appended = journal.append([numbered(0)]);
  await Promise.all([journal.close(), journal.close()]);
  assert.equal(await appended, 0);
  await journal.close();
  await assert.rejects(journal.append([numbered(1)]), { code: 'journal_closed' });
  await journal.room();
  assert.equal((await readAll(disk)).frames.size, 1);
});

test('room is asked for when too much waits, and comes when the disk has it', async () => {
  const { journal } = await open(new FaultyDisk(), { queueBytes: 36 });
  assert.equal(journal.hasRoom(), true);
  const appended = journal.append([numbered(0), numbered(1)]);
  assert.equal(journal.queuedBytes, 36);
  assert.equal(journal.hasRoom(), false);
  await journal.room();
  assert.equal(journal.nextIndex, 2);
  assert.equal(journal.queuedBytes, 0);
  await appended;
  await journal.close();
});

test('on a full disk records wait, room closes, and nothing is lost when space comes back', async () => {
  const disk = new FaultyDisk();
  const { journal, told } = await open(disk, { queueBytes: 1000 });
  await journal.append([numbered(0)]);
  disk.freeBytes = 100;
  const waiting = range(1, 101).map((index) => journal.append([numbered(index)]));
  await until(() => journal.failing !== undefined);
  assert.equal(journal.failing?.code, 'disk_full');
  assert.equal(journal.hasRoom(), false);
  const operations = disk.operations;
  await until(() => disk.operations > operations + 20);
  assert.deepEqual(told.failing, ['disk_full'], 'told once however often it is tried');
  assert.equal((await readAll(disk)).frames.size, 1, 'what was written of it is taken back');

  disk.freeBytes = Infinity;
  assert.deepEqual(await Promise.all(waiting), range(1, 101));
  assert.equal(journal.failing, undefined);
  assert.equal(told.recovered, 1);
  await journal.room();
  await journal.close();
  assert.equal((await readAll(disk)).frames.size, 101);
  assert.equal(disk.paths().length, 1, 'the segment is written on');
});

test('retries wait longer each time, up to five seconds', async () => {
  const disk = new FaultyDisk();
  const waits: number[] = [];
  const { journal } = await open(disk, {
    pause: async (milliseconds) => {
      waits.push(milliseconds);
      if (waits.length === 8) disk.freeBytes = Infinity;
      await turn();
    },
  });
  disk.freeBytes = 0;
  await journal.append([numbered(0)]);
  await journal.close();
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

test('a journal that is closed while its disk is full tells its appenders why', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  await journal.append([numbered(0)]);
  disk.freeBytes = 0;
  const waiting = journal.append([numbered(1)]);
  const refused = assert.rejects(waiting, { code: 'disk_full' });
  await until(() => journal.failing !== undefined);
  await journal.close();
  await refused;
  const { journal: again, told } = await open(disk);
  assert.equal(again.nextIndex, 1);
  assert.deepEqual(told.corrupt, []);
  await again.close();
});

test('after a failed sync the file is never synced again and the batch goes into a new segment', async () => {
  const disk = new FaultyDisk();
  const { journal, told } = await open(disk);
  await journal.append([numbered(0)]);
  disk.failDatasyncs.add(disk.datasyncs + 1);
  assert.equal(await journal.append([numbered(1)]), 1);
  assert.equal(await journal.append([numbered(2)]), 2);
  assert.deepEqual(told.segments, ['00000000000000000000.seg', '00000000000000000001.seg']);
  assert.deepEqual(told.failing, []);
  await journal.close();
  assert.deepEqual([...(await readAll(disk)).frames.keys()], [0, 1, 2]);
});

test('a disk on which no sync works is tried until one does', async () => {
  const disk = new FaultyDisk();
  const { journal, told } = await open(disk);
  await journal.append([numbered(0)]);
  for (let n = 1; n <= 6; n++) disk.failDatasyncs.add(disk.datasyncs + n);
  assert.equal(await journal.append([numbered(1)]), 1);
  assert.deepEqual(told.failing, ['disk_failed']);
  assert.equal(told.recovered, 1);
  await journal.close();
  assert.deepEqual((await readAll(disk)).corrupt, []);
});

test('a folder that cannot take a new segment keeps the batch until it can', async () => {
  const disk = new FaultyDisk();
  const { journal, told } = await open(disk, { segmentBytes: 100 });
  await journal.append([numbered(0)]);
  disk.folderFails = true;
  const waiting = journal.append([numbered(1), numbered(2)]);
  await until(() => journal.failing !== undefined);
  disk.folderFails = false;
  assert.equal(await waiting, 1);
  assert.deepEqual(told.failing, ['disk_failed']);
  await journal.close();
  assert.equal((await readAll(disk)).frames.size, 3);
});

test('a folder has one opener at a time', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  await assert.rejects(open(disk), { code: 'folder_in_use' });
  await journal.close();
  await (await open(disk)).journal.close();
});

test('a folder that cannot be made is named with what to do', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'sekisho-journal-'));
  t.after(() => {
    rmSync(base, { recursive: true });
  });
  writeFileSync(join(base, 'file'), '');
  await assert.rejects(openJournal({ dir: join(base, 'file', 'journal'), disk: realDisk }), {
    code: 'file_unwritable',
  });
});

test('a segment of another format version is refused and the folder given back', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  await journal.append([numbered(0)]);
  await journal.close();
  const path = `${dir}/00000000000000000000.seg`;
  const bytes = Buffer.from(disk.contents(path) ?? []);
  bytes.writeUInt32BE(2, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 28)), 28);
  disk.plant(path, bytes);
  await assert.rejects(open(disk), { code: 'journal_corrupt' });
  await assert.rejects(open(disk), { code: 'journal_corrupt' });
  await assert.rejects(readAll(disk), { code: 'journal_corrupt' });
});

test('older segments are checked after opening, and closing does not wait for that', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk, { segmentBytes: 100 });
  for (let index = 0; index < 10; index++) await journal.append([numbered(index)]);
  await journal.close();

  const { journal: checking, told } = await open(disk);
  assert.equal((await told.checked).segments, disk.paths().length - 1);
  await checking.close();

  const never = (_: number, signal: AbortSignal): Promise<void> =>
    new Promise((_resolve, reject) => {
      const stop = (): void => {
        reject(new Error('stopped'));
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    });
  const { journal: stopped } = await open(disk, { pause: never });
  assert.equal(await stopped.append([numbered(10)]), 10);
  await stopped.close();
});

test('on the real disk files are 0640 and folders 0750', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'sekisho-journal-'));
  t.after(() => {
    rmSync(base, { recursive: true });
  });
  const journal = await openJournal({ dir: join(base, 'data', 'journal'), disk: realDisk });
  await journal.append([numbered(0)]);
  await journal.close();
  const modes = ['data', 'data/journal', 'data/journal/00000000000000000000.seg'].map(
    (name) => statSync(join(base, name)).mode & 0o777,
  );
  // A umask may only take away.
  for (const [i, most] of [0o750, 0o750, 0o640].entries())
    assert.equal((modes[i] ?? 0o777) & ~most, 0, `mode of file ${i}`);
  assert.deepEqual(await realDisk.list(join(base, 'data/journal')), ['00000000000000000000.seg']);
});
