import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../src/policy/limits.ts';
import { parsePasswordHash, passwordHashText } from '../../src/policy/password-hash.ts';
import { parseUsersFile, readUserName, withoutUser, withUser } from '../../src/policy/users-file.ts';

const salt = 'c2FsdHNhbHRzYWx0c2FsdA';
const hash = 'aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g';
const phc = (cost: string, saltText = salt, hashText = hash) => `$scrypt$${cost}$${saltText}$${hashText}`;
const good = phc('ln=15,r=8,p=1');

/** name → text, names that are read, lines with a problem. */
const files: Readonly<Record<string, readonly [string, readonly string[], readonly number[]]>> = {
  nothing: ['', [], []],
  'comments and empty lines': ['# a\n\n   \n#b:c\n', [], []],
  'one person': [`taro:${good}\n`, ['taro'], []],
  'one person without a last line break': [`taro:${good}`, ['taro'], []],
  'lines of another system, with room around them': [`  taro:${good}  \r\nhanako:${good}\r\n`, ['taro', 'hanako'], []],
  'names of all kinds': [
    `taro.yamada:${good}\nT-1_a+b@corp.example:${good}\n太郎:${good}\n`,
    ['taro.yamada', 'T-1_a+b@corp.example', '太郎'],
    [],
  ],
  'a name that is decomposed': [`Mu\u0308ller:${good}\n`, ['M\u00fcller'], []],
  'a name twice': [`taro:${good}\nhanako:${good}\ntaro:${good}\n`, ['taro', 'hanako'], [3]],
  'a name twice, in two ways of writing it': [`M\u00fcller:${good}\nMu\u0308ller:${good}\n`, ['M\u00fcller'], [2]],
  'a name whose first line is bad': [`taro:x\ntaro:${good}\n`, [], [1, 2]],
  'plain text': ['taro:secret\n', [], [1]],
  'no password': ['taro:\n', [], [1]],
  'no colon': ['taro\n', [], [1]],
  'no name': [`:${good}\n`, [], [1]],
  'a name with a space': [`taro yamada:${good}\n`, [], [1]],
  'a name that would read like a certificate': [`CN=taro:${good}\n`, [], [1]],
  'a name that Envoy would take for none': [`-:${good}\n`, [], [1]],
  'a name that is too long': [`${'x'.repeat(limits.userName + 1)}:${good}\n`, [], [1]],
  'Apache MD5': ['taro:$apr1$abcdefgh$1234567890123456789012\n', [], [1]],
  bcrypt: [`taro:$2y$10$${'a'.repeat(53)}\n`, [], [1]],
  'SHA-1': ['taro:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n', [], [1]],
  'something behind the hash': [`taro:${good}:more\n`, [], [1]],
};
for (const [name, [text, names, lines]] of Object.entries(files)) {
  test(`a users file with ${name}`, () => {
    const read = parseUsersFile(text);
    assert.deepEqual([...read.accounts.keys()], names);
    assert.deepEqual(
      read.problems.map(({ line }) => line),
      lines,
    );
  });
}

const hashes: Readonly<Record<string, readonly [text: string, isGood: boolean]>> = {
  'the default': [good, true],
  'the least': [phc('ln=14,r=8,p=1'), true],
  'the most memory': [phc('ln=17,r=8,p=1'), true],
  'the most work': [phc('ln=15,r=8,p=4'), true],
  'too little': [phc('ln=13,r=8,p=1'), false],
  'too much memory': [phc('ln=18,r=8,p=1'), false],
  'very much memory': [phc('ln=63,r=8,p=1'), false],
  'too much work': [phc('ln=15,r=8,p=5'), false],
  'another r': [phc('ln=15,r=16,p=1'), false],
  'no p': [phc('ln=15,r=8,p=0'), false],
  'parameters in another order': [phc('r=8,ln=15,p=1'), false],
  'a salt that is too short': [phc('ln=15,r=8,p=1', 'c2FsdA'), false],
  'a salt that is too long': [phc('ln=15,r=8,p=1', 'A'.repeat(88)), false],
  'a hash that is too short': [phc('ln=15,r=8,p=1', salt, 'aGFzaA'), false],
  'a hash that is too long': [phc('ln=15,r=8,p=1', salt, 'A'.repeat(88)), false],
  padding: [phc('ln=15,r=8,p=1', `${salt}==`), false],
  'bits that no byte has': [phc('ln=15,r=8,p=1', `${salt.slice(0, -1)}B`), false],
  'no hash': ['$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA', false],
};
for (const [name, [text, isGood]] of Object.entries(hashes)) {
  test(`a hash with ${name} is ${isGood ? 'taken' : 'refused'}`, () => {
    const read = parsePasswordHash(text);
    assert.equal('refused' in read, !isGood);
    if (!('refused' in read)) assert.equal(passwordHashText(read), text);
  });
}

test('a file of another kind is told in a few lines', () => {
  assert.equal(parseUsersFile('not a users file\n'.repeat(1000)).problems.length, limits.userProblems);
});

test('a file with too many people is refused', () => {
  const people = Array.from({ length: limits.users + 1 }, (_, index) => `user${index}:${good}\n`);
  assert.deepEqual(
    parseUsersFile(people.join('')).problems.map(({ line }) => line),
    [limits.users + 1],
  );
});

const names = fc.stringMatching(/^[a-z0-9][a-z0-9._@+-]{0,20}$/);

test('no problem repeats what stands behind a colon', () => {
  fc.assert(
    fc.property(names, fc.stringMatching(/^[\x20-\x7e]{8,40}$/), (name, secret) => {
      const { problems } = parseUsersFile(`${name}:${secret}\n`);
      for (const { refused, remedy } of problems)
        assert.ok(!`${refused} ${remedy}`.includes(secret.trim()) || secret.trim().length < 6);
    }),
  );
});

test('whoever is added is there once, whoever is removed is gone, and nobody and nothing else has changed', () => {
  const line = fc.oneof(
    names.map((name) => `${name}:${good}`),
    fc.constantFrom('', '# a comment', '  # another'),
  );
  const text = fc.uniqueArray(line, { selector: (one) => one.split(':')[0] }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, names, (before, name) => {
      const other = phc('ln=16,r=8,p=1');
      const added = withUser(before, name, other);
      const { accounts, problems } = parseUsersFile(added);
      assert.deepEqual(problems, []);
      assert.equal(accounts.get(name)?.cost.ln, 16);
      const removed = withoutUser(added, name);
      assert.ok(removed !== undefined);
      assert.equal(withoutUser(removed, name), undefined);
      const rest = (whole: string) => whole.split('\n').filter((one) => one !== '' && !one.startsWith(`${name}:`));
      assert.deepEqual(rest(removed), rest(before));
      assert.deepEqual(rest(added), rest(before));
    }),
  );
});

test('a name is one and the same however it was typed', () => {
  assert.equal(readUserName('Mu\u0308ller'), readUserName('M\u00fcller'));
});
