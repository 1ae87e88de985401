import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { doorUser } from '../../../src/sink/record/door-user.ts';
import { hostPort, socketPeer } from '../../../src/sink/record/host-port.ts';
import { rfc3339 } from '../../../src/sink/record/rfc3339.ts';

const users: Readonly<Record<string, readonly [tag: string | undefined, user: object | undefined]>> = {
  'a certificate': ['CN=taro.yamada,O=Example', { id: 'taro.yamada', subject: 'CN=taro.yamada,O=Example' }],
  'a name with an escaped comma': ['CN=Yamada\\, Taro,O=E', { id: 'Yamada, Taro', subject: 'CN=Yamada\\, Taro,O=E' }],
  'a name with escaped bytes': ['O=E,CN=\\E5\\A4\\AA', { id: '太', subject: 'O=E,CN=\\E5\\A4\\AA' }],
  'a certificate without a common name': ['O=Example', { id: 'O=Example', subject: 'O=Example' }],
  'an object identifier': ['2.5.4.3=x,CN=taro', { id: 'taro', subject: '2.5.4.3=x,CN=taro' }],
  'a plain name': ['taro', { id: 'taro' }],
  'a plain name with a comma': ['taro, yamada', { id: 'taro, yamada' }],
  nobody: [undefined, undefined],
  "Envoy's word for nobody": ['-', undefined],
};
for (const [name, [tag, user]] of Object.entries(users)) {
  test(`a user's tag: ${name}`, () => {
    assert.deepEqual(doorUser(tag), user);
  });
}

const authorities: Readonly<Record<string, object | undefined>> = {
  'Console.AWS.amazon.com': { host: 'console.aws.amazon.com' },
  'x:443': { host: 'x', port: 443 },
  '[2001:DB8::1]:443': { host: '2001:db8::1', port: 443 },
  'REDACTED@x:1': { host: 'x', port: 1 },
  'a:b:c': undefined,
  '': undefined,
};
for (const [authority, expected] of Object.entries(authorities)) {
  test(`the authority ${JSON.stringify(authority)} is read`, () => {
    assert.deepEqual(hostPort(authority), expected);
  });
}

test('only an IP address with a port is a peer', () => {
  assert.deepEqual(socketPeer('10.0.0.1:80'), { address: '10.0.0.1', port: 80 });
  assert.deepEqual(socketPeer('[::1]:80'), { address: '::1', port: 80 });
  for (const text of [undefined, '', '10.0.0.1', 'envoy://office.inside/x', 'host:80'])
    assert.equal(socketPeer(text), undefined);
});

test('times have 30 characters, so that their order is the order of their texts', () => {
  assert.equal(rfc3339(0n), '1970-01-01T00:00:00.000000000Z');
  assert.equal(rfc3339(1795442040_554_662_001n), '2026-11-23T13:54:00.554662001Z');
  assert.equal(rfc3339(-1n), undefined);
  assert.equal(rfc3339(253_402_300_800_000_000_000n), undefined);
  const time = fc.bigInt({ min: 0n, max: 253_402_300_799_999_999_999n });
  fc.assert(
    fc.property(time, time, (one, other) => {
      const [a, b] = [rfc3339(one) ?? '', rfc3339(other) ?? ''];
      assert.equal(a.length, 30);
      assert.equal(a < b, one < other);
    }),
  );
});
