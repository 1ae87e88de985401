import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { realDisk } from '../../src/base/disk.ts';
import { initCa } from '../../src/control/ca/init-ca.ts';
import { keyPem } from '../../src/control/ca/key.ts';
import { onlineFiles } from '../../src/control/ca/layout.ts';
import type { Credential } from '../../src/control/ca/sign.ts';
import { consoleChain, stolenLeaf } from '../control/ca/ca-fixture.ts';
import { openBrowser, skipBrowser } from '../support/browser.ts';

const permitted = 'us-east-1.console.aws.amazon.com';
const policyHosts = ['signin.aws.amazon.com', '*.console.aws.amazon.com'];

/** Hosts that no policy here names, and what a thief of the intermediate's key may try with them. */
const forbidden: [what: string, host: string, names: readonly string[]][] = [
  ['another site', 'www.example.com', ['www.example.com']],
  ['another site beside a permitted host', 'www.example.com', [permitted, 'www.example.com']],
  ['a permitted host beside another site', permitted, [permitted, 'www.example.com']],
  ['the domain above the permitted ones', 'aws.amazon.com', ['aws.amazon.com']],
];

describe('with the key of a stolen console intermediate', { skip: skipBrowser }, () => {
  for (const [what, host, names] of forbidden) {
    it(`${what} cannot be shown to a real Chromium that trusts the root`, async (t) => {
      const { rootFile, intermediate } = await companyCa(t);
      const url = await site(t, host, [await stolenLeaf(intermediate, names), intermediate]);
      assert.match(await visit(t, rootFile, url), /ERR_CERT_INVALID/);
    });

    it(`${what} cannot be shown to curl that trusts the root`, async (t) => {
      const { rootFile, intermediate } = await companyCa(t);
      const url = await site(t, host, [await stolenLeaf(intermediate, names), intermediate]);
      assert.match(await curl(rootFile, url), /permitted subtree violation/);
    });
  }

  it('a host of the policy is shown to both, so that the constraints alone refuse', async (t) => {
    const { rootFile, intermediate } = await companyCa(t);
    const url = await site(t, permitted, [await stolenLeaf(intermediate, [permitted]), intermediate]);
    assert.equal(await visit(t, rootFile, url), `shown: ${permitted}`);
    assert.match(await curl(rootFile, url), /<title>us-east-1.console.aws.amazon.com<\/title>/);
  });

  it('the other site is shown to both where the constraints permit it', async (t) => {
    const { root, intermediate } = await consoleChain(['www.example.com']);
    const rootFile = join(await temporary(t), 'root.crt');
    await writeFile(rootFile, root.certificate.toString());
    const url = await site(t, 'www.example.com', [await stolenLeaf(intermediate, ['www.example.com']), intermediate]);
    assert.equal(await visit(t, rootFile, url), 'shown: www.example.com');
    assert.match(await curl(rootFile, url), /<title>www.example.com<\/title>/);
  });

  it('nothing is shown to a Chromium that does not trust the root', async (t) => {
    const { intermediate } = await companyCa(t);
    const url = await site(t, permitted, [await stolenLeaf(intermediate, [permitted]), intermediate]);
    assert.match(await visit(t, undefined, url), /ERR_CERT_AUTHORITY_INVALID/);
  });
});

/** The console CA as `sekisho ca init` leaves it; the intermediate with its key, read from where the server has it. */
async function companyCa(t: TestContext): Promise<{ rootFile: string; intermediate: Credential }> {
  const folder = await temporary(t);
  const online = join(folder, 'pki');
  const facts = { fleet: 'tokyo', hosts: policyHosts, addresses: [], serverHosts: [], serverAddresses: [] };
  await initCa({ online, offline: join(folder, 'offline') }, facts, realDisk, systemClock);
  const { consoleRoot, consoleIntermediate } = onlineFiles(online);
  return {
    rootFile: consoleRoot.certificate,
    intermediate: {
      certificate: new X509Certificate(await readFile(consoleIntermediate.certificate)),
      key: createPrivateKey(await readFile(consoleIntermediate.key)),
    },
  };
}

/** A site on loopback that shows its host's name; the address under which it is to be visited. */
async function site(t: TestContext, host: string, chain: readonly [Credential, ...Credential[]]): Promise<string> {
  const cert = chain.map(({ certificate }) => certificate.toString()).join('');
  const server = createServer({ cert, key: keyPem(chain[0].key) }, (_request, response) => {
    response.setHeader('content-type', 'text/html').end(`<title>${host}</title>`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://${host}:${(server.address() as AddressInfo).port}/`;
}

/** What a browser makes of an address: the title that it shows, or why it shows none. */
async function visit(t: TestContext, trusted: string | undefined, url: string): Promise<string> {
  const args = ['--host-resolver-rules=MAP * 127.0.0.1', '--no-proxy-server'];
  const browser = await openBrowser(t, { args, ...(trusted !== undefined && { trusted }) });
  const page = await browser.newPage();
  return page.goto(url).then(
    async () => `shown: ${await page.title()}`,
    (error: unknown) => String(error),
  );
}

/** The page as curl gets it, or what it says instead. */
async function curl(trusted: string, url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const args = ['-sS', '--noproxy', '*', '--cacert', trusted, '--resolve', `${hostname}:${port}:127.0.0.1`, url];
  return promisify(execFile)('curl', args).then(
    ({ stdout }) => stdout,
    (error: unknown) => String(error),
  );
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
