import assert from 'node:assert/strict';
import test from 'node:test';
import vm from 'node:vm';
import fc from 'fast-check';
import type { PacDoor } from '../../../src/edge/http/pac.ts';
import { proxyAutoConfig } from '../../../src/edge/http/pac.ts';

const doors: PacDoor[] = [
  { host: 'egress-1.corp.example', port: 3128, tls: true },
  { host: '10.0.0.6', port: 3128, tls: false },
  { host: 'fd00::7', port: 3128, tls: true },
];
const route = 'HTTPS egress-1.corp.example:3128; PROXY 10.0.0.6:3128; HTTPS [fd00::7]:3128';
const hosts = [
  'console.aws.amazon.com',
  '*.console.aws.amazon.com',
  '*.us-east-1.console.aws.amazon.com',
  'signin.aws.amazon.com',
];

for (const [host, expected] of [
  ['console.aws.amazon.com', route],
  ['signin.aws.amazon.com', route],
  ['us-east-1.console.aws.amazon.com', route],
  ['ec2.us-east-1.console.aws.amazon.com', route],
  ['Console.AWS.Amazon.Com', route],
  ['US-EAST-1.console.aws.amazon.com', route],
  ['console.aws.amazon.com.', route],
  ['us-east-1.console.aws.amazon.com.', route],
  ['console.aws.amazon.com:443', route],
  ['console.aws.amazon.com:8443', route],
  ['console.aws.amazon.com.:443', route],
  ['a.b.console.aws.amazon.com', 'DIRECT'],
  ['a.b.us-east-1.console.aws.amazon.com', 'DIRECT'],
  ['us-east-1.signin.aws.amazon.com', 'DIRECT'],
  ['aws.amazon.com', 'DIRECT'],
  ['.console.aws.amazon.com', 'DIRECT'],
  ['console.aws.amazon.com..', 'DIRECT'],
  ['xconsole.aws.amazon.com', 'DIRECT'],
  ['console.aws.amazon.com.evil.example', 'DIRECT'],
  ['consoleXaws.amazon.com', 'DIRECT'],
  ['amazon.com', 'DIRECT'],
  ['localhost', 'DIRECT'],
  ['127.0.0.1', 'DIRECT'],
  ['::1', 'DIRECT'],
  ['2001:db8::443', 'DIRECT'],
  ['', 'DIRECT'],
  ['toString', 'DIRECT'],
  ['x.constructor', 'DIRECT'],
  ['__proto__', 'DIRECT'],
] as const) {
  test(`'${host}' goes ${expected === 'DIRECT' ? 'direct' : 'through the doors'}`, () => {
    assert.equal(browser(proxyAutoConfig({ hosts, doors }))(host), expected);
  });
}

test('a host goes through a door if and only if a pattern admits it', () => {
  const label = fc.constantFrom('a', 'b', 'c-1', 'constructor', 'aws');
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const pattern = fc.tuple(fc.boolean(), name).map(([any, host]) => (any ? `*.${host}` : host));
  const asTyped = fc.tuple(name, fc.boolean(), fc.constantFrom('', '.', ':443', '.:8443'));
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 6 }),
      fc.array(asTyped, { minLength: 1, maxLength: 10 }),
      (patterns, tried) => {
        const find = browser(proxyAutoConfig({ hosts: patterns, doors }));
        for (const [host, upper, tail] of tried) {
          const expected = patterns.some((each) => admits(each, host)) ? route : 'DIRECT';
          assert.equal(find((upper ? host.toUpperCase() : host) + tail), expected);
        }
      },
    ),
  );
});

test('the script says the same for the same hosts in any order and number', () => {
  const once = proxyAutoConfig({ hosts, doors });
  assert.equal(proxyAutoConfig({ hosts: [...hosts, ...hosts].reverse(), doors }), once);
});

test('the script keeps to ECMAScript 3', () => {
  const script = (proxyAutoConfig({ hosts, doors }) ?? '').replace(/^\/\/.*$/gm, '');
  assert.match(script, /FindProxyForURL/);
  assert.doesNotMatch(script, /=>|`|\b(?:let|const|class|of)\b|,\s*[}\])]/);
  assert.doesNotMatch(
    script,
    /\.(?:endsWith|startsWith|includes|trim|forEach|indexOf\([^)]*,)|JSON\.|Object\.(?:keys|create)/,
  );
});

test('without hosts everything goes direct', () => {
  assert.equal(browser(proxyAutoConfig({ hosts: [], doors: [] }))('console.aws.amazon.com'), 'DIRECT');
});

for (const [what, options] of [
  ['a wildcard inside', { hosts: ['a.*.example'], doors }],
  ['two wildcards', { hosts: ['*.*.example'], doors }],
  ['a bare wildcard', { hosts: ['*'], doors }],
  ['a pattern with a port', { hosts: ['a.example:443'], doors }],
  ['a pattern that closes the string', { hosts: ['"];alert(1)//'], doors }],
  ['an empty pattern', { hosts: [''], doors }],
  ['the one name that an object literal does not keep', { hosts: ['__proto__'], doors }],
  ['a trailing dot', { hosts: ['a.example.'], doors }],
  ['a door with another hop in its name', { hosts, doors: [{ host: 'a; DIRECT', port: 1, tls: false }] }],
  ['a door without a name', { hosts, doors: [{ host: '', port: 1, tls: false }] }],
  ['port 0', { hosts, doors: [{ host: 'a', port: 0, tls: false }] }],
  ['port 65536', { hosts, doors: [{ host: 'a', port: 65_536, tls: false }] }],
] as const) {
  test(`refused: ${what}`, () => {
    assert.throws(() => proxyAutoConfig(options), { code: 'policy_invalid' });
  });
}

test('without a door there is no script, for it would send the hosts nowhere or past the doors', () => {
  assert.equal(proxyAutoConfig({ hosts, doors: [] }), undefined);
});

/** What a browser does with the script: run it in a world of its own, then ask once per request. */
function browser(script: string | undefined): (host: string) => unknown {
  assert.ok(script !== undefined);
  const world = vm.createContext(Object.create(null) as object);
  vm.runInContext(script, world, { timeout: 1000 });
  return (host) =>
    vm.runInContext(`FindProxyForURL(${JSON.stringify(`https://${host}/`)}, ${JSON.stringify(host)})`, world, {
      timeout: 1000,
    }) as unknown;
}

/** The meaning of a pattern, label by label. */
function admits(pattern: string, host: string): boolean {
  const [wanted, given] = [pattern.split('.'), host.split('.')];
  return wanted.length === given.length && wanted.every((label, i) => label === '*' || label === given[i]);
}
