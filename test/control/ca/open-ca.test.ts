import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { realDisk } from '../../../src/base/disk.ts';
import { openConsoleCa } from '../../../src/control/ca/console-ca.ts';
import { openFleetTrust } from '../../../src/control/ca/fleet-trust.ts';
import { initCa } from '../../../src/control/ca/init-ca.ts';
import { issueDoorLeaf } from '../../../src/control/ca/issue.ts';
import { newKey } from '../../../src/control/ca/key.ts';
import { offlineFiles, onlineFiles } from '../../../src/control/ca/layout.ts';
import { signCertificate } from '../../../src/control/ca/sign.ts';
import { facts, FakeClock, temporaryFolders } from './ca-fixture.ts';

describe('openConsoleCa', () => {
  it('issues leaves whose chain and key belong together, for hosts of the policy', async (t) => {
    const { folders, clock } = await prepared(t);
    const ca = await openConsoleCa(folders.online, realDisk, clock);
    const leaf = await ca.issueLeaf(['us-east-1.console.aws.example'], [], new Date(clock.now()));
    const [first, second] = leaf.certificateChain.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem)); // prettier-ignore
    assert.ok(first && second);
    assert.ok(first.checkPrivateKey(createPrivateKey(leaf.privateKey)));
    assert.ok(first.checkIssued(second) && first.verify(second.publicKey));
    assert.ok(second.checkIssued(ca.root) && second.verify(ca.root.publicKey));
    assert.equal(first.checkHost('us-east-1.console.aws.example'), 'us-east-1.console.aws.example');
    assert.equal(leaf.notAfter.getTime(), Date.parse(first.validTo));
  });

  it('refuses to sign for what the intermediate does not cover', async (t) => {
    const { folders, clock } = await prepared(t);
    const ca = await openConsoleCa(folders.online, realDisk, clock);
    const now = new Date(clock.now());
    await assert.rejects(ca.issueLeaf(['signin.aws.example', 'evil.example'], [], now), {
      code: 'ca_invalid',
      facts: { host: 'evil.example' },
    });
    await assert.rejects(ca.issueLeaf(['signin.aws.example'], ['10.0.0.1'], now), { code: 'ca_invalid' });
    assert.equal(ca.differenceFrom(facts.hosts, []), undefined);
    assert.notEqual(ca.differenceFrom(['signin.aws.example'], []), undefined);
  });

  it('refuses to sign once the intermediate is over', async (t) => {
    const { folders, clock } = await prepared(t);
    const ca = await openConsoleCa(folders.online, realDisk, clock);
    clock.advanceDays(366);
    await assert.rejects(ca.issueLeaf(['signin.aws.example'], [], new Date(clock.now())), { code: 'ca_invalid' });
    await assert.rejects(openConsoleCa(folders.online, realDisk, clock), { code: 'ca_invalid' });
  });

  it('counts the days that are left, and says when it is time to act', async (t) => {
    const { folders, clock } = await prepared(t);
    const ca = await openConsoleCa(folders.online, realDisk, clock);
    const at = (days: number) =>
      ca.expiries(new Date(clock.now() + days * 86_400_000)).map(({ certificate, daysLeft, due }) => ({ certificate, daysLeft, due })); // prettier-ignore
    assert.deepEqual(at(0), [
      { certificate: 'console_root', daysLeft: 3649, due: false },
      { certificate: 'console_intermediate', daysLeft: 364, due: false },
    ]);
    assert.deepEqual(at(250)[1], { certificate: 'console_intermediate', daysLeft: 114, due: true });
    assert.equal(at(366)[1]?.daysLeft, -2);
  });

  it('says which file is missing', async (t) => {
    const { folders, clock } = await prepared(t);
    const { consoleRoot, consoleIntermediate } = onlineFiles(folders.online);
    for (const file of [consoleIntermediate.key, consoleIntermediate.certificate, consoleRoot.certificate]) {
      await rm(file);
      await assert.rejects(openConsoleCa(folders.online, realDisk, clock), { code: 'ca_missing', facts: { file } });
    }
  });

  it('refuses a key that is another’s, an intermediate of another root, and one without constraints', async (t) => {
    const { folders, clock } = await prepared(t);
    const other = await prepared(t);
    const ours = onlineFiles(folders.online);
    const theirs = onlineFiles(other.folders.online);

    const key = await readFile(ours.consoleIntermediate.key);
    await writeFile(ours.consoleIntermediate.key, await readFile(theirs.consoleIntermediate.key));
    await assert.rejects(openConsoleCa(folders.online, realDisk, clock), { code: 'ca_invalid' });
    await writeFile(ours.consoleIntermediate.certificate, await readFile(theirs.consoleIntermediate.certificate));
    await assert.rejects(openConsoleCa(folders.online, realDisk, clock), { code: 'ca_invalid' });

    const rootFiles = offlineFiles(folders.offline).consoleRoot;
    const root = {
      certificate: new X509Certificate(await readFile(rootFiles.certificate)),
      key: createPrivateKey(await readFile(rootFiles.key)),
    };
    const [notBefore, notAfter] = [new Date(clock.now() - 1000), new Date(clock.now() + 86_400_000)];
    const subject = { commonName: 'unbound' };
    const unbound = { key: createPrivateKey(key), subject, notBefore, notAfter, ca: { pathLength: 0 } };
    await writeFile(ours.consoleIntermediate.key, key);
    await writeFile(ours.consoleIntermediate.certificate, (await signCertificate(unbound, root)).toString());
    await assert.rejects(openConsoleCa(folders.online, realDisk, clock), { code: 'ca_invalid' });
  });
});

describe('openFleetTrust', () => {
  it('gives the server its certificate and key and the CA of its clients', async (t) => {
    const { folders, clock } = await prepared(t);
    const trust = await openFleetTrust(folders.online, 'tokyo', realDisk, clock);
    const server = new X509Certificate(trust.serverCertificate);
    assert.ok(server.verify(new X509Certificate(trust.ca).publicKey));
    assert.ok(server.checkPrivateKey(createPrivateKey(trust.serverKey)));
    assert.equal(server.checkHost('sekisho.internal'), 'sekisho.internal');
    assert.deepEqual(
      trust.expiries(new Date(clock.now())).map(({ certificate }) => certificate),
      ['fleet_ca', 'server'],
    );
  });

  it('refuses what is missing, over, another fleet’s or another CA’s', async (t) => {
    const { folders, clock } = await prepared(t);
    const { server, fleetCa } = onlineFiles(folders.online);
    await assert.rejects(openFleetTrust(folders.online, 'osaka', realDisk, clock), { code: 'ca_invalid' });
    const late = new FakeClock();
    late.advanceDays(366);
    await assert.rejects(openFleetTrust(folders.online, 'tokyo', realDisk, late), { code: 'ca_invalid' });

    const stranger = { key: await newKey(), certificate: new X509Certificate(await readFile(fleetCa.certificate)) };
    const names = { hosts: ['sekisho.internal'], addresses: [] };
    const forged = await issueDoorLeaf({ key: stranger.key, ...names }, stranger, new Date(clock.now()));
    const good = await readFile(server.certificate);
    await writeFile(server.certificate, forged.toString());
    await assert.rejects(openFleetTrust(folders.online, 'tokyo', realDisk, clock), { code: 'ca_invalid' });
    await writeFile(server.certificate, good);
    await openFleetTrust(folders.online, 'tokyo', realDisk, clock);
    await rm(server.key);
    await assert.rejects(openFleetTrust(folders.online, 'tokyo', realDisk, clock), { code: 'ca_missing' });
  });
});

async function prepared(t: Parameters<typeof temporaryFolders>[0]) {
  const folders = await temporaryFolders(t);
  const clock = new FakeClock();
  await initCa(folders, facts, realDisk, clock);
  return { folders, clock };
}
