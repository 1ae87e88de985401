import assert from 'node:assert/strict';
import { test } from 'node:test';

import { framePayloads } from '../../../src/sink/journal/frames.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { numbered, open, range, readAll, turn } from './fixture.ts';

/** A pause that ends when the test says so, or when the journal closes. */
function held() {
  const waits: { milliseconds: number; end: () => void }[] = [];
  return {
    waits,
    pause: (milliseconds: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const gone = (): void => {
          reject(new Error('aborted'));
        };
        if (signal.aborted) gone();
        signal.addEventListener('abort', gone);
        waits.push({ milliseconds, end: resolve });
      }),
  };
}

test('what comes while a batch gathers goes to disk with one sync, and is acknowledged then', async () => {
  const { pause, waits } = held();
  const { journal, told } = await open(new FaultyDisk(), { lingerMs: 5, pause });
  const appended: Promise<number>[] = [];
  for (const index of range(0, 3)) {
    appended.push(journal.append([numbered(index)]));
    await turn();
  }
  assert.deepEqual(
    [told.committed.length, journal.nextIndex, waits.map(({ milliseconds }) => milliseconds)],
    [0, 0, [5]],
  );
  waits[0]?.end();
  assert.deepEqual(await Promise.all(appended), [0, 1, 2]);
  assert.deepEqual(
    told.committed.map(({ frames }) => frames),
    [3],
  );
  await journal.close();
});

test('an urgent append waits for nobody, and takes along what has gathered; what comes behind it gathers again', async () => {
  const { pause, waits } = held();
  const { journal, told } = await open(new FaultyDisk(), { lingerMs: 5, pause });
  const gathered = journal.append([numbered(0)]);
  await turn();
  assert.equal(waits.length, 1);
  assert.equal(await journal.append([numbered(1)], { urgent: true }), 1);
  assert.equal(await gathered, 0);
  assert.deepEqual(
    told.committed.map(({ frames }) => frames),
    [2],
  );
  assert.equal(await journal.append([numbered(2)], { urgent: true }), 2);
  assert.equal(waits.length, 1);
  const behind = journal.append([numbered(3)]);
  await turn();
  assert.equal(waits.length, 2);
  waits[1]?.end();
  assert.equal(await behind, 3);
  await journal.close();
});

test('an urgent append that takes several batches lingers before none of them', async () => {
  const { pause, waits } = held();
  const { journal, told } = await open(new FaultyDisk(), { lingerMs: 5, batchBytes: 400, pause });
  const payloads = [90, 90, 90, 90, 1].map((bytes) => Buffer.alloc(bytes, 'a'));
  assert.equal(await journal.append(payloads, { urgent: true }), 0);
  assert.deepEqual(
    told.committed.map(({ frames }) => frames),
    [4, 1],
  );
  assert.equal(waits.length, 0);
  await journal.close();
});

test('a quarter of a batch waits for nobody', async () => {
  const { pause, waits } = held();
  const { journal } = await open(new FaultyDisk(), { lingerMs: 5, batchBytes: 400, pause });
  assert.equal(await journal.append([Buffer.alloc(100, 'a')]), 0);
  assert.equal(waits.length, 0);
  await journal.close();
});

test('a journal that closes stores what gathers at once', async () => {
  const disk = new FaultyDisk();
  const { pause } = held();
  const { journal } = await open(disk, { lingerMs: 5, pause });
  const appended = journal.append([numbered(0)]);
  await turn();
  await journal.close();
  assert.equal(await appended, 0);
  assert.equal((await readAll(disk)).frames.size, 1);
});

test('payloads that were framed before are stored as they are, also where they are split over several batches', async () => {
  const disk = new FaultyDisk();
  const { journal, told } = await open(disk, { batchBytes: 50 });
  const frames = framePayloads(range(0, 20).map(numbered));
  assert.equal(await journal.append(frames), 0);
  assert.equal(await journal.append(framePayloads([numbered(20)])), 20);
  assert.ok(told.committed.length > 5);
  await journal.close();
  assert.deepEqual(
    [...(await readAll(disk)).frames.values()],
    range(0, 21).map((index) => numbered(index).toString()),
  );
});

test('appends of every size find their own memory, and none writes over another', () => {
  const sizes = [1, 700, 60_000, 65_535, 3, 65_535, 65_535, 9];
  const all = sizes.map((size, index) => framePayloads([Buffer.alloc(size, index + 1)]));
  for (const [index, { bytes }] of all.entries()) {
    assert.ok(
      bytes.subarray(8).every((byte) => byte === index + 1),
      `append ${index}`,
    );
  }
});
