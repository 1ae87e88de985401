import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { limits } from '../../src/policy/limits.ts';
import { refusalBounds } from '../../src/sink/intake/refusal-limit.ts';
import { decodingRounds } from '../../src/sink/record/percent.ts';
import { recordLimit } from '../../src/sink/record/envelope.ts';
import { recordNamePrefixes, recordNames } from '../../src/sink/record/name.ts';
import { secretNames } from '../../src/sink/record/redaction-rules.ts';
import { codes, fencedLines, sections, table } from '../support/markdown.ts';

const page = await readFile(new URL('../../docs/records.md', import.meta.url), 'utf8');
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const rows = table(page, 'name', 'type', 'unit', 'meaning', 'source');
const written = rows.map(([cell = '']) => codes(cell)[0] ?? '');
const types = new Map(rows.map(([cell = '', type = '']) => [codes(cell)[0] ?? '', type]));

test('docs/records.md has every name of a record, in its order, and none more', () => {
  const prefixed = Object.values(recordNamePrefixes).map((prefix) => `${prefix}NAME`);
  assert.deepEqual(written, [...recordNames, ...prefixed]);
});

test('every name has a type, a meaning and a source', () => {
  for (const [name, type, , meaning, source] of rows) {
    assert.ok(['text', 'texts', 'number', 'boolean'].includes(type ?? ''), name);
    assert.ok(meaning?.endsWith('.') === true || meaning?.endsWith('…') === true, name);
    assert.ok(source !== undefined && source !== '', name);
  }
});

test('docs/records.md lists what is withheld as the code does', () => {
  const listed = Object.fromEntries(
    table(page, 'withheld', 'names').map(([what = '', names = '']) => [what, codes(names)]),
  );
  assert.deepEqual(listed, {
    'parameters of that name': secretNames.parameters,
    'parameters and headers that end so': secretNames.endings,
    'headers, tags, metadata keys of that name': secretNames.headers,
    'those with one of these words': secretNames.headerWords,
  });
});

test('the example is a record: names that exist, with values of their types', () => {
  const example = JSON.parse(fencedLines(page, 'json').join('\n')) as Record<string, unknown>;
  assert.ok(Object.keys(example).length > 20);
  for (const [name, value] of Object.entries(example)) {
    const known = Object.values(recordNamePrefixes).find((prefix) => name.startsWith(prefix));
    const type = types.get(known === undefined ? name : `${known}NAME`);
    const found = Array.isArray(value) ? 'texts' : typeof value === 'string' ? 'text' : typeof value;
    assert.equal(found, type, name);
  }
});

test('every option that docs/records.md names is one of sekisho records', () => {
  const named = table(page, 'option', 'takes').flatMap(([cell = '']) => codes(cell));
  const used = fencedLines(page, 'sh').flatMap((line) => line.match(/ --?[a-z]+/g) ?? []);
  const { status, stdout } = spawnSync(process.execPath, [main, 'records', '--help'], { encoding: 'utf8' });
  assert.equal(status, 0);
  for (const option of new Set([...named, ...used.map((each) => each.trim())])) {
    assert.ok(new RegExp(`(^|\\s)${option}[ ,]`, 'm').test(stdout), option);
  }
});

test('the numbers of the page are those of the code', () => {
  const section = sections(page, 2).get('Limits') ?? '';
  assert.ok(section.includes(`at most ${recordLimit.toLocaleString('en-US')} bytes`));
  assert.equal(decodingRounds, 8);
  const refusals = sections(page, 2).get('Refusals that come too fast') ?? '';
  assert.ok(refusals.includes(`${refusalBounds.clients.toLocaleString('en-US')} allowances`));
  assert.ok(refusals.includes(`at most ${refusalBounds.evidenceBytes / 1024 ** 2} MiB`));
  const { refusalBurst, refusalRate } = limits;
  assert.match(
    refusals,
    new RegExp(
      `first ${refusalBurst.default} refusals of a client are\\s+records as any, and ${refusalRate.default} a minute`,
    ),
  );
  assert.match(page, /undone up to eight times/);
});
