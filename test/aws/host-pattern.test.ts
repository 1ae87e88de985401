import { test } from 'node:test';
import assert from 'node:assert/strict';
import tls from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import fc from 'fast-check';
import { partitions } from '../../src/aws/host-data.ts';
import {
  certificateNames,
  constraintNames,
  hostAdmitted,
  matchesHost,
  minimalPatterns,
  parseHostPattern,
} from '../../src/aws/host-pattern.ts';
import { consoleHosts } from '../../src/aws/hosts.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const choice = fc.record({
  partitions: fc.subarray(
    partitions.map(({ name }) => name),
    { minLength: 1 },
  ),
  regions: fc.subarray(partitions.flatMap(({ regions }) => regions)),
  also: fc.subarray([
    'example.awsapps.com',
    '*.cloudfront.net',
    '*.amazonaws.com',
    'a.b.c.example',
    'us-east-1.console.aws.amazon.com',
  ]),
});
const admittedHost = fc.tuple(choice, fc.nat(), label).map(([chosen, index, filling]) => {
  const { admitted } = consoleHosts(chosen);
  const pattern = admitted[index % admitted.length] ?? '';
  return { admitted, pattern, host: pattern.replace('*', filling) };
});

/** What a TLS client says about a leaf with these names. */
function tlsAccepts(names: readonly string[], host: string): boolean {
  const certificate = { subject: {}, subjectaltname: names.map((name) => `DNS:${name}`).join(', ') };
  return tls.checkServerIdentity(host, certificate as unknown as PeerCertificate) === undefined;
}

test('a host that is let through is one that the leaf certificate covers', () => {
  fc.assert(
    fc.property(admittedHost, ({ admitted, host }) => {
      assert.ok(hostAdmitted(admitted, host));
      assert.ok(tlsAccepts(certificateNames(admitted), host));
    }),
  );
});

test('hosts near the list are let through if and only if the leaf certificate covers them', () => {
  const near = fc
    .tuple(admittedHost, label, label)
    .chain(([{ admitted, host }, a, b]) =>
      fc
        .constantFrom(
          `${a}.${host}`,
          `${a}.${b}.${host}`,
          `${a}${host}`,
          `${host}.${a}`,
          host.slice(host.indexOf('.') + 1),
        )
        .map((other) => ({ admitted, other })),
    );
  fc.assert(
    fc.property(near, ({ admitted, other }) => {
      assert.equal(hostAdmitted(admitted, other), tlsAccepts(certificateNames(admitted), other));
    }),
  );
});

test('two labels never stand for a star', () => {
  fc.assert(
    fc.property(admittedHost, label, label, ({ pattern }, a, b) => {
      fc.pre(pattern.startsWith('*.'));
      assert.ok(!matchesHost(pattern, pattern.replace('*', `${a}.${b}`)));
    }),
  );
});

test('every host that is let through lies under a name constraint, and no constraint under another', () => {
  fc.assert(
    fc.property(admittedHost, ({ admitted, host }) => {
      const names = constraintNames(admitted);
      assert.ok(names.some((name) => host === name || host.endsWith(`.${name}`)));
      for (const name of names) assert.ok(!names.some((other) => name.endsWith(`.${other}`)));
    }),
  );
});

test('the minimal list lets through what the whole list does', () => {
  fc.assert(
    fc.property(admittedHost, label, ({ admitted, host }, filling) => {
      const longer = [...admitted, ...admitted, host, `${filling}.example.com`];
      assert.ok(hostAdmitted(minimalPatterns(longer), host));
      assert.deepEqual(minimalPatterns(minimalPatterns(longer)), minimalPatterns(longer));
    }),
  );
});

/** host, whether the console of us-east-1 has it */
const hosts: readonly (readonly [string, boolean])[] = [
  ['console.aws.amazon.com', true],
  ['CONSOLE.aws.amazon.com', true],
  ['s3.console.aws.amazon.com', true],
  ['us-east-1.console.aws.amazon.com', true],
  ['ap-northeast-1.console.aws.amazon.com', true],
  ['x.us-east-1.console.aws.amazon.com', true],
  ['signin.aws.amazon.com', true],
  ['us-east-1.signin.aws.amazon.com', true],
  ['us-east-1.signin.aws', true],
  ['x.ap-northeast-1.console.aws.amazon.com', false],
  ['x.y.us-east-1.console.aws.amazon.com', false],
  ['ap-northeast-1.signin.aws.amazon.com', false],
  ['console.aws.amazon.com.evil.example', false],
  ['xconsole.aws.amazon.com', false],
  ['console.aws.amazon.com.', false],
  ['.console.aws.amazon.com', false],
  ['*.console.aws.amazon.com', false],
  ['a_b.console.aws.amazon.com', false],
  ['evil/.console.aws.amazon.com', false],
  ['aws.amazon.com', false],
  ['amazonaws.com', false],
  ['bucket.s3.amazonaws.com', false],
  ['d111111abcdef8.cloudfront.net', false],
  ['signin.aws', false],
  ['console.amazonaws.cn', false],
  ['127.0.0.1', false],
  ['', false],
];
for (const [host, admitted] of hosts) {
  test(`"${host}" is ${admitted ? 'let through' : 'refused'} with the console of us-east-1`, () => {
    const list = consoleHosts({ partitions: ['aws'], regions: ['us-east-1'], also: [] }).admitted;
    assert.equal(hostAdmitted(list, host), admitted);
  });
}

test('constraints leave out names below others, and stars', () => {
  const patterns = ['a.example.com', '*.example.com', '*.x.example.com', 'y.example.org', 'example.net'];
  assert.deepEqual(constraintNames(patterns), ['example.com', 'example.net', 'y.example.org']);
});

test('a host that a wildcard covers needs no name of its own, one at another depth does', () => {
  const patterns = ['*.example.com', 'a.example.com', 'a.b.example.com', 'example.com', 'a.example.com'];
  assert.deepEqual(minimalPatterns(patterns), ['*.example.com', 'a.b.example.com', 'example.com']);
});

test('what parses as a pattern is admitted by itself, in lower case', () => {
  const written = fc.tuple(fc.boolean(), fc.array(label, { minLength: 3, maxLength: 5 }));
  fc.assert(
    fc.property(written, label, ([wild, labels], filling) => {
      const parsed = parseHostPattern(`${wild ? '*.' : ''}${labels.join('.').toUpperCase()}`);
      fc.pre('pattern' in parsed);
      assert.ok(matchesHost(parsed.pattern, `${wild ? `${filling}.` : ''}${labels.join('.')}`));
    }),
  );
});
