import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { SocketAddress } from '../../src/policy/policy.types.ts';
import { collides, parseHostSocket, parseSocket, socketText } from '../../src/policy/socket-address.ts';

/** text, address with 53 as the default port */
const good: readonly (readonly [string, SocketAddress])[] = [
  ['127.0.0.1:3128', { host: '127.0.0.1', port: 3128 }],
  ['[::1]:3128', { host: '::1', port: 3128 }],
  ['[0:0::0]:1', { host: '::', port: 1 }],
  ['10.0.0.2', { host: '10.0.0.2', port: 53 }],
  ['[2001:DB8::1]', { host: '2001:db8::1', port: 53 }],
  ['2001:db8::1', { host: '2001:db8::1', port: 53 }],
];
for (const [text, expected] of good) {
  test(`${text} is ${socketText(expected)}`, () => {
    assert.deepEqual(parseSocket(text, 53), expected);
    assert.deepEqual(parseSocket(socketText(expected)), expected);
  });
}

for (const text of [
  '',
  ':1',
  '1.2.3.4:',
  '1.2.3.4:0',
  '1.2.3.4:65536',
  '1.2.3.4:1e3',
  '1.2.3.4:01',
  '1.2.3.4:-1',
  '[::1',
  '::1]:1',
  '[1.2.3.4]x',
  'a.example:1',
  '[::1]:1:1',
]) {
  test(`"${text}" is no socket address`, () => {
    assert.ok('refused' in parseSocket(text, 53));
  });
}

test('a port is needed where there is no default', () => {
  assert.ok('refused' in parseSocket('10.0.0.2'));
  assert.ok('refused' in parseSocket('[::1]'));
});

test('a host name will do where one is allowed', () => {
  assert.deepEqual(parseHostSocket('A.Example:1'), { host: 'a.example', port: 1 });
  assert.deepEqual(parseHostSocket('[::1]:1'), { host: '::1', port: 1 });
  for (const text of ['a_b:1', 'https://a:1', '1.2.3:1', 'a.example'])
    assert.ok('refused' in parseHostSocket(text), text);
});

/** two listeners, whether they collide for Envoy, and for Node */
const pairs: readonly (readonly [string, string, boolean, boolean])[] = [
  ['127.0.0.1:1', '127.0.0.1:1', true, true],
  ['127.0.0.1:1', '127.0.0.1:2', false, false],
  ['127.0.0.1:1', '127.0.0.2:1', false, false],
  ['0.0.0.0:1', '127.0.0.1:1', true, true],
  ['[::]:1', '[::1]:1', true, true],
  ['[::]:1', '127.0.0.1:1', false, true],
  ['0.0.0.0:1', '[::1]:1', false, false],
  ['0.0.0.0:1', '[::]:1', false, true],
];
for (const [one, other, envoy, node] of pairs) {
  test(`${one} and ${other} ${envoy ? 'collide' : 'go together'} in Envoy and ${node ? 'collide' : 'go together'} in Node`, () => {
    const [a, b] = [parseSocket(one), parseSocket(other)];
    assert.ok(!('refused' in a) && !('refused' in b));
    for (const [x, y] of [[a, b] as const, [b, a] as const]) {
      assert.equal(collides(x, y, 'one-family'), envoy);
      assert.equal(collides(x, y, 'both-families'), node);
    }
  });
}
