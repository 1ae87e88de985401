import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCredentials } from '../../../src/sink/users/credentials.ts';

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const none = { kind: 'none' } as const;
const unreadable = { kind: 'unreadable' } as const;
const person = (name: string, password: string) => ({ kind: 'basic', name, password }) as const;

/** name → header, what it says. */
const cases: Readonly<Record<string, readonly [string | undefined, object]>> = {
  'no header': [undefined, none],
  'an empty header': ['', none],
  'another scheme': [`Bearer ${base64('taro:x')}`, none],
  'a scheme that begins alike': [`Basics ${base64('taro:x')}`, none],
  'name and password': [`Basic ${base64('taro:x')}`, person('taro', 'x')],
  'the scheme in other letters': [`bAsIC  ${base64('taro:x')} `, person('taro', 'x')],
  'an empty password': [`Basic ${base64('taro:')}`, person('taro', '')],
  'a password with colons': [`Basic ${base64('taro:a:b:')}`, person('taro', 'a:b:')],
  'UTF-8': [`Basic ${base64('太郎:ひみつ')}`, person('太郎', 'ひみつ')],
  'decomposed letters': [`Basic ${base64('Mu\u0308ller:u\u0308')}`, person('M\u00fcller', '\u00fc')],
  'Latin-1': [`Basic ${base64(Buffer.from('taro:\u00fc', 'latin1'))}`, unreadable],
  'nothing behind the scheme': ['Basic', unreadable],
  'no base64': ['Basic *', unreadable],
  'no colon': [`Basic ${base64('taro')}`, unreadable],
  'no name': [`Basic ${base64(':x')}`, unreadable],
  'what can be nobody’s name': [`Basic ${base64('CN=taro:x')}`, unreadable],
  'a name that is too long': [`Basic ${base64(`${'x'.repeat(65)}:x`)}`, unreadable],
  'a password that is too long': [`Basic ${base64(`taro:${'x'.repeat(1024)}`)}`, unreadable],
  'two of them': [`Basic ${base64('taro:x')}, Basic ${base64('taro:x')}`, unreadable],
};
for (const [name, [header, expected]] of Object.entries(cases)) {
  test(`a header with ${name} says ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(readCredentials(header), expected);
  });
}

test('what a browser wrote is read as it was typed', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9._@+-]{0,20}$/);
  const password = fc.string({ unit: 'grapheme', maxLength: 60 });
  fc.assert(
    fc.property(name, password, (user, typed) => {
      const read = readCredentials(`Basic ${base64(`${user}:${typed}`)}`);
      assert.deepEqual(read, person(user, typed.normalize('NFC')));
    }),
  );
});
