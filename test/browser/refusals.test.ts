import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openBrowser, skipBrowser, throughPac, throughProxy } from '../support/browser.ts';
import { openHouse, type House } from '../support/house.ts';
import { browserOf, doorAt, person, publicAddress } from './workstation.ts';

const consoleHost = 'us-east-1.console.aws.amazon.com';
const refusedHost = 'files.example.com';

describe('a real Chromium', { skip: skipBrowser }, () => {
  let house: House;
  before(async () => {
    house = await openHouse();
  });
  after(() => house.close());

  it('does not load a host off the list through a proxy, and the refusal is on record', async (t) => {
    const browser = await browserOf(t, house, { args: throughProxy(doorAt(house, 'http', 3128)) });
    const page = await browser.newPage();
    await assert.rejects(page.goto(`https://${refusedHost}/`), /ERR_TUNNEL_CONNECTION_FAILED/);
    // A page of its own: in the other one the browser still shows why it failed.
    const other = await browser.newPage();
    const plain = await other.goto(`http://${refusedHost}/`);
    assert.equal(plain?.status(), 403);
    assert.match(await other.innerText('body'), /only HTTPS to the hosts on its list[^]*tell the people who run/);
    for (const method of ['CONNECT', 'GET']) {
      const refused = { 'server.address': refusedHost, 'http.request.method': method };
      assert.equal((await house.record(refused))['sekisho.denied.reason'], 'host');
    }
  });

  it('passes the doors by for a host off the list by the PAC file', async (t) => {
    const options = { args: throughPac(`${publicAddress(house)}/proxy.pac`), person: person(house) };
    const browser = await browserOf(t, house, options);
    const page = await browser.newPage();
    // No name is to be found here: the browser asked for one itself, which it leaves to a proxy.
    await assert.rejects(page.goto('https://direct.example.com/'), /ERR_NAME_NOT_RESOLVED/);
    assert.ok(!house.records.some((record) => record['server.address'] === 'direct.example.com'));
  });

  it('gets nothing through a door that wants a client certificate when it has none', async (t) => {
    const browser = await browserOf(t, house, { args: throughProxy(doorAt(house, 'https', 3129)) });
    const page = await browser.newPage();
    const total = house.standIn.counts().total;
    await assert.rejects(page.goto(`https://${consoleHost}/console/home`), /ERR_PROXY_CONNECTION_FAILED/);
    assert.equal(house.standIn.counts().total, total);
  });

  it('shows no page of the console while it does not trust the company’s CA', async (t) => {
    const args = throughProxy(doorAt(house, 'http', 3128));
    const page = await (await openBrowser(t, { args })).newPage();
    await assert.rejects(page.goto(`https://${consoleHost}/console/home`), /ERR_CERT_AUTHORITY_INVALID/);
  });

  it('finds on the index page of the public address the fingerprint of the CA, and the CA itself', async (t) => {
    const root = new X509Certificate(await readFile(join(house.pki, 'console-root.crt')));
    const page = await (await openBrowser(t, { args: ['--no-proxy-server'] })).newPage();
    await page.goto(publicAddress(house));
    assert.ok((await page.innerText('body')).includes(root.fingerprint256));
    for (const form of ['/ca.pem', '/ca.crt']) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click(`a[href="${form}"]`)]);
      const certificate = new X509Certificate(await readFile(await download.path()));
      assert.equal(certificate.fingerprint256, root.fingerprint256, form);
    }
  });
});
