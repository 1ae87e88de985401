import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { errorCodes } from '../../src/base/errors.ts';
import { sections } from '../support/markdown.ts';

const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');

test('docs/errors.md has every code, in the order of the code, and none more', () => {
  assert.deepEqual([...sections(page, 2).keys()], [...errorCodes]);
});

test('every code has a paragraph that says what it means and what to do', () => {
  for (const [code, text] of sections(page, 2)) {
    const sentences = text.trim().split(/[.:] /);
    assert.ok(sentences.length >= 2 && text.trim().length > 60, `${code}: ${text.trim()}`);
  }
});
