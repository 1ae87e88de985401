import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { realDisk } from '../../../src/base/disk.ts';
import type { FileReport } from '../../../src/control/ca/ensure-credential.ts';
import { type CaFacts, type CaFolders, initCa } from '../../../src/control/ca/init-ca.ts';
import { keyPem, newKey } from '../../../src/control/ca/key.ts';
import { offlineFiles, onlineFiles } from '../../../src/control/ca/layout.ts';
import { alternativeNamesOf, constraintsOf } from '../../../src/control/ca/read-extensions.ts';
import { FakeClock, facts, temporaryFolders } from './ca-fixture.ts';

describe('initCa', () => {
  it('makes two roots offline and the server’s half online, each file with its mode', async (t) => {
    const folders = await temporaryFolders(t);
    const files = await init(folders);
    const expected: [string, number][] = [
      [folders.online, 0o700],
      [folders.offline, 0o700],
      ...['console-root', 'fleet-ca'].flatMap((name): [string, number][] => [
        [join(folders.offline, `${name}.key`), 0o600],
        [join(folders.offline, `${name}.crt`), 0o644],
        [join(folders.online, `${name}.crt`), 0o644],
      ]),
      ...['console-intermediate', 'server'].flatMap((name): [string, number][] => [
        [join(folders.online, `${name}.key`), 0o600],
        [join(folders.online, `${name}.crt`), 0o644],
      ]),
    ];
    for (const [path, mode] of expected) assert.equal((await stat(path)).mode & 0o777, mode, path);
    assert.deepEqual(files.map(({ path }) => path).sort(), expected.slice(2).map(([path]) => path).sort()); // prettier-ignore
    assert.ok(files.every(({ act }) => act === 'made'));
    assert.deepEqual(await realDisk.list(folders.online), expected.slice(2).map(([path]) => path).filter((path) => dirname(path) === folders.online).map((path) => path.slice(folders.online.length + 1)).sort()); // prettier-ignore
  });

  it('puts the policy into the certificates: hosts as constraints, names of the server, the fleet', async (t) => {
    const folders = await temporaryFolders(t);
    await init(folders);
    const { consoleIntermediate, server, fleetCa } = onlineFiles(folders.online);
    assert.deepEqual(constraintsOf(await certificate(consoleIntermediate.certificate)), {
      hosts: ['console.aws.example', 'signin.aws.example'],
      addresses: [],
    });
    assert.deepEqual(alternativeNamesOf(await certificate(server.certificate)), [
      'dns:sekisho.corp.example',
      'dns:sekisho.internal',
      'ip:127.0.0.1',
      'ip:::1',
    ]);
    assert.match((await certificate(fleetCa.certificate)).subject, /^OU=tokyo$/m);
  });

  it('changes not a byte when it runs again', async (t) => {
    const folders = await temporaryFolders(t);
    const before = await contents(await init(folders));
    const again = await init(folders);
    assert.ok(again.every(({ act, note }) => act === 'kept' && note === undefined));
    assert.deepEqual(await contents(again), before);
  });

  it('needs no root key on the server while nothing has to be signed', async (t) => {
    const folders = await initialised(t, 'offline is elsewhere');
    const files = await init(folders);
    assert.ok(files.every(({ act }) => act === 'kept'));
    assert.equal(await realDisk.stat(offlineFiles(folders.offline).consoleRoot.key), undefined);
  });

  for (const [what, change] of [
    ['a new host', { hosts: [...facts.hosts, 'new.example'] }],
    ['a host that left', { hosts: facts.hosts.slice(1) }],
    ['an address', { addresses: ['10.0.0.1'] }],
  ] as const) {
    it(`signs the intermediate again, with its old key, for ${what} in the policy`, async (t) => {
      const folders = await temporaryFolders(t);
      const before = await contents(await init(folders));
      const files = await init(folders, { ...facts, ...change });
      const { certificate: path } = onlineFiles(folders.online).consoleIntermediate;
      assert.deepEqual(changed(before, await contents(files)), [path]);
      assert.deepEqual(reissued(files), [path]);
    });

    it(`says that it lacks the root’s key for ${what} in the policy, and touches nothing`, async (t) => {
      const folders = await initialised(t, 'offline is elsewhere');
      const before = await contents(await init(folders));
      await assert.rejects(init(folders, { ...facts, ...change }), { code: 'ca_missing' });
      assert.deepEqual(await contents(await init(folders)), before);
    });
  }

  it('signs the server certificate again for another name of the server', async (t) => {
    const folders = await temporaryFolders(t);
    await init(folders);
    const files = await init(folders, { ...facts, serverHosts: ['other.example'] });
    assert.deepEqual(reissued(files), [onlineFiles(folders.online).server.certificate]);
  });

  it('renews what has less than a third of its life left, and only says so where the root’s key is not', async (t) => {
    const folders = await temporaryFolders(t);
    const clock = new FakeClock();
    await init(folders, facts, clock);
    const { consoleIntermediate, server } = onlineFiles(folders.online);
    clock.advanceDays(240);
    assert.deepEqual(reissued(await init(folders, facts, clock)), []);
    clock.advanceDays(10);

    const away = join(dirname(folders.offline), 'away');
    await rename(folders.offline, away);
    const noted = (await init(folders, facts, clock)).filter(({ note }) => note !== undefined);
    assert.deepEqual(
      new Set(noted.map(({ path }) => path)),
      new Set([consoleIntermediate.certificate, server.certificate]),
    );

    const files = await init({ ...folders, offline: away }, facts, clock);
    assert.deepEqual(reissued(files), [consoleIntermediate.certificate, server.certificate]);
  });

  it('makes a new key only where the old one was taken away', async (t) => {
    const folders = await temporaryFolders(t);
    const before = await contents(await init(folders));
    const { consoleIntermediate } = onlineFiles(folders.online);
    await rm(consoleIntermediate.key);
    const files = await init(folders);
    assert.deepEqual(changed(before, await contents(files)), [
      consoleIntermediate.certificate,
      consoleIntermediate.key,
    ]);
  });

  it('completes what a crash left at any file', async (t) => {
    const whole = await temporaryFolders(t);
    const order = (await init(whole)).map(({ path }) => path);
    for (let count = 0; count < order.length; count++) {
      const folders = await temporaryFolders(t);
      for (const path of order.slice(0, count)) {
        const copy = path.replace(dirname(whole.online), dirname(folders.online));
        await mkdir(dirname(copy), { recursive: true });
        await writeFile(copy, await readFile(path), { mode: 0o600 });
      }
      const files = await init(folders);
      assert.equal(files.filter(({ act }) => act === 'kept').length, count, `after ${count} files`);
      assert.ok((await init(folders)).every(({ act }) => act === 'kept'));
    }
  });

  it('refuses files that contradict each other or the policy', async (t) => {
    const other = await temporaryFolders(t);
    await init(other);
    const foreign = { online: onlineFiles(other.online), offline: offlineFiles(other.offline) };
    const faults: [string, (folders: CaFolders) => Promise<void>][] = [
      ['another root published', (f) => copy(foreign.online.consoleRoot.certificate, onlineFiles(f.online).consoleRoot.certificate)], // prettier-ignore
      ['another root key', (f) => copy(foreign.offline.fleetCa.key, offlineFiles(f.offline).fleetCa.key)],
      ['a root that is no PEM', (f) => writeFile(offlineFiles(f.offline).fleetCa.certificate, 'nonsense')],
      ['a key that is no PEM', (f) => writeFile(onlineFiles(f.online).server.key, 'nonsense')],
    ];
    for (const [what, fault] of faults) {
      const folders = await temporaryFolders(t);
      await init(folders);
      await fault(folders);
      await assert.rejects(init(folders), { code: 'ca_invalid' }, what);
    }
    await assert.rejects(init(other, { ...facts, fleet: 'osaka' }), { code: 'ca_invalid' });
    const clock = new FakeClock();
    clock.advanceDays(3651);
    await assert.rejects(init(other, facts, clock), { code: 'ca_invalid' });
  });

  it('signs the intermediate again when it is another root’s, and never quotes a key', async (t) => {
    const folders = await temporaryFolders(t);
    const other = await temporaryFolders(t);
    await init(folders);
    await init(other);
    const { consoleIntermediate } = onlineFiles(folders.online);
    await copy(onlineFiles(other.online).consoleIntermediate.certificate, consoleIntermediate.certificate);
    assert.deepEqual(reissued(await init(folders)), [consoleIntermediate.certificate]);

    const secret = keyPem(await newKey()).replace('PRIVATE KEY', 'SECRET KEY');
    await writeFile(consoleIntermediate.key, secret);
    await assert.rejects(init(folders), (error) => {
      assert.ok(error instanceof Error);
      return !JSON.stringify([error.message, error.stack, error.cause]).includes(secret.slice(40, 60));
    });
  });

  it('refuses names that no certificate can carry before it makes anything', async (t) => {
    const folders = await temporaryFolders(t);
    await assert.rejects(init(folders, { ...facts, fleet: 'To kyo' }), { code: 'usage' });
    await assert.rejects(init(folders, { ...facts, hosts: [] }), { code: 'ca_invalid' });
    assert.equal(await realDisk.stat(folders.online), undefined);
  });

  it('takes turns: of two at once, one works or both agree', async (t) => {
    const folders = await temporaryFolders(t);
    const outcomes = await Promise.allSettled([init(folders), init(folders)]);
    assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
    assert.ok((await init(folders)).every(({ act }) => act === 'kept'));
  });
});

function init(folders: CaFolders, policy: CaFacts = facts, clock = new FakeClock()): Promise<FileReport[]> {
  return initCa(folders, policy, realDisk, clock);
}

/** Both CAs made, and then the offline folder taken away. */
async function initialised(t: Parameters<typeof temporaryFolders>[0], away: string): Promise<CaFolders> {
  const folders = await temporaryFolders(t);
  await init(folders);
  await rename(folders.offline, join(dirname(folders.offline), away));
  return folders;
}

async function contents(files: readonly FileReport[]): Promise<Map<string, string>> {
  return new Map(await Promise.all(files.map(async ({ path }) => [path, await readFile(path, 'utf8')] as const)));
}

function changed(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) => path).sort(); // prettier-ignore
}

function reissued(files: readonly FileReport[]): string[] {
  return files.filter(({ act }) => act === 'reissued').map(({ path }) => path);
}

async function certificate(path: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(path));
}

async function copy(from: string, to: string): Promise<void> {
  await writeFile(to, await readFile(from));
}
