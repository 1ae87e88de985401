import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Identity, identityOf } from '../../../src/control/ca/identity.ts';
import { issueClientCertificate, issueServerCertificate } from '../../../src/control/ca/issue.ts';
import { keyPem, newKey } from '../../../src/control/ca/key.ts';
import { type Credential, signCertificate } from '../../../src/control/ca/sign.ts';
import { consoleChain, fleetCa, stolenLeaf } from './ca-fixture.ts';
import { handshake } from './handshake.ts';

const unknownIssuer = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';

/** Dials 127.0.0.1 without a name, so that the address itself must be in the certificate. */
const byAddress = '127.0.0.1';

const ca = await fleetCa();
const server = await serverOf(ca);
const node = await clientOf(ca, { fleet: 'tokyo', role: 'node', name: 'egress-1' });

describe('mutual TLS under the fleet CA', () => {
  it('lets server and node trust each other, and the server knows which node it is', async () => {
    const { refusedByClient, refusedByServer, clientNames } = await meet(server, node);
    assert.deepEqual([refusedByClient, refusedByServer], [undefined, undefined]);
    assert.deepEqual(identityOf(clientNames, 'tokyo'), { fleet: 'tokyo', role: 'node', name: 'egress-1' });
  });

  it('lets a node dial the server by any of its names and addresses', async () => {
    for (const servername of ['sekisho.internal', 'sekisho.corp.example', byAddress]) {
      const { refusedByClient } = await meet(server, node, servername);
      assert.equal(refusedByClient, undefined, servername);
    }
    assert.equal((await meet(server, node, 'other.example')).refusedByClient, 'ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('refuses a node certificate in the place of the server', async () => {
    const named = await signedBy(ca, 'client', 'sekisho.internal');
    assert.equal((await meet(named, node)).refusedByClient, 'INVALID_PURPOSE');
  });

  it('refuses the server certificate in the place of a node', async () => {
    assert.equal((await meet(server, server)).refusedByServer, 'INVALID_PURPOSE');
  });

  it('refuses a node of another fleet', async () => {
    const stranger = await clientOf(await fleetCa(), { fleet: 'tokyo', role: 'node', name: 'egress-1' });
    assert.equal((await meet(server, stranger)).refusedByServer, unknownIssuer);
  });

  it('refuses a certificate of the console CA, whatever it says it is for', async () => {
    const { intermediate } = await consoleChain(['sekisho.internal']);
    const asServer = await stolenLeaf(intermediate, ['sekisho.internal']);
    assert.equal(
      (await meet(asServer, node, 'sekisho.internal', [intermediate])).refusedByClient,
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    );
    for (const usage of ['client', 'server'] as const) {
      const asNode = await signedBy(intermediate, usage, 'sekisho.internal');
      assert.equal((await meet(server, asNode)).refusedByServer, unknownIssuer, usage);
    }
  });

  it('refuses a client certificate of the console CA even where the console root is trusted', async () => {
    const { root, intermediate } = await consoleChain();
    const asNode = await signedBy(intermediate, 'client', 'signin.aws.example');
    const { refusedByServer } = await handshake(
      { ...files([server]), ca: pem([root, intermediate]), requestCert: true },
      { ...files([asNode, intermediate]), ca: pem([ca]), servername: 'sekisho.internal' },
    );
    assert.equal(refusedByServer, 'INVALID_PURPOSE');
  });
});

/** The named server and client meet, each trusting the fleet CA and nothing else. */
function meet(
  shown: Credential,
  client: Credential,
  servername = 'sekisho.internal',
  below: readonly Credential[] = [],
) {
  return handshake(
    { ...files([shown, ...below]), ca: pem([ca]), requestCert: true },
    { ...files([client]), ca: pem([ca]), ...(servername === byAddress ? {} : { servername }) },
  );
}

async function serverOf(root: Credential): Promise<Credential> {
  const key = await newKey();
  const names = { hosts: ['sekisho.corp.example'], addresses: ['127.0.0.1'] };
  return { key, certificate: await issueServerCertificate({ key, ...names }, root, new Date()) };
}

async function clientOf(root: Credential, identity: Identity): Promise<Credential> {
  const key = await newKey();
  return { key, certificate: await issueClientCertificate(identity, key, root, new Date()) };
}

async function signedBy(issuer: Credential, usage: 'client' | 'server', name: string): Promise<Credential> {
  const key = await newKey();
  const [notBefore, notAfter] = [new Date(Date.now() - 60_000), new Date(Date.now() + 3_600_000)];
  const names = [{ type: 'dns', value: name } as const];
  return {
    key,
    certificate: await signCertificate(
      { key, subject: { commonName: 'forged' }, notBefore, notAfter, usage, names },
      issuer,
    ),
  };
}

function files(chain: readonly [Credential, ...Credential[]]): { cert: string; key: string } {
  return { cert: pem(chain), key: keyPem(chain[0].key) };
}

function pem(chain: readonly Credential[]): string {
  return chain.map(({ certificate }) => certificate.toString()).join('');
}
