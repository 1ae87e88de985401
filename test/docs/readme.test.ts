import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codes, fencedLines, table } from '../support/markdown.ts';

const text = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const readme = await text('README.md');
const commands = fencedLines(readme, 'sh');
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

test('README.md begins with two commands: one shows it at work, one runs the tests', () => {
  assert.deepEqual(commands.slice(0, 2), ['npm ci && npx sekisho demo', 'npm ci && npm test']);
});

test('what npm run build makes can be run by its name, as npx does', () => {
  assert.equal(statSync(main).mode & 0o111, 0o111);
});

test('CI runs the test command of README.md, and no other command of npm', async () => {
  const lines = (await text('.ci/run')).split('\n').map((line) => line.trim());
  assert.deepEqual(
    lines.filter((line) => /\b(npm|npx) /.test(line)),
    [commands[1]],
  );
});

test('every sekisho command of README.md answers --help', () => {
  const listed = table(readme, 'command', 'what it does').flatMap(([cell = '']) => codes(cell));
  const named = listed.map((command) => command.replace(/^sekisho /, '').split(' --')[0] ?? '');
  const used = commands.flatMap((command) => /\bsekisho ((?:ca )?[a-z]+)/.exec(command)?.[1] ?? []);
  const all = new Set([...named, ...used]);
  assert.ok(all.size >= 9, [...all].join());
  for (const command of all) {
    const { status, stdout } = spawnSync(process.execPath, [main, ...command.split(' '), '--help'], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, command);
    assert.match(stdout, new RegExp(`^Usage: sekisho ${command}`), command);
  }
});

test('every file that README.md links to is there', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
  assert.ok(links.length > 8);
  for (const link of links) assert.ok(existsSync(new URL(`../../${link}`, import.meta.url)), link);
});
