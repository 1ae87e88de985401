import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { realDisk, type FolderLock } from '../../src/base/disk.ts';
import { SekishoError } from '../../src/base/errors.ts';

const holder = `
  import { realDisk } from './src/base/disk.ts';
  await realDisk.lockFolder(process.argv[1], process.argv[2]);
  process.stdout.write('held\\n');
  setInterval(() => undefined, 1000);
`;

test('a folder has one holder, and is free again when it is given back', async (t) => {
  const dir = folder(t);
  const lock = await realDisk.lockFolder(dir);
  const refused = await realDisk.lockFolder(dir).catch((caught: unknown) => caught);
  assert.ok(refused instanceof SekishoError);
  assert.equal(refused.code, 'folder_in_use');
  assert.equal(refused.facts['pid'], String(process.pid));
  await lock.release();
  await lock.release();
  await (await realDisk.lockFolder(dir)).release();
  assert.deepEqual(readdirSync(dir), [], 'nothing is left behind');
});

test('a holder in another process is named, and when it is killed nothing needs clearing up', async (t) => {
  const dir = folder(t);
  const child = await hold(t, dir);
  await assert.rejects(realDisk.lockFolder(dir), {
    code: 'folder_in_use',
    facts: { path: dir, pid: String(child.pid) },
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(readdirSync(dir).length, 1, 'the dead one left its socket');
  const lock = await realDisk.lockFolder(dir);
  assert.equal(readdirSync(dir).length, 1);
  await lock.release();
});

test('a holder that is stopped and cannot answer still holds', async (t) => {
  const dir = folder(t);
  const child = await hold(t, dir);
  child.kill('SIGSTOP');
  await assert.rejects(realDisk.lockFolder(dir), { code: 'folder_in_use', facts: { path: dir, pid: undefined } });
});

test('of many who ask at the same time exactly one gets the folder', async (t) => {
  const dir = folder(t);
  const child = await hold(t, dir);
  child.kill('SIGKILL');
  await once(child, 'exit');
  for (let round = 0; round < 5; round++) {
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => realDisk.lockFolder(dir)));
    const locks = asked.flatMap((one): FolderLock[] => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(locks.length, 1);
    await locks[0]?.release();
  }
});

test(
  'the path of a folder may be longer than the address of a socket',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const dir = join(folder(t), 'x'.repeat(120), 'y'.repeat(120));
    mkdirSync(dir, { recursive: true });
    const lock = await realDisk.lockFolder(dir);
    await assert.rejects(realDisk.lockFolder(dir), { code: 'folder_in_use' });
    await lock.release();
    assert.deepEqual(readdirSync(dir), []);
  },
);

test('those of one company have a folder together, and nobody else has it until the last of them has given it back', async (t) => {
  const dir = folder(t);
  const together = await Promise.all([realDisk.lockFolder(dir, 'blue'), realDisk.lockFolder(dir, 'blue')]);
  for (const lock of together) {
    for (const other of [undefined, 'green'])
      await assert.rejects(realDisk.lockFolder(dir, other), { code: 'folder_in_use' });
    await lock.release();
  }
  const alone = await realDisk.lockFolder(dir);
  await assert.rejects(realDisk.lockFolder(dir, 'blue'), { code: 'folder_in_use' });
  await alone.release();
  assert.deepEqual(readdirSync(dir), []);
});

test('one of a company who is stopped shuts out nobody of it, and what a dead one left goes with the next', async (t) => {
  const dir = folder(t);
  const child = await hold(t, dir, 'blue');
  child.kill('SIGSTOP');
  await (await realDisk.lockFolder(dir, 'blue')).release();
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(readdirSync(dir).length, 1);
  await (await realDisk.lockFolder(dir, 'blue')).release();
  assert.deepEqual(readdirSync(dir), []);
});

test('a folder that is not there cannot be taken', async (t) => {
  await assert.rejects(realDisk.lockFolder(join(folder(t), 'missing')), { code: 'file_unwritable' });
});

async function hold(t: TestContext, dir: string, ...company: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', holder, dir, ...company], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.stdout);
  await once(child.stdout, 'data');
  return child;
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sekisho-lock-'));
  t.after(() => {
    rmSync(dir, { recursive: true });
  });
  return dir;
}
