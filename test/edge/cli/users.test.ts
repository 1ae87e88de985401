import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { passwordThread } from '../../../src/edge/passwords/password-thread.ts';
import { parseUsersFile } from '../../../src/policy/users-file.ts';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const node = [process.execPath, '--import', import.meta.resolve('tsx'), main];
const thread = passwordThread();

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sekisho-users-'));
});
after(async () => {
  await thread.close();
  await rm(dir, { recursive: true });
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with this on its standard input. */
async function run(words: readonly string[], input = ''): Promise<Ran> {
  const child = spawn(words[0] ?? '', words.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  // A command that refuses its arguments reads nothing.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

const users = (...words: string[]) => run([...node, 'users', ...words]);
const add = (name: string, file: string, input: string) => run([...node, 'users', 'add', name, file], input);

/** Whether a person of the file has this password. */
async function knows(file: string, name: string, password: string): Promise<boolean> {
  const hash = parseUsersFile(await readFile(file, 'utf8')).accounts.get(name);
  return hash !== undefined && (await thread.matches(password, hash));
}

/** Types the lines into a terminal, each when it was asked for; gives what the terminal showed. */
function typed(words: readonly string[], lines: readonly string[]): Promise<Ran> {
  const script = `
import os, pty, sys, json
words, lines = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, fd = pty.fork()
if pid == 0:
    os.execv(words[0], words)
shown = b''
asked = 0
while True:
    try:
        some = os.read(fd, 4096)
    except OSError:
        break
    if not some:
        break
    shown += some
    while asked < len(lines) and shown.count(b':\\r\\n') > asked:
        os.write(fd, lines[asked].encode())
        asked += 1
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  return run(['python3', '-c', script, JSON.stringify(words), JSON.stringify(lines)]);
}

describe('sekisho users', { concurrency: 3 }, () => {
  test('add makes the file for its owner alone, and takes the one line of standard input', async () => {
    const file = join(dir, 'new');
    const { code, stdout, stderr } = await add('taro', file, 'secret: of taro \n');
    assert.deepEqual([code, stdout, stderr], [0, `${file}: added taro, 1 person\n`, '']);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.ok(await knows(file, 'taro', 'secret: of taro '));
    assert.ok(!(await readFile(file, 'utf8')).includes('secret'));
  });

  test('add sets a new password of the same name, and leaves the others and the comments', async () => {
    const file = join(dir, 'several');
    for (const name of ['taro', 'hanako']) assert.equal((await add(name, file, 'first')).code, 0);
    await writeFile(file, `# people of floor 3\n\n${await readFile(file, 'utf8')}`, { mode: 0o644 });
    const hanako = (await readFile(file, 'utf8')).split('\n').find((line) => line.startsWith('hanako:'));
    const { code, stdout } = await add('taro', file, 'second\r\n');
    assert.deepEqual([code, stdout], [0, `${file}: new password of taro, 2 people\n`]);
    assert.ok(await knows(file, 'taro', 'second'));
    assert.ok(!(await knows(file, 'taro', 'first')));
    const after = await readFile(file, 'utf8');
    assert.ok(after.startsWith('# people of floor 3\n\ntaro:'));
    assert.ok(after.includes(`${String(hanako)}\n`));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  test('two people with one password have two hashes', async () => {
    const file = join(dir, 'salted');
    for (const name of ['a', 'b']) await add(name, file, 'the same');
    const [a, b] = (await readFile(file, 'utf8')).split('\n').map((line) => line.slice(2));
    assert.notEqual(a, b);
  });

  test('remove takes one away, and says when there is none of that name', async () => {
    const file = join(dir, 'fewer');
    for (const name of ['taro', 'hanako']) await add(name, file, 'x');
    const removed = await users('remove', 'taro', file);
    assert.deepEqual([removed.code, removed.stdout], [0, `${file}: removed taro, 1 person\n`]);
    assert.ok(await knows(file, 'hanako', 'x'));
    const again = await users('remove', 'taro', file);
    assert.deepEqual([again.code, again.stdout, again.stderr], [1, '', `${file}: there is no taro\n`]);
  });

  const bad: Readonly<Record<string, readonly [name: string, input: string, code: number]>> = {
    'an empty password': ['taro', '\n', 1],
    'no line at all': ['taro', '', 1],
    'a control character': ['taro', 'a\u0007b\n', 1],
    'a password that no proxy would read': ['taro', 'x'.repeat(513), 1],
    'what is no name': ['taro:yamada', 'x\n', 2],
    'a name like a certificate’s': ['CN=taro', 'x\n', 2],
  };
  for (const [what, [name, input, expected]] of Object.entries(bad)) {
    test(`${what} is refused, and nothing is written`, async () => {
      const folder = await mkdtemp(join(dir, 'bad-'));
      const { code, stdout, stderr } = await add(name, join(folder, 'users'), input);
      assert.deepEqual([code, stdout], [expected, '']);
      assert.notEqual(stderr, '');
      assert.deepEqual(await readdir(folder), []);
    });
  }

  test('a file that is none of users stays as it is', async () => {
    const file = join(dir, 'other');
    await writeFile(file, 'taro:plain-secret\n');
    for (const words of [
      ['add', 'hanako'],
      ['remove', 'hanako'],
    ]) {
      const { code, stderr } = await run([...node, 'users', ...words, file], 'x\n');
      assert.equal(code, 1);
      assert.ok(stderr.startsWith(`${file}:1:1: `), stderr);
      assert.doesNotMatch(stderr, /plain-secret/);
    }
    assert.equal(await readFile(file, 'utf8'), 'taro:plain-secret\n');
  });

  test('a file that cannot be read or written is bad news', async () => {
    assert.equal((await users('remove', 'taro', join(dir, 'nowhere'))).code, 1);
    assert.equal((await add('taro', join(dir, 'no-folder', 'users'), 'x\n')).code, 1);
    assert.equal((await add('taro', dir, 'x\n')).code, 1);
  });

  test('wrong use exits 2, and --help tells what there is', async () => {
    assert.equal((await users('add', 'taro')).code, 2);
    assert.equal((await users('rename', 'taro', 'x')).code, 2);
    for (const words of [['--help'], ['add', '--help'], ['remove', '--help']]) {
      const { code, stdout } = await users(...words);
      assert.equal(code, 0);
      assert.match(stdout, /^Usage: sekisho users/);
    }
  });

  test('on a terminal it asks twice and shows nothing of what is typed', async () => {
    const file = join(dir, 'terminal');
    const shown = await typed(
      [...node, 'users', 'add', 'taro', file],
      ['sexret\u007f\u007f\u007f\u007fcret\r', 'secret\r'],
    );
    assert.equal(shown.code, 0, shown.stdout + shown.stderr);
    assert.equal(
      shown.stdout.replaceAll('\r', ''),
      `password of taro:\nthe same once more:\n${file}: added taro, 1 person\n`,
    );
    assert.ok(await knows(file, 'taro', 'secret'));
  });

  const givenUp: Readonly<Record<string, readonly string[]>> = {
    'two that differ': ['one-secret\r', 'other-secret\r'],
    'Ctrl-C': ['half\u0003'],
    'Ctrl-D': ['\u0004'],
    'Ctrl-C at the second': ['one-secret\r', '\u0003'],
  };
  for (const [what, lines] of Object.entries(givenUp)) {
    test(`on a terminal ${what} changes nothing`, async () => {
      const folder = await mkdtemp(join(dir, 'given-up-'));
      const { code, stdout } = await typed([...node, 'users', 'add', 'taro', join(folder, 'users')], lines);
      assert.equal(code, 1);
      assert.doesNotMatch(stdout, /half|one-|other-/);
      assert.deepEqual(await readdir(folder), []);
    });
  }
});
