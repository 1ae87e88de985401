import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { it, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../src/base/temporary-folder.ts';
import { readPolicy } from '../../../src/edge/cli/read-policy.ts';
import { peopleCertificates } from '../../../src/edge/demo/people.ts';
import { consoleCertificate, prepareScene } from '../../../src/edge/demo/scene.ts';

const ports = { grpc: 1, admin: 2, public: 3, office: 4, lab: 5 };

it('writes a policy without a problem, which leads every host to the stand-in and nowhere else', async (t) => {
  const dir = await folder(t);
  const certificate = await consoleCertificate(dir);
  const scene = await prepareScene(dir, ports, { port: 4711, certificate }, 'stream');
  const loaded = await readPolicy(scene.policyFile);
  assert.ok('policy' in loaded);
  const { console, doors, server } = loaded.policy;
  assert.ok(console.pins.length > 0);
  for (const pin of console.pins) {
    assert.deepEqual(pin.endpoints.map((one) => `${one.host}:${one.port}`), ['127.0.0.1:4711']); // prettier-ignore
  }
  assert.ok([...doors.map(({ listen }) => listen), server.grpc.listen, server.admin, server.public].every(({ host }) => host === '127.0.0.1')); // prettier-ignore
  assert.deepEqual(doors.map(({ name, tls, users }) => [name, tls, users.kind]), [['office', true, 'certificate'], ['lab', false, 'none']]); // prettier-ignore
});

it('gives the stand-in a certificate for the hosts of the console, by an authority that is not the fleet’s', async (t) => {
  const dir = await folder(t);
  const { cert, root } = await consoleCertificate(dir);
  const leaf = new X509Certificate(cert);
  for (const host of ['us-east-1.console.aws.amazon.com', 'us-east-1.signin.aws.amazon.com']) {
    assert.ok(leaf.checkHost(host) !== undefined, host);
  }
  assert.ok(root.startsWith(`${dir}/stand-in/`));
});

it('makes a person whom openssl takes for a client and not for a server, with a key for the owner alone', async (t) => {
  const person = await peopleCertificates(`${await folder(t)}/people`, 'hanako');
  const verify = (purpose: string) =>
    execFileSync('openssl', ['verify', '-purpose', purpose, '-CAfile', person.authority, person.certificate], {
      stdio: 'pipe',
    }).toString();
  assert.match(verify('sslclient'), /: OK/);
  assert.throws(() => verify('sslserver'));
  assert.match(new X509Certificate(readFileSync(person.certificate)).subject, /CN=hanako/);
  assert.equal(statSync(person.key).mode & 0o777, 0o600);
});

async function folder(t: TestContext): Promise<string> {
  const made = await temporaryFolder('sekisho-scene-');
  t.after(() => made.remove());
  return made.path;
}
