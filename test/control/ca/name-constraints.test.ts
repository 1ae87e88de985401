import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../../src/base/errors.ts';
import { decodeConstraints, encodeConstraints } from '../../../src/control/ca/name-constraints-der.ts';
import { constraintsFor, differenceOf, permitsAddress, permitsHost } from '../../../src/control/ca/name-constraints.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const host = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.constantFrom('example', 'test'))
  .map(([labels, last]) => [...labels, last].join('.'));
const hosts = fc.array(host, { minLength: 1, maxLength: 60 });
const addresses = fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 10 });

describe('name constraints', () => {
  it('permit every name they were made for, wildcards and subdomains of it too', () => {
    fc.assert(
      fc.property(hosts, addresses, (names, ips) => {
        const constraints = constraintsFor(names, ips);
        for (const name of names) {
          assert.ok(permitsHost(constraints, name));
          assert.ok(permitsHost(constraints, `*.${name}`));
          assert.ok(permitsHost(constraints, name.toUpperCase()));
        }
        for (const ip of ips) assert.ok(permitsAddress(constraints, ip));
      }),
    );
  });

  it('are the same for the same names in any order and number', () => {
    fc.assert(
      fc.property(hosts, addresses, (names, ips) => {
        const constraints = constraintsFor(names, ips);
        const again = constraintsFor([...names, ...names].reverse(), [...ips, ...ips].reverse());
        assert.deepEqual(again, constraints);
        assert.equal(differenceOf(constraints, again), undefined);
      }),
    );
  });

  it('come back from DER as they were', () => {
    fc.assert(
      fc.property(hosts, addresses, (names, ips) => {
        const constraints = constraintsFor(names, ips);
        assert.deepEqual(decodeConstraints(encodeConstraints(constraints)), constraints);
      }),
    );
  });

  it('are not read from DER of any other shape: cut short, or with one byte changed into something wider', () => {
    const bytes = encodeConstraints(constraintsFor(['a.example', 'b.example'], ['10.0.0.1']));
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(decodeConstraints(bytes.subarray(0, length)), undefined, `${length} bytes`);
    }
    const netmask = Buffer.from(bytes);
    netmask.writeUInt8(0, netmask.length - 1); // 10.0.0.1/24
    assert.equal(decodeConstraints(netmask), undefined);
    assert.equal(decodeConstraints(Buffer.concat([bytes, Buffer.from([5, 0])])), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
        assert.equal(decodeConstraints(Buffer.from(noise)), undefined);
      }),
    );
  });

  const permitted = constraintsFor(['signin.aws.example', '*.console.aws.example'], ['10.0.0.1']);
  for (const [name, expected] of [
    ['signin.aws.example', true],
    ['eu.signin.aws.example', true],
    ['console.aws.example', true],
    ['a.b.console.aws.example', true],
    ['aws.example', false],
    ['*.aws.example', false],
    ['evil-signin.aws.example', false],
    ['signin.aws.example.evil.example', false],
  ] as const) {
    it(`${expected ? 'permit' : 'do not permit'} ${name}`, () => {
      assert.equal(permitsHost(permitted, name), expected);
    });
  }

  it('permit single addresses in any spelling, and no neighbour', () => {
    assert.ok(permitsAddress(permitted, '::ffff:10.0.0.1'));
    assert.ok(!permitsAddress(permitted, '10.0.0.2'));
    assert.ok(permitsAddress(constraintsFor(['a.example'], ['2001:DB8::0001']), '2001:db8::1'));
  });

  it('drop a name that another one covers', () => {
    assert.deepEqual(constraintsFor(['b.a.example', 'a.example', '*.c.a.example', 'ba.example'], []).hosts, [
      'a.example',
      'ba.example',
    ]);
  });

  it('are refused for nothing at all, for what is no name, and for a whole top-level domain', () => {
    const wrong: [string[], string[]][] = [
      [[], []],
      [[], ['10.0.0.1']],
      [['10.0.0.1'], []],
      [['a b.example'], []],
      [['a..example'], []],
      [['.example'], []],
      [['*'], []],
      [['*.example'], []],
      [['a.*.example'], []],
      [['münchen.example'], []],
      [['a.example'], ['10.0.0.0/8']],
      [['a.example'], ['10.1']],
      [['a.example'], ['b.example']],
    ];
    for (const [names, ips] of wrong) {
      assert.throws(
        () => constraintsFor(names, ips),
        (error) => error instanceof SekishoError && error.code === 'ca_invalid',
        JSON.stringify([names, ips]),
      );
    }
  });

  it('say what they lack and what they have too much of', () => {
    const found = constraintsFor(['a.example', 'b.example'], []);
    const difference = differenceOf(found, constraintsFor(['b.example', 'c.example'], ['10.0.0.1'])) ?? '';
    for (const name of ['a.example', 'c.example', '10.0.0.1']) assert.ok(difference.includes(name), name);
    assert.ok(!difference.includes('b.example'));
    assert.notEqual(differenceOf(undefined, found), undefined);
  });
});
