import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  issueClientCertificate,
  issueDoorLeaf,
  issueFleetRoot,
  issueServerCertificate,
} from '../../../src/control/ca/issue.ts';
import { newKey } from '../../../src/control/ca/key.ts';
import { alternativeNamesOf, constraintsOf } from '../../../src/control/ca/read-extensions.ts';
import { consoleChain, fleetCa } from './ca-fixture.ts';

const clientAuth = '1.3.6.1.5.5.7.3.2';
const serverAuth = '1.3.6.1.5.5.7.3.1';
const chain = await consoleChain();
const ca = await fleetCa();
const key = await newKey();
const now = new Date();

describe('certificates of the two CAs', () => {
  it('are for servers or for clients, never for both', async () => {
    const names = { hosts: ['signin.aws.example'], addresses: [] };
    const usages: [X509Certificate, string[] | undefined][] = [
      [chain.root.certificate, [serverAuth]],
      [chain.intermediate.certificate, [serverAuth]],
      [await issueDoorLeaf({ key, ...names }, chain.intermediate, now), [serverAuth]],
      [await issueServerCertificate({ key, ...names }, ca, now), [serverAuth]],
      [await issueClientCertificate({ fleet: 'tokyo', role: 'node', name: 'a' }, key, ca, now), [clientAuth]],
    ];
    for (const [certificate, usage] of usages) assert.deepEqual(certificate.keyUsage, usage, certificate.subject);
  });

  it('have serial numbers that are positive, 16 bytes long and never twice the same', async () => {
    const names = { hosts: ['signin.aws.example'], addresses: [] };
    const leaves = await Promise.all(
      Array.from({ length: 200 }, () => issueDoorLeaf({ key, ...names }, chain.intermediate, now)),
    );
    assert.equal(new Set(leaves.map(({ serialNumber }) => serialNumber)).size, leaves.length);
    for (const { serialNumber } of leaves) assert.match(serialNumber, /^[4-7][0-9A-F]{31}$/);
  });

  it('carry exactly the names they were made for', async () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,12}$/);
    const host = fc.tuple(fc.boolean(), label).map(([wild, name]) => `${wild ? '*.' : ''}${name}.example`);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(host, { minLength: 1, maxLength: 20 }),
        fc.uniqueArray(fc.ipV4(), { maxLength: 3 }),
        async (hosts, addresses) => {
          const leaf = await issueDoorLeaf({ key, hosts, addresses }, chain.intermediate, now);
          const expected = [...hosts.map((name) => `dns:${name}`), ...addresses.map((ip) => `ip:${ip}`)].sort();
          assert.deepEqual(alternativeNamesOf(leaf), expected);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('begin five minutes ago, live as long as their kind, and never longer than their issuer', async () => {
    const leaf = await issueDoorLeaf({ key, hosts: ['a.example'], addresses: [] }, chain.intermediate, now);
    const second = Math.floor(now.getTime() / 1000) * 1000;
    assert.equal(Date.parse(leaf.validFrom), second - 300_000);
    assert.equal(Date.parse(leaf.validTo), second + 30 * 86_400_000);

    const late = new Date(Date.parse(chain.intermediate.certificate.validTo) - 86_400_000);
    const last = await issueDoorLeaf({ key, hosts: ['a.example'], addresses: [] }, chain.intermediate, late);
    assert.equal(last.validTo, chain.intermediate.certificate.validTo);
  });

  it('write years past 2049 in the other notation of X.509', async () => {
    const later = await issueFleetRoot('tokyo', key, new Date('2045-01-01T00:00:00Z'));
    assert.equal(Date.parse(later.validTo), Date.parse('2054-12-30T00:00:00Z'));
  });

  it('let the intermediate say for which names it was made', () => {
    assert.deepEqual(constraintsOf(chain.intermediate.certificate)?.hosts, [
      'console.aws.example',
      'signin.aws.example',
    ]);
    assert.equal(constraintsOf(chain.root.certificate), undefined);
  });
});
