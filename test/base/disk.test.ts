import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { realDisk } from '../../src/base/disk.ts';

test('an atomic write replaces a file whole, with its mode, and leaves nothing else', async (t) => {
  const path = join(folder(t), 'key.pem');
  await realDisk.writeFileAtomic(path, 'old', 0o600);
  await realDisk.writeFileAtomic(path, Buffer.from('new'), 0o600);
  assert.equal((await realDisk.readFile(path)).toString(), 'new');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(path, '..')), ['key.pem']);
});

test('an atomic write that fails leaves the folder as it was', async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, 'taken'));
  await assert.rejects(realDisk.writeFileAtomic(join(dir, 'taken'), 'x', 0o600), { code: 'file_unwritable' });
  assert.deepEqual(readdirSync(dir), ['taken']);
});

const strace = '/usr/bin/strace';

test(
  'an atomic write syncs the bytes before the name and the name before it resolves',
  { skip: existsSync(strace) ? false : 'SKIPPED: without strace the order of system calls is not checked' },
  (t) => {
    const dir = folder(t);
    const program = `import { realDisk } from './src/base/disk.ts'; await realDisk.writeFileAtomic(process.argv[1], 'x', 0o600);`;
    const trace = join(dir, 'trace');
    const options = ['-f', '-y', '-e', 'trace=write,fsync,rename', '-o', trace];
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', program, join(dir, 'file')];
    execFileSync(strace, [...options, ...node], { timeout: 60_000 });
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes(dir))
      .map((line) => /(write|fsync|rename)\(/.exec(line)?.[1]);
    assert.deepEqual(calls, ['write', 'fsync', 'rename', 'fsync']);
  },
);

const refused: Readonly<Record<string, { act: (dir: string) => Promise<unknown>; code: string }>> = {
  'reading a file that is not there': {
    act: (dir) => realDisk.readFile(join(dir, 'missing')),
    code: 'file_unreadable',
  },
  'reading a folder as a file': { act: (dir) => realDisk.readFile(dir), code: 'file_unreadable' },
  'listing what is not there': { act: (dir) => realDisk.list(join(dir, 'missing')), code: 'file_unreadable' },
  'writing into what is not there': {
    act: (dir) => realDisk.writeFileAtomic(join(dir, 'missing', 'file'), '', 0o600),
    code: 'file_unwritable',
  },
  'a folder below a file': {
    act: (dir) => realDisk.makeDir(join(dir, 'file', 'folder'), 0o750),
    code: 'file_unwritable',
  },
  'creating what exists': { act: (dir) => realDisk.createExclusive(join(dir, 'file'), 0o640), code: 'EEXIST' },
  'opening what is not there': { act: (dir) => realDisk.openAppend(join(dir, 'missing')), code: 'ENOENT' },
};
for (const [name, { act, code }] of Object.entries(refused)) {
  test(`${name} is refused with ${code}`, async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, 'file'), '');
    await assert.rejects(act(dir), { code });
  });
}

test('a file is written, read, cut and synced at given positions', async (t) => {
  const path = join(folder(t), 'file');
  const file = await realDisk.createExclusive(path, 0o640);
  await file.write(Buffer.from('hello world'), 0);
  await file.write(Buffer.from('W'), 6);
  await file.datasync();
  assert.equal(await file.size(), 11);
  const bytes = Buffer.alloc(20);
  assert.equal(await file.read(bytes, 6), 5);
  assert.equal(bytes.subarray(0, 5).toString(), 'World');
  await file.truncate(5);
  await file.sync();
  await file.close();
  assert.deepEqual(
    await realDisk.stat(path).then((stat) => stat && { kind: stat.kind, size: stat.size, mode: stat.mode }),
    {
      kind: 'file',
      size: 5,
      mode: 0o640,
    },
  );
  const again = await realDisk.openAppend(path);
  assert.equal(await again.size(), 5);
  await again.close();
});

test('folders are made with those above them, and may be there already', async (t) => {
  const dir = join(folder(t), 'a', 'b');
  await realDisk.makeDir(dir, 0o750);
  await realDisk.makeDir(dir, 0o750);
  assert.equal((await realDisk.stat(dir))?.kind, 'folder');
});

test('removing and looking for what is not there is no error', async (t) => {
  const path = join(folder(t), 'missing');
  await realDisk.remove(path);
  assert.equal(await realDisk.stat(path), undefined);
});

const changes: Readonly<Record<string, (dir: string) => void>> = {
  'written to': (dir) => {
    writeFileSync(join(dir, 'file'), 'changed');
  },
  'replaced by rename': (dir) => {
    writeFileSync(join(dir, 'other'), 'first');
    renameSync(join(dir, 'other'), join(dir, 'file'));
  },
  removed: (dir) => {
    rmSync(join(dir, 'file'));
  },
};
for (const [name, change] of Object.entries(changes)) {
  test(`a watched file that is ${name} is announced`, async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, 'file'), 'first');
    await changed(join(dir, 'file'), () => {
      change(dir);
    });
  });
}

test('a watched file that is created is announced', async (t) => {
  const dir = folder(t);
  await changed(join(dir, 'file'), () => {
    writeFileSync(join(dir, 'file'), '');
  });
});

test('a watched link whose target changes elsewhere is announced, though no more than once', async (t) => {
  const [dir, elsewhere] = [folder(t), folder(t)];
  writeFileSync(join(elsewhere, 'target'), 'first');
  symlinkSync(join(elsewhere, 'target'), join(dir, 'file'));
  const calls = await changed(join(dir, 'file'), () => {
    writeFileSync(join(elsewhere, 'target'), 'changed');
  });
  assert.equal(calls, 1);
});

test('a watched folder announces names that come and go, sooner than by the slow look, and no hidden ones', async (t) => {
  const dir = join(folder(t), 'inside');
  mkdirSync(dir);
  let calls = 0;
  const watch = realDisk.watch(dir, () => (calls += 1));
  t.after(() => {
    watch.close();
  });
  // Whoever watches the file is told in the same turn as the folder would be.
  await changed(join(dir, '.hidden'), () => {
    writeFileSync(join(dir, '.hidden'), '');
  });
  const started = performance.now();
  await changed(dir, () => {
    writeFileSync(join(dir, 'name'), '');
  });
  assert.ok(performance.now() - started < 1900);
  await changed(dir, () => {
    rmSync(join(dir, 'name'));
  });
  assert.equal(calls, 2);
});

test('a watched folder that is made later is announced', async (t) => {
  const dir = join(folder(t), 'later');
  await changed(dir, () => {
    mkdirSync(dir);
    writeFileSync(join(dir, 'name'), '');
  });
});

/** Resolves when the watch called back. Watching keeps no process alive, so this does. */
async function changed(path: string, change: () => void): Promise<number> {
  let calls = 0;
  const alive = setInterval(() => undefined, 1000);
  await new Promise<void>((resolve) => {
    const watch = realDisk.watch(path, () => {
      calls += 1;
      watch.close();
      resolve();
    });
    change();
  });
  clearInterval(alive);
  return calls;
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sekisho-disk-'));
  t.after(() => {
    rmSync(dir, { recursive: true });
  });
  return dir;
}
