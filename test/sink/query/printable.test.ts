import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsOf, fit } from '../../../src/sink/query/fit.ts';
import { printable, printableJson } from '../../../src/sink/query/printable.ts';

const shown: Readonly<Record<string, readonly [text: string, shown: string]>> = {
  'an escape sequence': ['\u001b[31mred', '\\x1b[31mred'],
  'a line end': ['a\r\nb', 'a\\x0d\\x0ab'],
  'a C1 control': ['\u009b31m', '\\x9b31m'],
  'a change of direction': ['a\u202eb', 'a\\u{202e}b'],
  'a tag character': ['\u{e0041}', '\\u{e0041}'],
  'half a pair': ['\ud800x', '\\u{d800}x'],
  'other scripts and emoji': ['太郎 😀 ü', '太郎 😀 ü'],
};
for (const [name, [text, expected]] of Object.entries(shown)) {
  test(`${name} is shown so that no terminal obeys it`, () => {
    assert.equal(printable(text), expected);
  });
}

const obeyed = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/u;
const anyText = fc.string({
  unit: fc.oneof(
    fc.nat(0xffff).map((code) => String.fromCharCode(code)),
    fc.constantFrom('\u001b', '\u202e', '"'),
  ),
});

test('JSON for a terminal means the same and holds nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const json = printableJson(JSON.stringify({ [text]: [text] }));
      assert.deepEqual(JSON.parse(json), { [text]: [text] });
      assert.doesNotMatch(json, obeyed);
      assert.doesNotMatch(printable(text), obeyed);
    }),
    { numRuns: 1000 },
  );
});

test('a text fits into its columns, wide characters counted twice', () => {
  assert.equal(fit('ab', 4), 'ab  ');
  assert.equal(fit('abcd', 4), 'abcd');
  assert.equal(fit('abcde', 4), 'abc…');
  assert.equal(fit('太郎', 4), '太郎');
  assert.equal(fit('太郎太', 4), '太… ');
  assert.equal(fit('e\u0301e\u0301', 4), 'e\u0301e\u0301  ');
  assert.equal(columnsOf('abcde', 5), 'abcde');
  assert.equal(columnsOf('abcdef', 5), 'abcd…');
});
