import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isNewEnough, oldestVersion, pinnedVersion, versionIn } from '../../../src/edge/envoy/envoy-version.ts';
import { envoyAtHand } from '../../../src/edge/envoy/find-envoy.ts';
import { installEnvoy, installedPath } from '../../../src/edge/envoy/install-envoy.ts';
import { findEnvoy } from '../../support/envoy.ts';

test('SEKISHO_ENVOY is the Envoy, whatever else is there', async (t) => {
  const { path, version } = await findEnvoy();
  const folder = await temporary(t);
  const found = await envoyAtHand({ env: { SEKISHO_ENVOY: path, PATH: '/nonexistent' }, folder });
  assert.deepEqual(found, { path, version });
});

test('an Envoy on the PATH is found', async (t) => {
  const folder = await temporary(t);
  await symlink((await findEnvoy()).path, join(folder, 'envoy'));
  const found = await envoyAtHand({ env: { PATH: `/nonexistent:${folder}` }, folder: join(folder, 'none') });
  assert.equal(found?.path, join(folder, 'envoy'));
});

test('an Envoy on the PATH that is too old, or no Envoy, is passed over for the installed one', async (t) => {
  const folder = await temporary(t);
  await program(join(folder, 'old', 'envoy'), `echo 'envoy  version: 0123abcd/1.39.3/Clean/RELEASE/BoringSSL'`);
  await program(join(folder, 'other', 'envoy'), 'echo a messenger');
  const installed = installedPath(join(folder, '.envoy'));
  await program(installed, `echo 'envoy  version: 0123abcd/1.40.0/Clean/RELEASE/BoringSSL'`);
  const env = { PATH: `${join(folder, 'old')}:${join(folder, 'other')}` };
  assert.deepEqual(await envoyAtHand({ env, folder: join(folder, '.envoy') }), { path: installed, version: '1.40.0' });
});

test('nothing at hand is no error', async (t) => {
  assert.equal(await envoyAtHand({ env: { PATH: '' }, folder: await temporary(t) }), undefined);
});

test('SEKISHO_ENVOY that is too old, or not there, is an error and not passed over', async (t) => {
  const old = join(await temporary(t), 'old-envoy');
  await program(old, `echo 'envoy  version: 0123abcd/1.39.3/Clean/RELEASE/BoringSSL'`);
  for (const path of [old, '/nonexistent/envoy']) {
    await assert.rejects(envoyAtHand({ env: { SEKISHO_ENVOY: path } }), { code: 'envoy_missing' });
  }
});

test('two installations at once both leave a whole Envoy and nothing else', async (t) => {
  const folder = await temporary(t);
  const lines: string[] = [];
  const install = () => installEnvoy({ folder, progress: (line) => lines.push(line) });
  assert.deepEqual(await Promise.all([install(), install()]), [installedPath(folder), installedPath(folder)]);
  assert.equal((await envoyAtHand({ env: {}, folder }))?.version, pinnedVersion);
  assert.deepEqual(await readdir(folder), [pinnedVersion]);
  assert.equal(lines.length, 2);
});

test('what is missing for an installation is named', async (t) => {
  const folder = await temporary(t);
  const noPip = join(folder, 'python-without-pip');
  await program(noPip, 'echo No module named pip >&2; exit 1');
  const cases: [RegExp, Parameters<typeof installEnvoy>[0]][] = [
    [/darwin-arm64/, { folder, platform: 'darwin-arm64' }],
    [/Python 3/, { folder, python: '/nonexistent/python3' }],
    [/python3-pip/, { folder, python: noPip }],
  ];
  for (const [named, options] of cases) {
    await assert.rejects(installEnvoy(options), (caught: Error & { code: string }) => {
      assert.equal(caught.code, 'envoy_missing');
      assert.match(caught.message, named);
      return true;
    });
  }
});

test('a failed installation leaves nothing behind and says what pip said', async (t) => {
  const folder = await temporary(t);
  const python = join(folder, 'python');
  await program(
    python,
    `case "$*" in *--version*) ;; *install*) echo 'No matching distribution' >&2; exit 1;; *) rm -r "$3";; esac`,
  );
  const place = join(folder, '.envoy');
  await assert.rejects(installEnvoy({ folder: place, python, progress: () => undefined }), (caught: Error) => {
    assert.match(caught.message, /No matching distribution/);
    return true;
  });
  assert.deepEqual(await readdir(place), []);
});

test('versions are read from what Envoy prints, and compared by number', () => {
  assert.equal(versionIn('envoy  version: 9e558093/1.40.0/Clean/RELEASE/BoringSSL'), '1.40.0');
  assert.equal(versionIn('version 1.40.0'), undefined);
  const cases: [string, boolean][] = [
    ['1.40.0', true],
    ['1.41.2', true],
    ['2.0.0', true],
    ['1.100.0', true],
    ['1.39.9', false],
    ['1.4.0', false],
    ['0.99.0', false],
  ];
  for (const [version, expected] of cases) assert.equal(isNewEnough(version), expected, version);
  assert.ok(isNewEnough(pinnedVersion) && pinnedVersion.startsWith(oldestVersion));
});

async function program(path: string, body: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
