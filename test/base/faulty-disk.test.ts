import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FaultyDisk, type Draw } from './faulty-disk.ts';

/** Every crash that a few numbers can choose: each state that the disk may be in afterwards. */
async function outcomes(prepare: (disk: FaultyDisk) => Promise<void>, path: string): Promise<Set<string | undefined>> {
  const found = new Set<string | undefined>();
  for (let seed = 0; seed < 300; seed++) {
    const disk = new FaultyDisk();
    await prepare(disk);
    found.add(disk.afterCrash('power', numbers(seed)).contents(path)?.toString());
  }
  return found;
}

function numbers(seed: number): Draw {
  let state = seed + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

test('a power cut keeps what was synced, file and name', async () => {
  const kept = await outcomes(async (disk) => {
    const file = await disk.createExclusive('/d/f');
    await file.write(Buffer.from('safe'), 0);
    await file.datasync();
    await disk.syncDir('/d');
  }, '/d/f');
  assert.deepEqual(kept, new Set(['safe']));
});

test('a power cut may take a name that was not synced, whatever its file holds', async () => {
  const kept = await outcomes(async (disk) => {
    const file = await disk.createExclusive('/d/f');
    await file.write(Buffer.from('safe'), 0);
    await file.datasync();
  }, '/d/f');
  assert.deepEqual(kept, new Set(['safe', undefined]));
});

test('a power cut may take, tear or blank what was not synced', async () => {
  const kept = await outcomes(async (disk) => {
    const file = await disk.createExclusive('/d/f');
    await file.write(Buffer.from('safe'), 0);
    await file.datasync();
    await disk.syncDir('/d');
    await file.write(Buffer.from('new'), 4);
  }, '/d/f');
  for (const outcome of ['safe', 'safenew', 'safene', 'safe\0\0\0'])
    assert.ok(kept.has(outcome), JSON.stringify(outcome));
  for (const outcome of kept) assert.match(outcome ?? '', /^safe/);
});

test('a power cut may keep a later sector and lose an earlier one', async () => {
  const kept = await outcomes(async (disk) => {
    const file = await disk.createExclusive('/d/f');
    await disk.syncDir('/d');
    await file.write(Buffer.alloc(1024, 'x'), 0);
  }, '/d/f');
  assert.ok(kept.has('\0'.repeat(512) + 'x'.repeat(512)));
});

test('what a failed sync covered stays at risk, though later syncs succeed', async () => {
  const kept = await outcomes(async (disk) => {
    const file = await disk.createExclusive('/d/f');
    await disk.syncDir('/d');
    disk.failDatasyncs.add(1);
    await file.write(Buffer.from('lost'), 0);
    await assert.rejects(file.datasync(), { code: 'EIO' });
    await file.datasync();
  }, '/d/f');
  assert.ok(kept.has('') && kept.has('lost'));
});

test('a killed process loses nothing that it wrote, and nothing of it becomes safe', async () => {
  const disk = new FaultyDisk();
  const file = await disk.createExclusive('/d/f');
  await file.write(Buffer.from('x'), 0);
  const after = disk.afterCrash('kill', numbers(0));
  assert.equal(after.contents('/d/f')?.toString(), 'x');
  assert.ok(
    [1, 2, 3, 4, 5, 6].some(
      (seed) => after.copy().afterCrash('power', numbers(seed)).contents('/d/f')?.toString() !== 'x',
    ),
  );
});

test('a full disk takes what fits and then refuses', async () => {
  const disk = new FaultyDisk();
  const file = await disk.createExclusive('/d/f');
  disk.freeBytes = 3;
  await assert.rejects(file.write(Buffer.from('four'), 0), { code: 'ENOSPC' });
  assert.equal(disk.contents('/d/f')?.toString(), 'fou');
  await file.truncate(0);
  await file.write(Buffer.from('abc'), 0);
});
