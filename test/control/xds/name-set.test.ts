import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internNames, nameSetOf, noNames } from '../../../src/control/xds/name-set.ts';
import { NameList } from '../../../src/wire/name-list.ts';

test('the same names are one set, whatever their order and how they are written', () => {
  const set = nameSetOf(NameList.of(['b', 'a']));
  assert.deepEqual([...set.names], ['a', 'b']);
  assert.equal(nameSetOf(NameList.of(['a', 'b', 'a'])), set);
  assert.equal(internNames(['b', 'a']), set);
  assert.notEqual(internNames(['a']), set);
  assert.equal(nameSetOf(NameList.none), noNames);
  assert.equal(internNames([]), noNames);
});

test('names that differ only where they are cut are different sets', () => {
  assert.notEqual(internNames(['ab', 'c']), internNames(['a', 'bc']));
  assert.notEqual(internNames(['a,b']), internNames(['a', 'b']));
});
