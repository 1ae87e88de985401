import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { identityOf } from '../../../src/control/ca/identity.ts';
import { makeHome } from '../../support/serve.ts';

test('sekisho ca reader makes the folder that a program needs which asks for records', async (t) => {
  const home = await makeHome(t);
  const reader = (name: string) =>
    spawnSync(
      process.execPath,
      [
        'dist/main.js',
        'ca',
        'reader',
        name,
        '-c',
        home.config,
        '--pki',
        home.pki.online,
        '--offline',
        join(home.folder, 'offline'),
      ],
      { encoding: 'utf8' },
    );
  const made = reader('audit');
  assert.equal(made.status, 0, made.stderr);
  const folder = join(home.pki.online, 'readers', 'audit');
  for (const file of ['reader.key', 'reader.crt', 'fleet-ca.crt'])
    assert.ok(made.stdout.includes(join(folder, file)), file);
  const certificate = new X509Certificate(await readFile(join(folder, 'reader.crt')));
  assert.deepEqual(identityOf(certificate.subjectAltName, 'tokyo'), { fleet: 'tokyo', role: 'reader', name: 'audit' });
  assert.match(reader('audit').stdout, /kept/);
  assert.equal(reader('Not A Name').status, 2);
});
