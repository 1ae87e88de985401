import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { keyPem, newKey } from '../../../src/control/ca/key.ts';
import { type CertificateTemplate, type Credential, signCertificate } from '../../../src/control/ca/sign.ts';
import { consoleChain, fleetCa, stolenLeaf } from './ca-fixture.ts';
import { handshake } from './handshake.ts';

const host = 'signin.aws.example';
const { root, intermediate } = await consoleChain();

/** What someone with the intermediate's key can make, and what a client that trusts the root says to it. */
const cases: { what: string; servername: string; chain: readonly Credential[]; tls?: string; openssl?: string }[] = [
  { what: 'a leaf for a host of the policy', servername: host, chain: await leaf([host]) },
  {
    what: 'a wildcard leaf at its real depth',
    servername: 'us-east-1.console.aws.example',
    chain: await leaf([host, '*.console.aws.example']),
  },
  {
    what: 'a leaf for a host outside the constraints',
    servername: 'evil.example',
    chain: await leaf(['evil.example']),
    tls: 'permitted subtree violation',
  },
  {
    what: 'a leaf for a permitted host and one more',
    servername: host,
    chain: await leaf([host, 'evil.example']),
    tls: 'permitted subtree violation',
  },
  {
    what: 'a leaf for the domain above a permitted host',
    servername: 'aws.example',
    chain: await leaf(['aws.example']),
    tls: 'permitted subtree violation',
  },
  {
    what: 'a leaf for a host that only ends alike',
    servername: `evil-${host}`,
    chain: await leaf([`evil-${host}`]),
    tls: 'permitted subtree violation',
  },
  {
    what: 'a leaf for an IPv4 address',
    servername: host,
    chain: await leaf([host], ['127.0.0.1']),
    tls: 'excluded subtree violation',
  },
  {
    what: 'a leaf for an IPv6 address',
    servername: host,
    chain: await leaf([host], ['::1']),
    tls: 'excluded subtree violation',
  },
  {
    what: 'a leaf that names the host in its subject alone',
    servername: 'evil.example',
    chain: [await forged({ subject: { commonName: 'evil.example' }, usage: 'server' }), intermediate],
    tls: 'permitted subtree violation',
  },
  {
    what: 'a leaf from a CA below the intermediate',
    servername: host,
    chain: await belowAnotherCa(),
    tls: 'PATH_LENGTH_EXCEEDED',
    openssl: 'path length constraint exceeded',
  },
  {
    what: 'a client certificate shown by a server',
    servername: host,
    chain: [await forged({ usage: 'client', names: [{ type: 'dns', value: host }] }), intermediate],
    tls: 'INVALID_PURPOSE',
    openssl: 'certificate purpose',
  },
  {
    what: 'a leaf of the fleet CA',
    servername: host,
    chain: [await stolenLeaf(await fleetCa(), [host])],
    tls: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    openssl: 'unable to get local issuer certificate',
  },
];

describe('a client that trusts the console root', () => {
  for (const { what, servername, chain, tls } of cases) {
    it(`${tls === undefined ? 'accepts' : 'refuses'} ${what}, in a TLS handshake`, async () => {
      const { refusedByClient } = await handshake(
        { cert: pem(chain), key: keyPem(first(chain).key) },
        { servername, ca: pem([root]) },
      );
      assert.equal(refusedByClient, tls);
    });

    it(`${tls === undefined ? 'accepts' : 'refuses'} ${what}, by openssl verify`, async (t) => {
      if (!(await hasOpenssl())) {
        t.skip('openssl is not installed: its verdict was not asked for');
        return;
      }
      const expected = cases.find((entry) => entry.what === what)?.openssl ?? tls;
      assert.match(await opensslVerify(servername, chain), new RegExp(expected ?? ': OK'));
    });
  }

  it('accepts the other host and the address from an intermediate that permits them, so the constraints alone refuse', async () => {
    const wide = await consoleChain(['evil.example'], ['127.0.0.1']);
    const other = await stolenLeaf(wide.intermediate, ['evil.example'], ['127.0.0.1']);
    const server = { cert: pem([other, wide.intermediate]), key: keyPem(other.key) };
    const ca = pem([wide.root]);
    assert.equal((await handshake(server, { servername: 'evil.example', ca })).refusedByClient, undefined);
    assert.equal((await handshake(server, { ca })).refusedByClient, undefined, 'dialled as 127.0.0.1');
  });

  it('refuses an address outside the constraints also when some address is inside', async () => {
    const wide = await consoleChain([host], ['127.0.0.1']);
    for (const address of ['127.0.0.2', '::1']) {
      const other = await stolenLeaf(wide.intermediate, [host], [address]);
      const server = { cert: pem([other, wide.intermediate]), key: keyPem(other.key) };
      const { refusedByClient } = await handshake(server, { servername: host, ca: pem([wide.root]) });
      assert.equal(refusedByClient, 'permitted subtree violation', address);
    }
  });
});

async function leaf(hosts: readonly string[], addresses: readonly string[] = []): Promise<Credential[]> {
  return [await stolenLeaf(intermediate, hosts, addresses), intermediate];
}

async function belowAnotherCa(): Promise<Credential[]> {
  const between = await forged({ subject: { commonName: 'between' }, ca: { pathLength: 0 } });
  return [await stolenLeaf(between, [host]), between, intermediate];
}

async function forged(template: Partial<CertificateTemplate>): Promise<Credential> {
  const key = await newKey();
  const now = Date.now();
  const [notBefore, notAfter] = [new Date(now - 60_000), new Date(now + 3_600_000)];
  const subject = { commonName: 'forged' };
  return { key, certificate: await signCertificate({ key, subject, notBefore, notAfter, ...template }, intermediate) };
}

async function opensslVerify(servername: string, chain: readonly Credential[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-verify-'));
  try {
    const [rootFile, chainFile, leafFile] = ['root.crt', 'chain.crt', 'leaf.crt'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(rootFile, pem([root]));
    await writeFile(chainFile, pem(chain.length > 1 ? chain.slice(1) : [root]));
    await writeFile(leafFile, pem([first(chain)]));
    const args = [
      '-purpose',
      'sslserver',
      '-verify_hostname',
      servername,
      '-CAfile',
      rootFile,
      '-untrusted',
      chainFile,
    ];
    const { stdout, stderr } = await promisify(execFile)('openssl', ['verify', ...args, leafFile]).catch(
      (caught: unknown) => caught as { stdout: string; stderr: string },
    );
    return stdout + stderr;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function hasOpenssl(): Promise<boolean> {
  return promisify(execFile)('openssl', ['version']).then(
    () => true,
    () => false,
  );
}

function pem(chain: readonly Credential[]): string {
  return chain.map(({ certificate }) => certificate.toString()).join('');
}

function first([credential]: readonly Credential[]): Credential {
  assert.ok(credential);
  return credential;
}
