import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { Stage } from '../../src/edge/demo/stage.ts';
import { openBrowser, skipBrowser, throughPac, throughProxy } from '../support/browser.ts';
import { eventually } from '../support/envoy.ts';
import { browserOf, doorAt, openStage, person, publicAddress, recordsOf } from './stage.ts';

const consoleHost = 'us-east-1.console.aws.amazon.com';
const refusedHost = 'files.example.com';

describe('a real Chromium', { skip: skipBrowser }, () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());

  it('does not load a host off the list through a proxy, and the refusal is on record', async (t) => {
    const browser = await browserOf(t, stage, { args: throughProxy(`http://${doorAt(stage, 'lab')}`) });
    const page = await browser.newPage();
    await assert.rejects(page.goto(`https://${refusedHost}/`), /ERR_TUNNEL_CONNECTION_FAILED/);
    // A page of its own: in the other one the browser still shows why it failed.
    const other = await browser.newPage();
    const plain = await other.goto(`http://${refusedHost}/`);
    assert.equal(plain?.status(), 403);
    assert.match(await other.innerText('body'), /only HTTPS to the hosts on its list[^]*tell the people who run/);
    await eventually('both refusals are on record', async () => {
      const refused = (await recordsOf(stage)).filter(
        (record) => record['server.address'] === refusedHost && record['sekisho.denied.reason'] === 'host',
      );
      const methods = refused.map((record) => record['http.request.method']);
      return methods.includes('CONNECT') && methods.includes('GET');
    });
  });

  it('passes the doors by for a host off the list by the PAC file', async (t) => {
    const options = { args: throughPac(`${publicAddress(stage)}/proxy.pac`), person: person(stage) };
    const browser = await browserOf(t, stage, options);
    const page = await browser.newPage();
    // No name is to be found here: the browser asked for one itself, which it leaves to a proxy.
    await assert.rejects(page.goto('https://direct.example.com/'), /ERR_NAME_NOT_RESOLVED/);
    const records = await recordsOf(stage);
    assert.ok(!records.some((record) => record['server.address'] === 'direct.example.com'));
  });

  it('gets nothing through a door that wants a client certificate when it has none', async (t) => {
    const browser = await browserOf(t, stage, { args: throughProxy(`https://${doorAt(stage, 'office')}`) });
    const page = await browser.newPage();
    const total = stage.standIn.counts().total;
    await assert.rejects(page.goto(`https://${consoleHost}/console/home`), /ERR_PROXY_CONNECTION_FAILED/);
    assert.equal(stage.standIn.counts().total, total);
  });

  it('shows no page of the console while it does not trust the company’s CA', async (t) => {
    const args = throughProxy(`http://${doorAt(stage, 'lab')}`);
    const page = await (await openBrowser(t, { args })).newPage();
    await assert.rejects(page.goto(`https://${consoleHost}/console/home`), /ERR_CERT_AUTHORITY_INVALID/);
  });

  it('finds on the index page of the public address the fingerprint of the CA, and the CA itself', async (t) => {
    const root = new X509Certificate(await readFile(`${stage.scene.pki}/console-root.crt`));
    const page = await (await openBrowser(t, { args: ['--no-proxy-server'] })).newPage();
    await page.goto(publicAddress(stage));
    assert.ok((await page.innerText('body')).includes(root.fingerprint256));
    for (const form of ['/ca.pem', '/ca.crt']) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click(`a[href="${form}"]`)]);
      const certificate = new X509Certificate(await readFile(await download.path()));
      assert.equal(certificate.fingerprint256, root.fingerprint256, form);
    }
  });
});
