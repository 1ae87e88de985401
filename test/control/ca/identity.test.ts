import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  assertFleetName,
  assertIdentityName,
  identityOf,
  identityUri,
  roles,
} from '../../../src/control/ca/identity.ts';
import { issueClientCertificate } from '../../../src/control/ca/issue.ts';
import { newKey } from '../../../src/control/ca/key.ts';
import { signCertificate } from '../../../src/control/ca/sign.ts';
import { fleetCa } from './ca-fixture.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);

describe('identityOf', () => {
  it('reads every identity out of the URI that was written for it', () => {
    fc.assert(
      fc.property(label, fc.constantFrom(...roles), label, (fleet, role, name) => {
        assert.deepEqual(identityOf(`URI:${identityUri({ fleet, role, name })}`, fleet), { fleet, role, name });
      }),
    );
  });

  it('reads a name of several labels, as host names are', () => {
    const identity = { fleet: 'tokyo', role: 'node', name: 'egress-1.corp.example' } as const;
    assert.deepEqual(identityOf(`URI:${identityUri(identity)}`, 'tokyo'), identity);
  });

  for (const text of [
    undefined,
    '',
    'URI:spiffe://osaka/node/egress-1',
    'URI:spiffe://tokyo.evil.example/node/egress-1',
    'URI:spiffe://TOKYO/node/egress-1',
    'URI:SPIFFE://tokyo/node/egress-1',
    'URI:spiffe://tokyo/admin/egress-1',
    'URI:spiffe://tokyo/node/',
    'URI:spiffe://tokyo/node',
    'URI:spiffe://tokyo/node/egress-1/',
    'URI:spiffe://tokyo/node/egress-1/more',
    'URI:spiffe://tokyo//node/egress-1',
    'URI:spiffe://tokyo/node/egress-1?x',
    'URI:spiffe://tokyo/node/egress-1#x',
    'URI:spiffe://tokyo/node/egress%2d1',
    'URI:spiffe://tokyo/node/-egress',
    'URI:spiffe://tokyo/node/..',
    'URI:spiffe://tokyo/node/egress-1.',
    'URI:spiffe://tokyo/node/egress..1',
    'URI:spiffe://tokyo/node/Egress-1',
    'URI:spiffe://tokyo:443/node/egress-1',
    'URI:spiffe://user@tokyo/node/egress-1',
    'URI:"spiffe://tokyo/node/egress-1"',
    'URI:"spiffe://tokyo/node/egress-1\\u0000.example"',
    ' URI:spiffe://tokyo/node/egress-1',
    'URI:spiffe://tokyo/node/egress-1\n',
    'URI:spiffe://tokyo/node/egress-1, URI:spiffe://tokyo/node/egress-2',
    'URI:spiffe://tokyo/node/egress-1, DNS:egress-1.example',
    'DNS:egress-1.example, URI:spiffe://tokyo/node/egress-1',
    'DNS:spiffe://tokyo/node/egress-1',
    `URI:spiffe://tokyo/node/${'a'.repeat(64)}`,
  ]) {
    it(`gives nobody for ${text === undefined ? 'no names at all' : JSON.stringify(text)}`, () => {
      assert.equal(identityOf(text, 'tokyo'), undefined);
    });
  }

  it('reads a real certificate, and gives nobody for one with a second name hidden behind a comma', async () => {
    const ca = await fleetCa();
    const key = await newKey();
    const real = await issueClientCertificate({ fleet: 'tokyo', role: 'reader', name: 'audit' }, key, ca, new Date());
    assert.deepEqual(identityOf(real.subjectAltName, 'tokyo'), { fleet: 'tokyo', role: 'reader', name: 'audit' });

    const [notBefore, notAfter] = [new Date(), new Date(Date.now() + 60_000)];
    for (const value of ['spiffe://tokyo/node/a, URI:spiffe://tokyo/node/b', 'spiffe://tokyo/node/a", URI:x']) {
      const names = [{ type: 'url', value } as const];
      const forged = await signCertificate({ key, subject: { commonName: 'x' }, notBefore, notAfter, names }, ca);
      assert.equal(identityOf(forged.subjectAltName, 'tokyo'), undefined, forged.subjectAltName);
    }
  });
});

const noNames = ['', '-a', 'a-', 'A', 'a/b', '../a', '..', 'a..b', 'a.', '.a', 'a b', 'a\n', 'a'.repeat(64)];

describe('assertFleetName', () => {
  it('takes a DNS label in lower case and refuses everything else', () => {
    for (const name of ['a', 'egress-1', '0', 'a'.repeat(63)]) assertFleetName(name);
    for (const name of [...noNames, 'a.b']) {
      assert.throws(() => { assertFleetName(name); }, { code: 'usage' }, JSON.stringify(name)); // prettier-ignore
    }
  });
});

describe('assertIdentityName', () => {
  it('takes a DNS name in lower case and refuses everything else', () => {
    const identity = (name: string) => ({ fleet: 'tokyo', role: 'node', name }) as const;
    for (const name of ['a', 'egress-1', 'a'.repeat(63), 'egress-1.corp.example']) assertIdentityName(identity(name));
    for (const name of [...noNames, `${'a.'.repeat(126)}ab`]) {
      assert.throws(() => { assertIdentityName(identity(name)); }, { code: 'usage' }, JSON.stringify(name)); // prettier-ignore
    }
  });

  it('lets a node have a name longer than a common name may be', async () => {
    const identity = { fleet: 'tokyo', role: 'node', name: `${'a'.repeat(60)}.corp.example` } as const;
    const { subject, subjectAltName } = await issueClientCertificate(
      identity,
      await newKey(),
      await fleetCa(),
      new Date(),
    );
    assert.match(subject, /^CN=a{60}\.cor$/m);
    assert.deepEqual(identityOf(subjectAltName, 'tokyo'), identity);
  });
});
