import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { globMatches, globsMeet } from '../../src/policy/glob.ts';

const glob = fc.stringMatching(/^[ab*]{0,6}$/);
const id = fc.stringMatching(/^[ab]{0,8}$/);

test('a pattern fits what the regular expression of the same meaning fits', () => {
  fc.assert(
    fc.property(glob, id, (pattern, text) => {
      assert.equal(globMatches(pattern, text), new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text));
    }),
    { numRuns: 2000 },
  );
});

test('two patterns meet if one text fits both', () => {
  fc.assert(
    fc.property(glob, glob, id, (a, b, text) => {
      fc.pre(globMatches(a, text) && globMatches(b, text));
      assert.ok(globsMeet(a, b));
    }),
    { numRuns: 2000, maxSkipsPerRun: 1000 },
  );
});

test('two patterns that no short text fits do not meet', () => {
  const texts = ['', 'a', 'b'].concat(...Array.from({ length: 6 }, (_, n) => words(n + 2)));
  fc.assert(
    fc.property(fc.stringMatching(/^[ab*]{0,3}$/), fc.stringMatching(/^[ab*]{0,3}$/), (a, b) => {
      // Two patterns of three characters that meet do so in a text of at most six.
      assert.equal(
        globsMeet(a, b),
        texts.some((text) => globMatches(a, text) && globMatches(b, text)),
      );
    }),
  );
});

test('long patterns of many stars take no time', () => {
  assert.ok(!globMatches(`${'a*'.repeat(126)}b`, 'a'.repeat(253)));
});

function words(length: number): string[] {
  return Array.from({ length: 2 ** length }, (_, n) =>
    n.toString(2).padStart(length, '0').replaceAll('0', 'a').replaceAll('1', 'b'),
  );
}
