import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { codes, table } from '../support/markdown.ts';

const page = await readFile(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
const rules = JSON.parse(await readFile(new URL('../gates/imports.json', import.meta.url), 'utf8')) as {
  folders: Record<string, string[]>;
  modules: Record<string, string[]>;
};

test('the table of folders is the one that the import gate enforces', () => {
  assert.deepEqual(read(table(page, 'folder', 'may import')), sorted(rules.folders));
});

test('the table of modules is the one that the import gate enforces', () => {
  assert.deepEqual(read(table(page, 'module', 'only in')), sorted(rules.modules));
});

test('every folder of src is in the table, and the table names none that is not there', async () => {
  const entries = await readdir(new URL('../../src', import.meta.url), { withFileTypes: true });
  const there = entries.map((entry) => entry.name);
  const named = Object.keys(rules.folders).map((folder) => folder.split('/')[0] ?? '');
  assert.deepEqual([...new Set(named)].sort(), there.sort());
});

test('the map names every folder of src, two levels deep', async () => {
  for (const entry of await readdir(new URL('../../src', import.meta.url), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    assert.match(page, new RegExp(`\\b${entry.name}/`), entry.name);
    if (!['control', 'sink', 'edge'].includes(entry.name)) continue;
    for (const sub of await readdir(new URL(`../../src/${entry.name}`, import.meta.url), { withFileTypes: true })) {
      if (sub.isDirectory())
        assert.match(page, new RegExp(`\\b${entry.name}/${sub.name}\\b`), `${entry.name}/${sub.name}`);
    }
  }
});

function read(rows: string[][]): Record<string, string[]> {
  return sorted(Object.fromEntries(rows.map(([name = '', others = '']) => [codes(name)[0] ?? '', codes(others)])));
}

function sorted(rows: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(rows).map(([name, others]) => [name, [...others].sort()]));
}
