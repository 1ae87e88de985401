import assert from 'node:assert/strict';
import { chmod, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { realDisk } from '../../../src/base/disk.ts';
import { initCa } from '../../../src/control/ca/init-ca.ts';
import { keyFindings } from '../../../src/control/ca/key-findings.ts';
import { offlineFiles, onlineFiles } from '../../../src/control/ca/layout.ts';
import { facts, FakeClock, temporaryFolders } from './ca-fixture.ts';

describe('keyFindings', () => {
  it('finds nothing wrong where the roots’ keys are elsewhere', async (t) => {
    const folders = await temporaryFolders(t);
    await initCa(folders, facts, realDisk, new FakeClock());
    assert.deepEqual(await keyFindings(folders.online, realDisk), []);
  });

  it('names each root key that lies on the server, in the default folder or loose', async (t) => {
    const { online } = await temporaryFolders(t);
    const offline = join(online, 'offline');
    await initCa({ online, offline }, facts, realDisk, new FakeClock());
    assert.equal((await keyFindings(online, realDisk)).length, 2);
    await rename(offlineFiles(offline).fleetCa.key, onlineFiles(online).fleetCa.key);
    const findings = await keyFindings(online, realDisk);
    assert.ok(findings.some((finding) => finding.includes(onlineFiles(online).fleetCa.key)));
    assert.equal(findings.length, 2);
  });

  it('names a key that others may read', async (t) => {
    const folders = await temporaryFolders(t);
    await initCa(folders, facts, realDisk, new FakeClock());
    const { key } = onlineFiles(folders.online).consoleIntermediate;
    await chmod(key, 0o640);
    const findings = await keyFindings(folders.online, realDisk);
    assert.equal(findings.length, 1);
    assert.ok(findings[0]?.includes(key));
  });
});
