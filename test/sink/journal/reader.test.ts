import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { realDisk } from '../../../src/base/disk.ts';
import { openJournal } from '../../../src/sink/journal/journal.ts';
import { findSegment, readJournal } from '../../../src/sink/journal/reader.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { dir, numbered, open, range, readAll, turn } from './fixture.ts';

function fail(damage: unknown): never {
  assert.fail(`reported as damaged: ${JSON.stringify(damage)}`);
}

async function write(disk: FaultyDisk, count: number): Promise<void> {
  const { journal } = await open(disk, { segmentBytes: 200 });
  for (let index = 0; index < count; index++) await journal.append([numbered(index)]);
  await journal.close();
}

test('reading begins at any index', async () => {
  const disk = new FaultyDisk();
  await write(disk, 20);
  for (let from = 0; from <= 21; from++) {
    assert.deepEqual([...(await readAll(disk, { from })).frames.keys()], range(from, 20));
  }
});

test('a frame is found at the segment and offset that are told with it', async () => {
  const disk = new FaultyDisk();
  await write(disk, 20);
  for await (const frame of readJournal({ dir, disk, onCorrupt: fail })) {
    const bytes = disk.contents(`${dir}/${frame.segment}`);
    assert.deepEqual(bytes?.subarray(frame.offset + 8, frame.offset + 18), numbered(frame.index));
    assert.equal((await findSegment({ dir, disk, index: frame.index }))?.name, frame.segment);
  }
});

test('an empty folder has no frames and no segment', async () => {
  const disk = new FaultyDisk();
  assert.equal((await readAll(disk)).frames.size, 0);
  assert.equal(await findSegment({ dir, disk, index: 0 }), undefined);
});

test('a folder that is not there cannot be read', async () => {
  await assert.rejects(readAll(realDisk, { dir: '/nonexistent/journal' }), { code: 'file_unreadable' });
});

test('damage before the index asked for is nobody’s concern, and damage across it counts from there', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  await journal.append(range(0, 10).map(numbered));
  await journal.append(range(10, 20).map(numbered));
  await journal.close();
  const path = `${dir}/00000000000000000000.seg`;
  const bytes = Buffer.from(disk.contents(path) ?? []);
  disk.plant(path, bytes.fill(0xff, 56 + 4 * 18, 56 + 5 * 18));
  const offset = 56 + 4 * 18;
  const segment = '00000000000000000000.seg';
  assert.deepEqual((await readAll(disk, { from: 2 })).corrupt, [{ segment, offset, lostFrames: 6 }]);
  assert.deepEqual((await readAll(disk, { from: 7 })).corrupt, [{ segment, offset, lostFrames: 3 }]);
  assert.deepEqual((await readAll(disk, { from: 12 })).corrupt, []);
});

test('a follower waits for frames that are not there yet and goes on into new segments', async () => {
  const disk = new FaultyDisk();
  const { journal, told } = await open(disk, { segmentBytes: 200 });
  const end = new AbortController();
  const seen: number[] = [];
  const following = (async () => {
    for await (const { index, payload } of readJournal({
      dir,
      disk,
      follow: end.signal,
      onCorrupt: fail,
      pause: pauseATurn,
    })) {
      assert.deepEqual(payload, numbered(index));
      seen.push(index);
      if (index === 99) end.abort();
    }
  })();
  for (let index = 0; index < 100; index++) {
    await journal.append([numbered(index)]);
    if (index % 7 === 0) await turn();
  }
  await following;
  assert.deepEqual(seen, range(0, 100));
  assert.ok(told.segments.length > 10);
  await journal.close();
});

test('a follower of an idle journal ends when it is told to', async () => {
  const disk = new FaultyDisk();
  await write(disk, 3);
  const end = new AbortController();
  const seen: number[] = [];
  const passes = { left: 5 };
  const pause = async (_: number, signal: AbortSignal): Promise<void> => {
    if (--passes.left === 0) end.abort();
    await pauseATurn(_, signal);
  };
  for await (const { index } of readJournal({ dir, disk, follow: end.signal, onCorrupt: fail, pause }))
    seen.push(index);
  assert.deepEqual(seen, [0, 1, 2]);
  assert.equal(passes.left, 0);
});

test('a follower sees nothing of a batch until the disk has all of it, and tells of no damage meanwhile', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  await journal.append([numbered(0)]);
  await journal.append([numbered(1), numbered(2)]);
  await journal.close();
  const path = `${dir}/00000000000000000000.seg`;
  const whole = Buffer.from(disk.contents(path) ?? []);

  const end = new AbortController();
  const seen: number[] = [];
  let length = 0;
  // The segment grows byte by byte before the eyes of the follower.
  const pause = async (_: number, signal: AbortSignal): Promise<void> => {
    const proven = length < 56 + 18 + 24 ? 0 : length < whole.length ? 1 : 3;
    assert.equal(seen.length, proven, `after ${length} bytes`);
    if (length === whole.length) end.abort();
    signal.throwIfAborted();
    length += 1;
    disk.plant(path, whole.subarray(0, length));
    await turn();
  };
  const corrupt: unknown[] = [];
  disk.lose(path);
  for await (const { index } of readJournal({
    dir,
    disk,
    follow: end.signal,
    onCorrupt: (damage) => corrupt.push(damage),
    pause,
  })) {
    seen.push(index);
  }
  assert.deepEqual(seen, [0, 1, 2]);
  // But for a segment without a frame, which no crash leaves behind.
  assert.equal(corrupt.length, 1);
});

test('a batch whose sync failed is read once, from the segment in which it was stored in the end', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  await journal.append([numbered(0)]);
  const path = `${dir}/00000000000000000000.seg`;
  await journal.append([numbered(1)]);
  const withBatch = Buffer.from(disk.contents(path) ?? []);
  await journal.close();

  const other = new FaultyDisk();
  const { journal: failing } = await open(other);
  await failing.append([numbered(0)]);
  other.failDatasyncs.add(other.datasyncs + 1);
  await failing.append([numbered(1)]);
  await failing.close();
  // As if a crash had undone the cut.
  other.plant(path, withBatch.subarray(0, withBatch.length - 24));
  const { frames, corrupt } = await readAll(other);
  assert.deepEqual([...frames.keys()], [0, 1]);
  assert.deepEqual(corrupt, []);
  const { journal: reopened, told } = await open(other);
  await told.checked;
  assert.deepEqual(told.corrupt, []);
  await reopened.close();
});

test('segments removed under a reader are told as lost', async () => {
  const disk = new FaultyDisk();
  await write(disk, 20);
  const names = disk.paths().slice(0, 3);
  const seen: number[] = [];
  const corrupt: number[] = [];
  for await (const { index } of readJournal({ dir, disk, onCorrupt: ({ lostFrames }) => corrupt.push(lostFrames) })) {
    seen.push(index);
    if (index === 0) for (const name of names) disk.lose(name);
  }
  assert.ok(corrupt.length > 0);
  assert.equal(seen.length + corrupt.reduce((a, b) => a + b, 0), 20);
});

test('a reader beside a writer on the real disk sees every frame once and no damage', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'sekisho-journal-'));
  t.after(() => {
    rmSync(base, { recursive: true });
  });
  const journal = await openJournal({ dir: base, disk: realDisk, segmentBytes: 40_000, batchBytes: 8000 });
  const end = new AbortController();
  const count = 4000;
  const readers = Array.from({ length: 3 }, async () => {
    let next = 0;
    for await (const { index, payload } of readJournal({
      dir: base,
      disk: realDisk,
      follow: end.signal,
      onCorrupt: fail,
      pause: pauseATurn,
    })) {
      assert.equal(index, next);
      assert.equal(payload.toString().split(' ')[1], String(index));
      next += 1;
      if (next === count) return;
    }
  });
  for (let index = 0; index < count;) {
    const appends = range(0, 5).map(() => {
      const payloads = range(index, index + 4).map((i) => Buffer.from(`frame ${i} ${'x'.repeat((i * 37) % 500)}`));
      index += 4;
      return journal.append(payloads);
    });
    await Promise.all(appends);
  }
  await Promise.all(readers);
  await journal.close();
});

async function pauseATurn(_: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await turn();
}
