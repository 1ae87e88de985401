import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeHome, spawnServe } from '../support/serve.ts';
import { mountTmpfs, unlessMounting } from './privileges.ts';

test('a data folder below a file is refused with its path and the reason, exit 1', async (t) => {
  const home = await makeHome(t);
  const file = join(home.folder, 'file');
  await writeFile(file, '');
  const served = spawnServe(t, home, { data: join(file, 'data') });
  assert.equal(await served.exited, 1);
  const words = served.words.join('\n');
  assert.ok(words.includes(join(file, 'data')), words);
  assert.match(words, /ENOTDIR/);
  assert.equal(served.words.length, 1, words);
});

test('a data folder that is a file is refused likewise', async (t) => {
  const home = await makeHome(t);
  const file = join(home.folder, 'file');
  await writeFile(file, '');
  const served = spawnServe(t, home, { data: file });
  assert.equal(await served.exited, 1);
  assert.ok(served.words.join('\n').includes(file));
});

test('a data folder on a read-only file system is refused likewise', { skip: unlessMounting() }, async (t) => {
  const home = await makeHome(t);
  const data = join(home.folder, 'data');
  const disk = mountTmpfs(t, data, 'size=1m');
  await mkdir(join(data, 'journal'));
  disk.remount('ro');
  const served = spawnServe(t, home, { data });
  assert.equal(await served.exited, 1);
  const words = served.words.join('\n');
  assert.ok(words.includes(data), words);
  assert.match(words, /EROFS/);
});
