import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { realDisk } from '../../../src/base/disk.ts';
import { type Identity, identityOf } from '../../../src/control/ca/identity.ts';
import { initCa } from '../../../src/control/ca/init-ca.ts';
import { issueClient } from '../../../src/control/ca/issue-client.ts';
import { offlineFiles, onlineFiles } from '../../../src/control/ca/layout.ts';
import { facts, FakeClock, temporaryFolders } from './ca-fixture.ts';

const node: Identity = { fleet: 'tokyo', role: 'node', name: 'egress-1' };

describe('issueClient', () => {
  it('makes a folder with key, certificate and CA for one node, the key its owner’s alone', async (t) => {
    const { folders, clock } = await prepared(t);
    const { folder, files } = await issueClient(node, folders, realDisk, clock);
    assert.equal(folder, join(folders.online, 'nodes', 'egress-1'));
    assert.deepEqual(await realDisk.list(folder), ['fleet-ca.crt', 'node.crt', 'node.key']);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, 'node.key'))).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'node.crt'))).mode & 0o777, 0o644);
    assert.ok(files.every(({ act }) => act === 'made'));
    const certificate = new X509Certificate(await readFile(join(folder, 'node.crt')));
    assert.deepEqual(identityOf(certificate.subjectAltName, 'tokyo'), node);
  });

  it('names the folder and the files of a reader after the reader', async (t) => {
    const { folders, clock } = await prepared(t);
    const { folder } = await issueClient({ ...node, role: 'reader', name: 'audit' }, folders, realDisk, clock);
    assert.equal(folder, join(folders.online, 'readers', 'audit'));
    assert.deepEqual(await realDisk.list(folder), ['fleet-ca.crt', 'reader.crt', 'reader.key']);
  });

  it('works where only the offline folder is, into a folder of the caller’s choice', async (t) => {
    const { folders, clock } = await prepared(t);
    await rm(folders.online, { recursive: true });
    const out = join(folders.offline, 'for-egress-1');
    const { folder } = await issueClient(node, { ...folders, out }, realDisk, clock);
    assert.equal(folder, out);
    assert.equal(await realDisk.stat(folders.online), undefined);
  });

  it('keeps what is good, and renews for the same key what is old', async (t) => {
    const { folders, clock } = await prepared(t);
    const { folder } = await issueClient(node, folders, realDisk, clock);
    const key = await readFile(join(folder, 'node.key'), 'utf8');
    assert.deepEqual(await acts(), ['kept', 'kept', 'kept']);
    clock.advanceDays(250);
    assert.deepEqual(await acts(), ['kept', 'reissued', 'kept']);
    assert.equal(await readFile(join(folder, 'node.key'), 'utf8'), key);

    async function acts() {
      return (await issueClient(node, folders, realDisk, clock)).files.map(({ act }) => act);
    }
  });

  it('makes the certificate anew in a folder that was another node’s', async (t) => {
    const { folders, clock } = await prepared(t);
    const { folder: out } = await issueClient(node, folders, realDisk, clock);
    const other = { ...node, name: 'egress-2' };
    await issueClient(other, { ...folders, out }, realDisk, clock);
    const certificate = new X509Certificate(await readFile(join(out, 'node.crt')));
    assert.deepEqual(identityOf(certificate.subjectAltName, 'tokyo'), other);
  });

  it('says that the fleet CA is missing where its key or its certificate is', async (t) => {
    const { folders, clock } = await prepared(t);
    const { fleetCa } = offlineFiles(folders.offline);
    const nowhere = { ...folders, offline: join(folders.offline, 'nowhere') };
    await assert.rejects(issueClient(node, nowhere, realDisk, clock), { code: 'ca_missing' });
    await rm(fleetCa.certificate);
    await issueClient(node, folders, realDisk, clock);
    await rm(onlineFiles(folders.online).fleetCa.certificate);
    await assert.rejects(issueClient(node, folders, realDisk, clock), { code: 'ca_missing' });
  });

  it('refuses a CA that is over or another fleet’s, and a name that is a path', async (t) => {
    const { folders, clock } = await prepared(t);
    await assert.rejects(issueClient({ ...node, fleet: 'osaka' }, folders, realDisk, clock), { code: 'ca_invalid' });
    await assert.rejects(issueClient({ ...node, name: '../egress' }, folders, realDisk, clock), { code: 'usage' });
    clock.advanceDays(3651);
    await assert.rejects(issueClient(node, folders, realDisk, clock), { code: 'ca_invalid' });
  });
});

async function prepared(t: Parameters<typeof temporaryFolders>[0]) {
  const folders = await temporaryFolders(t);
  const clock = new FakeClock();
  await initCa(folders, facts, realDisk, clock);
  return { folders, clock };
}
