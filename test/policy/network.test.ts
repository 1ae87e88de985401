import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { overlaps, parseAddress, parseNetwork } from '../../src/policy/network.ts';
import type { Network } from '../../src/policy/network.ts';
import { whyNotPublic } from '../../src/policy/special-networks.ts';

function network(text: string): Network {
  const read = parseNetwork(text);
  assert.ok(!('refused' in read), JSON.stringify(read));
  return read;
}

const address = fc.oneof(fc.ipV4(), fc.ipV6());

test('canonical text reads as itself', () => {
  fc.assert(
    fc.property(address, fc.nat(128), (text, length) => {
      const whole = parseAddress(text);
      fc.pre(!('refused' in whole));
      const prefix = Math.min(length, whole.prefix);
      const read = parseNetwork(`${text}/${prefix}`);
      // A block with host bits names the right one.
      const cidr = 'refused' in read ? /(\S+) for the network/.exec(read.remedy)?.[1] : read.cidr;
      assert.equal(network(cidr ?? '').cidr, cidr);
    }),
  );
});

test('a block overlaps itself, every block that holds it, and no neighbour of its size', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(255), fc.integer({ min: 9, max: 24 }), (a, b, prefix) => {
      const bits = ((a << 24) | (b << 16)) & (0xffffffff << (32 - prefix));
      const text = (value: number, length: number) =>
        `${[24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')}/${length}`;
      const block = network(text(bits, prefix));
      const neighbour = network(text(bits ^ (1 << (32 - prefix)), prefix));
      const holder = network(text(bits & (0xffffffff << (33 - prefix)), prefix - 1));
      assert.ok(overlaps(block, block));
      assert.ok(overlaps(block, holder) && overlaps(holder, block));
      assert.ok(!overlaps(block, neighbour));
      assert.ok(overlaps(neighbour, holder));
    }),
  );
});

test('families never overlap', () => {
  assert.ok(!overlaps(network('0.0.0.0/0'), network('::/0')));
});

for (const text of [
  '',
  '10.0.0',
  '010.0.0.1',
  '0x7f.0.0.1',
  '127.1',
  '1.2.3.4/',
  '1.2.3.4/33',
  '1.2.3.4/08',
  '::1/129',
  'fe80::1%eth0',
  '::ffff:1.2.3.4',
  '1.2.3.4 ',
  '1.2.3.4/8/8',
]) {
  test(`"${text}" is no network`, () => {
    assert.ok('refused' in parseNetwork(text));
  });
}

for (const text of [
  '10.0.0.0/8',
  '172.31.255.255',
  '192.168.0.1',
  '100.64.0.0/10',
  '127.0.0.1',
  '169.254.169.254',
  '0.0.0.0',
  '0.0.0.0/0',
  '8.0.0.0/5',
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.10',
  '198.19.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::/0',
  'fe80::1',
  'fd00::1',
  'ff02::1',
  '2001:db8::1',
  '3fff::1',
  '2002::1',
  '2001::1',
  '64:ff9b::1',
  '4000::1',
  '2000::/3',
]) {
  test(`${text} is not public`, () => {
    assert.notEqual(whyNotPublic(network(text)), undefined);
  });
}

for (const text of [
  '51.44.71.80',
  '8.8.8.0/24',
  '11.0.0.0/8',
  '172.32.0.0/16',
  '100.128.0.1',
  '2a05:d000::/25',
  '2600::1',
  '2001:200::1',
]) {
  test(`${text} is public`, () => {
    assert.equal(whyNotPublic(network(text)), undefined);
  });
}
