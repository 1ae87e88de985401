import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));
const good = `import { test } from 'node:test';\nimport { one } from '../src/one.ts';\ntest('good', () => { one(); });\n`;
const summary = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'];

test('green: exit 0, coverage is printed, and the last lines are the summary of node:test', async (t) => {
  const { code, output, lastNames } = await run(t, { 'test/good.test.ts': good });
  assert.equal(code, 0, output);
  assert.match(output, /Lines|% Stmts/);
  assert.deepEqual(lastNames, summary);
  assert.match(output, /^# pass 1$/m);
});

const red: [what: string, files: Record<string, string>, options: { env?: object; red?: string }, says: RegExp][] = [
  [
    'a test that fails',
    {
      'test/bad.test.ts': `import { test } from 'node:test';\ntest('bad', () => { throw new Error('no'); });\n`,
      'test/good.test.ts': good,
    },
    {},
    /✖ a test failed/,
  ],
  [
    'a file that throws before its tests',
    { 'test/bad.test.ts': `throw new Error('no');\n`, 'test/good.test.ts': good },
    {},
    /✖ a test failed/,
  ],
  ['no test file at all', {}, {}, /no test file/],
  ['a red gate', { 'test/good.test.ts': good }, { red: 'imports' }, /✖ imports[^]*tests were not run/],
  ['a build that fails', { 'test/good.test.ts': good }, { red: 'build' }, /build failed/],
  [
    'coverage below the thresholds',
    {
      'test/good.test.ts': good,
      'src/two.ts':
        'export function two(): number {\n  const a = 1;\n  const b = 2;\n  const c = 3;\n  return a + b + c;\n}\n',
    },
    {},
    /coverage is below/,
  ],
  [
    'a skipped test where CI=true',
    { 'test/good.test.ts': `${good}test.skip('later', () => undefined);\n` },
    { env: { CI: 'true' } },
    /was skipped/,
  ],
  [
    'a test to be done where CI=true',
    { 'test/good.test.ts': `${good}test.todo('later');\n` },
    { env: { CI: 'true' } },
    /was skipped/,
  ],
];
for (const [what, files, options, says] of red) {
  test(`red: ${what}`, async (t) => {
    const { code, output } = await run(t, files, options);
    assert.equal(code, 1, output);
    assert.match(output, says);
  });
}

test('a skipped test is no fault on a machine that lacks something', async (t) => {
  const files = { 'test/good.test.ts': `${good}test.skip('needs a browser', () => undefined);\n` };
  assert.equal((await run(t, files, { env: { CI: '' } })).code, 0);
});

test('--fast leaves out the tests that start other programs', async (t) => {
  const files = { 'test/good.test.ts': good, 'test/browser/bad.test.ts': `throw new Error('not now');\n` };
  const { code, output } = await run(t, files, { args: ['--fast'] });
  assert.equal(code, 0, output);
});

/** The runner in a project of two files, whose gates are all green or as told. */
async function run(
  t: TestContext,
  files: Record<string, string>,
  options: { env?: object; red?: string; args?: string[] } = {},
): Promise<{ code: number | null; output: string; lastNames: (string | undefined)[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-runner-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const names = ['format', 'types', 'imports', 'dead', 'lint', 'build'];
  const scripts = Object.fromEntries(names.map((name) => [name, name === options.red ? 'exit 1' : 'true']));
  for (const sub of ['src', 'test/browser']) await mkdir(join(folder, sub), { recursive: true });
  await cp(join(project, 'test/run.mjs'), join(folder, 'test/run.mjs'));
  await cp(join(project, '.c8rc.json'), join(folder, '.c8rc.json'));
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  const all = {
    'package.json': JSON.stringify({ type: 'module', scripts }),
    'src/one.ts': 'export const one = (): number => 1;\n',
    ...files,
  };
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text);

  const child = spawn(process.execPath, ['test/run.mjs', ...(options.args ?? [])], {
    cwd: folder,
    env: { ...process.env, CI: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  const lastNames = output
    .trimEnd()
    .split('\n')
    .slice(-8)
    .map((line) => /^# (\w+) [\d.]+$/.exec(line)?.[1]);
  return { code, output, lastNames };
}
