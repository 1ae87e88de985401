import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { bootstrap } from '../../../src/control/resources/bootstrap.ts';
import { checkReferences } from '../../../src/control/resources/references.ts';
import { encodeAny } from '../../../src/wire/proto-json.ts';
import { findEnvoy } from '../../support/envoy.ts';
import { policy } from '../../support/policies.ts';
import { staticConfig } from '../../../src/control/resources/static-config.ts';
import { namedPems, shapes } from './shapes.ts';

const golden = new URL('../../golden/resources/', import.meta.url).pathname;
let folder = '';
let envoy = '';

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sekisho-golden-'));
  envoy = (await findEnvoy()).path;
  const name = { key: path.join(folder, 'node.key'), crt: path.join(folder, 'node.crt') };
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', [...args, '-subj', '/CN=golden', '-keyout', name.key, '-out', name.crt], { stdio: 'ignore' });
  writeFileSync(path.join(folder, 'fleet-ca.crt'), readFileSync(name.crt));
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

for (const [name, shape] of Object.entries(shapes)) {
  test(`the resources of ${name} are the ones in the golden file`, () => {
    const file = path.join(golden, `${name}.json`);
    const text = `${JSON.stringify(shape(namedPems), null, 2)}\n`;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    assert.equal(text, readFileSync(file, 'utf8'));
  });

  test(`the resources of ${name} refer to nothing that is missing, and every field has its place on the wire`, () => {
    const resources = shape(namedPems);
    checkReferences(resources);
    for (const resource of resources) assert.ok(encodeAny(resource).length > 0);
  });

  test(`a real Envoy accepts the resources of ${name}`, () => {
    const pems = {
      certificate: readFileSync(path.join(folder, 'node.crt'), 'utf8'),
      key: readFileSync(path.join(folder, 'node.key'), 'utf8'),
    };
    const start = bootstrap(policy(), 'egress-1', { pki: folder, admin: { host: '127.0.0.1', port: 9901 } });
    const file = path.join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(staticConfig(shape(pems), start)));
    execFileSync(envoy, ['--mode', 'validate', '-c', file], { stdio: 'pipe' });
  });
}

test('no golden file is left over from a shape that is gone', () => {
  assert.deepEqual(
    readdirSync(golden).sort(),
    Object.keys(shapes)
      .map((name) => `${name}.json`)
      .sort(),
  );
});
