import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { eventually } from '../../support/envoy.ts';
import { caughtUp, cursorPath, filesOf, follow, HandClock, indices, Source } from './fixture.ts';

const current = '/out/current.jsonl';

test('records arrive as they come, in order', async () => {
  const source = await new Source().open();
  const disk = new FaultyDisk();
  const following = follow(source, disk);
  for (let n = 0; n < 5; n += 1) {
    await source.store(`/${n}`);
    await caughtUp(following);
    assert.equal(filesOf(disk).get(current)?.length, n + 1);
  }
  await following.follower.stop(1000);
  await following.follower.stop(1000);
});

test('a stop waits for what the journal has already', async () => {
  const source = await new Source().open();
  await source.store(...Array.from({ length: 300 }, (_, n) => `/${n}`));
  const disk = new FaultyDisk();
  await follow(source, disk).follower.stop(60_000);
  assert.equal(filesOf(disk).get(current)?.length, 300);
});

test('a full disk is told once and waited for; then nothing is missing and nothing is there twice', async () => {
  const source = await new Source().open();
  const disk = new FaultyDisk();
  disk.freeBytes = 2000;
  const following = follow(source, disk);
  await source.store(...Array.from({ length: 10 }, (_, n) => `/${n}`));
  await eventually('failing', () => Promise.resolve(following.told.length > 0));
  await eventually('several attempts', () => Promise.resolve(disk.operations > 500));
  assert.deepEqual(following.told, ['disk_full']);
  assert.ok(following.follower.lag().records > 0);
  disk.freeBytes = 1e9;
  await caughtUp(following);
  assert.deepEqual(following.told, ['disk_full', 'recovered']);
  await following.follower.stop(1000);
  const found = [...filesOf(disk).values()].flatMap(indices);
  assert.deepEqual(
    found,
    Array.from({ length: 10 }, (_, n) => n),
  );
});

test('a follower of a failing output ends when it is asked to', async () => {
  const source = await new Source().open();
  await source.store('/a');
  const disk = new FaultyDisk();
  disk.folderFails = true;
  const following = follow(source, disk);
  await eventually('failing', () => Promise.resolve(following.told.length > 0));
  await following.follower.stop(60_000);
  assert.equal(following.follower.lag().records, 1);
});

test('the cursor of another journal is told, and the oldest record comes first', async () => {
  const source = await new Source().open();
  await source.store('/a', '/b');
  const disk = new FaultyDisk();
  disk.plant(cursorPath, Buffer.from(JSON.stringify({ next: 700, received: 5 })));
  const following = follow(source, disk);
  await caughtUp(following);
  await following.follower.stop(1000);
  assert.deepEqual(following.told, ['restarted']);
  assert.deepEqual([...filesOf(disk).values()].map(indices), [[0, 1]]);
});

for (const text of ['', 'null', '{"next":"7","received":0}', '{"next":1.5,"received":0}', '{"next":1}']) {
  test(`a cursor of ${JSON.stringify(text)} is refused until somebody mends it`, async () => {
    const source = await new Source().open();
    await source.store('/a');
    const disk = new FaultyDisk();
    disk.plant(cursorPath, Buffer.from(text));
    const following = follow(source, disk);
    await eventually('failing', () => Promise.resolve(following.told.length > 0));
    disk.lose(cursorPath);
    await caughtUp(following);
    await following.follower.stop(1000);
    assert.deepEqual(following.told, ['file_unreadable', 'recovered']);
  });
}

test('a damaged place of the journal is a line with its error, its first index and how many records it hides', async () => {
  const source = await new Source().open();
  for (const path of ['/a', '/b', '/c']) await source.store(path);
  const [segment = ''] = source.disk.paths().filter((path) => path.endsWith('.seg'));
  const bytes = Buffer.from(source.disk.contents(segment) ?? '');
  const at = bytes.indexOf('/b');
  bytes[at] = 0x21;
  source.disk.plant(segment, bytes);
  const disk = new FaultyDisk();
  const following = follow(source, disk);
  await caughtUp(following);
  await following.follower.stop(1000);
  const lines = filesOf(disk).get(current) ?? [];
  assert.deepEqual(indices(lines), [0, 1, 2]);
  const error = lines[1]?.['error'] as Record<string, unknown>;
  assert.equal(error['code'], 'journal_corrupt');
  assert.equal(error['lost'], 1);
  await follow(source, disk).follower.stop(1000);
  assert.deepEqual(indices(filesOf(disk).get(current) ?? []), [0, 1, 2]);
});

test('a payload that is no record is a line with its error', async () => {
  const source = await new Source().open();
  await source.journal.append([Buffer.from('no record')]);
  const disk = new FaultyDisk();
  const following = follow(source, disk);
  await caughtUp(following);
  await following.follower.stop(1000);
  const [line] = filesOf(disk).get(current) ?? [];
  assert.equal((line?.['error'] as Record<string, unknown>)['code'], 'record_malformed');
});

test('the lag counts what is missing, and its seconds are the age of the oldest of it', async () => {
  const clock = new HandClock();
  const source = await new Source(clock).open();
  const disk = new FaultyDisk();
  disk.folderFails = true;
  const { follower } = follow(source, disk);
  source.onCommit(() => {
    follower.grown();
  });
  assert.deepEqual(follower.lag(), { records: 0, seconds: 0 });
  clock.ms += 3_600_000;
  await source.store('/a');
  clock.ms += 5000;
  await source.store('/b');
  clock.ms += 2000;
  assert.deepEqual(follower.lag(), { records: 2, seconds: 7 });
  disk.folderFails = false;
  for (let n = 0; follower.lag().records > 0 && n < 1e5; n += 1) await turn();
  assert.deepEqual(follower.lag(), { records: 0, seconds: 0 });
  await follower.stop(1000);
});
