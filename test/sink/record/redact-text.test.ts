import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mayHoldSecret, redactAuthority, redactText } from '../../../src/sink/record/redact-text.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';

const rules = redactionRules(['customer']);

function run(text: string): { text: string; marks: string[] } {
  const marks: string[] = [];
  return { text: redactText(text, rules, (what) => marks.push(what)), marks };
}

/** name → text, what is left of it, what the marks say. */
const withheld: Readonly<Record<string, readonly [text: string, left: string, ...marks: string[]]>> = {
  'a parameter of the query': ['/oauth?a=1&code=S&b=2', '/oauth?a=1&code=REDACTED&b=2', '?code'],
  'several parameters': ['?code=S&state=T', '?code=REDACTED&state=REDACTED', '?code', '?state'],
  'a name in other case, with other hyphens': [
    '/?X_AMZ-securitytoken=S',
    '/?X_AMZ-securitytoken=REDACTED',
    '?X_AMZ-securitytoken',
  ],
  'a parameter that the policy names': ['/?customer=S', '/?customer=REDACTED', '?customer'],
  'an encoded name': ['/?t%6Fk%65n=S', '/?t%6Fk%65n=REDACTED', '?token'],
  'a name encoded twice': ['/?t%256Fken=S', '/?tREDACTED', ''],
  'a name encoded deeper than anyone means well': [`/?%${'25'.repeat(12)}41=S`, '/?REDACTED', ''],
  'an array of PHP or Rails': [
    '/?token[]=S&user%5Bpassword%5D=S',
    '/?token[]=REDACTED&user%5Bpassword%5D=REDACTED',
    '?token',
    '?password',
  ],
  'a part of a dotted name': ['/?openid.sig=S', '/?openid.sig=REDACTED', '?sig'],
  'a name with blanks around it': ['/? token =S', '/? token =REDACTED', '?token'],
  'a value with = in it': ['/?token=a=b==', '/?token=REDACTED', '?token'],
  'a parameter behind a semicolon': ['/?a=1;token=S;b=2', '/?a=1;token=REDACTED', '?token'],
  'a matrix parameter of the path': ['/a;jsessionid=S/b?c=1', '/a;jsessionid=REDACTED?c=1', '?jsessionid'],
  'a fragment': ['https://x/#access_token=S&type=b', 'https://x/#access_token=REDACTED&type=b', '?access_token'],
  'a fragment behind a query': ['/?a=1#id_token=S', '/?a=1#id_token=REDACTED', '?id_token'],
  'a URL in a header of another kind': [
    '0; url=https://x/?a=1&token=S',
    '0; url=https://x/?a=1&token=REDACTED',
    '?token',
  ],
  'a bare URL in a parameter': ['/?next=/a?token=S', '/?next=/a?token=REDACTED', '?token'],
  'an encoded URL in a parameter': ['/?next=%2Fa%3Ftoken%3DS&b=1', '/?next=REDACTED&b=1', '?next'],
  'a URL encoded twice': ['/?next=%252Fa%253Ftoken%253DS', '/?next=REDACTED', '?next'],
  'an encoded query without a name before it': ['/a%3Ftoken%3DS', '/aREDACTED', ''],
  'an HTML-encoded &': ['/?a=1&amp;token=S', '/?a=1&amp;token=REDACTED', '?token'],
  userinfo: ['https://taro:S@x/', 'https://REDACTED@x/', '@userinfo'],
  'userinfo with an @ in its password': ['https://taro:a@b@x/', 'https://REDACTED@x/', '@userinfo'],
  'userinfo without slashes': ['https:taro:S@x/', 'https:REDACTED@x/', '@userinfo'],
  'userinfo behind backslashes': ['\\\\taro:S@x', '\\\\REDACTED@x', '@userinfo'],
  'userinfo in a parameter': ['/?u=https://taro:S@x/', '/?u=https://REDACTED@x/', '@userinfo'],
  'userinfo in an encoded parameter': ['/?u=https%3A%2F%2Ftaro%3AS%40x%2F', '/?u=REDACTED', '?u'],
  'userinfo whose @ alone is encoded': ['https://taro:S%40x/', 'https://REDACTED', ''],
  'userinfo with an = and an encoded @': ['https://taro:S=T%40x/', 'https://REDACTED', ''],
  'userinfo whose slashes alone are encoded': ['/?u=https:%2F%2Ftaro:S@x', '/?u=https:REDACTED@x', '@userinfo'],
  'a member of JSON': ['/?d={"a":1,"token":"S","b":2}', '/?d={"a":1,"token":REDACTED', '?token'],
  'a member of JSON with & and ? in it': ['{"password": "a&b?c"}', '{"password":REDACTED', '?password'],
  'a member of JSON within JSON': ['{"a":"{\\"token\\":\\"S\\"}"}', '{"a":"{\\"token\\":REDACTED', '?token'],
  'a member in apostrophes': ["{'token': 'S'}", "{'token':REDACTED", '?token'],
  'a member of encoded JSON': ['/?d=%7B%22token%22%3A%22S%22%7D&b=1', '/?d=REDACTED&b=1', '?d'],
  'a member of JSON with only the colon encoded': ['/?d={"token"%3A"S"}', '/?d=REDACTED', '?d'],
};

for (const [name, [text, left, ...marks]] of Object.entries(withheld)) {
  test(`withheld: ${name}`, () => {
    assert.deepEqual(run(text), { text: left, marks });
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(mayHoldSecret(bytes, 0, bytes.length, rules), true);
  });
}

const kept: Readonly<Record<string, string>> = {
  'an ordinary path': '/ec2/home?region=us-east-1#Instances:instanceState=running',
  'an empty value': '/?code=&token',
  'an address for mail in a path': '/users/taro@example.com',
  'names that only begin like a secret': '/?codec=1&stateful=2&tokens-left=3',
  'a path that says token': '/oauth/token/x',
  'an encoded URL without a secret': '/?redirect_uri=https%3A%2F%2Fx%2Fhome%3Fregion%3Dus-east-1',
  'a stray percent sign beside a quote': '100% "sure"',
  'a quoted boundary': 'multipart/form-data; boundary="----x"',
  'JSON without a secret': '{"region":"us-east-1"}',
  'what was withheld before': 'https://REDACTED@x/?code=REDACTED&d={"token":REDACTED',
  'broken UTF-8': '/\xff\xfe?a=\x80',
};

for (const [name, text] of Object.entries(kept)) {
  test(`kept: ${name}`, () => {
    assert.deepEqual(run(text), { text, marks: [] });
  });
}

test('all before the last @ of an authority is withheld, encoded or not', () => {
  const marks: string[] = [];
  const authority = (text: string): string => redactAuthority(text, (what) => marks.push(what));
  assert.equal(authority('console.aws.amazon.com:443'), 'console.aws.amazon.com:443');
  assert.equal(authority('taro:S@T@x:443'), 'REDACTED@x:443');
  assert.equal(authority('taro:S%2540x'), 'REDACTED%2540x');
  assert.equal(authority('REDACTED@x'), 'REDACTED@x');
  assert.deepEqual(marks, ['@userinfo', '@userinfo']);
});

const pieces = [
  ...['token', 'code', '=', '%3D', '%253d', '&', '%26', '?', '#', '@', '%40', '//', 'https:', '%2F', '/', 'x;', ' '],
  ...['"', '%22', "'", '%27', ':', '%3A', '\\', '%', '%2', '25', 'REDACTED', 'a', '[', ']', '{', '}', '\xe9'],
];
const nasty = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(''));

test('withholding twice is withholding once', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const once = run(text).text;
      assert.equal(run(once).text, once);
    }),
    { numRuns: 20_000 },
  );
});

test('the fast answer says no only where nothing would be withheld', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const bytes = Buffer.from(text, 'latin1');
      if (!mayHoldSecret(bytes, 0, bytes.length, rules)) assert.deepEqual(run(text), { text, marks: [] });
    }),
    { numRuns: 20_000 },
  );
});

test('a text of a hundred thousand signs takes no quadratic time', () => {
  for (const piece of pieces) {
    const started = performance.now();
    run(piece.repeat(100_000 / piece.length));
    run(`https://x/?${`${piece}=`.repeat(50_000)}`);
    assert.ok(performance.now() - started < 3000, piece);
  }
});
