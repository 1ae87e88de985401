import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { loadPolicy } from '../../src/policy/load.ts';

const example = readFileSync('sekisho.example.yaml', 'utf8');

const none = (): Promise<never> => Promise.reject(new Error('no files here'));

async function load(text: string) {
  return loadPolicy({ file: 'sekisho.yaml', text, readFile: none, listFolder: none });
}

/** The example with a stretch cut out, doubled, or replaced by what YAML finds interesting. */
const damaged = fc
  .tuple(
    fc.nat(example.length),
    fc.nat(40),
    fc.constantFrom(
      '',
      '\n',
      ' ',
      '\t',
      ':',
      ': ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '*a',
      '&a ',
      '!!x ',
      '#',
      '|',
      '---\n',
      '<<: ',
      '? ',
      'null',
      '__proto__: 1\n',
      '\0',
      '🏯',
    ),
  )
  .map(([at, length, piece]) => example.slice(0, at) + piece + example.slice(at + length));

test('whatever the text, there is a policy or there are problems within the text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: damaged }, fc.string(), fc.json()), async (text) => {
      const loaded = await load(text);
      if ('policy' in loaded) return;
      assert.notEqual(loaded.problems.length, 0);
      const lines = text.split(/\r?\n/);
      let before = 0;
      for (const { line, column, message, remedy } of loaded.problems) {
        assert.ok(line >= before, 'sorted by line');
        before = line;
        assert.ok(line >= 1 && line <= lines.length + 1, `line ${line}`);
        assert.ok(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, `${line}:${column}`);
        assert.doesNotMatch(`${message} ${remedy}`, /undefined|\[object/);
      }
    }),
    { numRuns: 400 },
  );
});

test('a policy loads to the same value however often it is read', async () => {
  assert.deepEqual(await load(example), await load(example));
});
