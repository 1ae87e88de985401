import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertGenerated, between, table } from '../support/generated.ts';

const src = new URL('../../src/', import.meta.url);
const page = fileURLToPath(new URL('../../docs/operations.md', import.meta.url));

test('docs/operations.md has every metric of the code, with its labels and its own words, and none more', async () => {
  const found = await metrics();
  assert.ok(found.length > 15, `${found.length} metrics`);
  const rows = found.map(({ name, labels, help }) => [`\`${name}\``, labels.join(', '), help]);
  await assertGenerated(page, (now) => between(now, 'metrics', table(['metric', 'labels', 'meaning'], rows)));
});

interface Metric {
  readonly name: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** As they stand in the sources, sorted by name. */
async function metrics(): Promise<Metric[]> {
  const files = (await readdir(src, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, src), 'utf8')));
  const pattern = /name: '(sekisho_\w+)',\s*help: '([^']+)',?\s*(?:labels: \[([^\]]*)\])?/g;
  return texts
    .flatMap((text) => [...text.matchAll(pattern)])
    .map(([, name = '', help = '', labels = '']) => ({ name, help, labels: labels.match(/\w+/g) ?? [] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
