import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { downloadBytes } from '../../src/edge/demo/stand-in-pages.ts';
import type { Stage } from '../../src/edge/demo/stage.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { skipBrowser, throughPac, throughProxy, type BrowserOptions } from '../support/browser.ts';
import { eventually } from '../support/envoy.ts';
import { browserOf, doorAt, journalBytes, openStage, person, publicAddress, recordsOf } from './stage.ts';

const consoleHost = 'us-east-1.console.aws.amazon.com';
const signInHost = 'us-east-1.signin.aws.amazon.com';

/** The ways in, and who the record says came by them. */
const ways: { way: string; user: string | undefined; options: (stage: Stage) => Partial<BrowserOptions> }[] = [
  {
    way: 'a proxy',
    user: undefined,
    options: (stage) => ({ args: throughProxy(`http://${doorAt(stage, 'lab')}`) }),
  },
  {
    way: 'a proxy that speaks TLS and wants a client certificate',
    user: 'taro.yamada',
    options: (stage) => ({ args: throughProxy(`https://${doorAt(stage, 'office')}`), person: person(stage) }),
  },
  {
    way: 'the PAC file of the public address',
    user: 'taro.yamada',
    options: (stage) => ({ args: throughPac(`${publicAddress(stage)}/proxy.pac`), person: person(stage) }),
  },
];

describe('a real Chromium', { skip: skipBrowser }, () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());

  for (const { way, user, options } of ways) {
    it(`works at the console through ${way}, and every request is on record once, without its secrets`, async (t) => {
      const seenBefore = stage.standIn.requests.length;
      const recordedBefore = (await recordsOf(stage)).length;
      const browser = await browserOf(t, stage, options(stage));
      const secrets = await morning(browser);
      await browser.close();

      const seen = stage.standIn.requests.slice(seenBefore);
      assert.equal(stage.standIn.counts().forgotten, 0);
      assert.ok(seen.length > 40, `the stand-in saw ${seen.length} requests`);
      // WebSockets are an upgrade of HTTP/1.1 (no RFC 8441); everything else is HTTP/2 from the browser to the stand-in.
      assert.deepEqual(seen.filter((one) => one.httpVersion === '1.1').map((one) => one.path), ['/cloudshell/ws']); // prettier-ignore
      const copies = (records: readonly NamedRecord[]) =>
        seen.map((one) => records.filter((record) => record['sekisho.stream_id'] === one.requestId).length);
      await eventually('every request that the stand-in saw is on record', async () =>
        copies(await recordsOf(stage)).every((count) => count > 0),
      );
      const records = await recordsOf(stage);
      assert.ok(copies(records).every((count) => count === 1));
      const ids = new Set(seen.map((one) => one.requestId));
      const own = records.slice(recordedBefore).filter((record) => ids.has(String(record['sekisho.stream_id'])));
      assert.deepEqual([...new Set(own.map((record) => record['user.id']))], [user]);
      assert.deepEqual([...new Set(own.map((record) => record['client.address']))], ['127.0.0.1']);

      const bytes = await journalBytes(stage);
      assert.ok(bytes.includes('/console/home') && bytes.includes('code_challenge='), 'the journal is in plain text');
      for (const [what, secret] of Object.entries(secrets)) {
        assert.ok(secret.length > 8, `${what} is a secret`);
        for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64url')]) {
          assert.ok(!bytes.includes(spelling), `${what} is in the journal`);
        }
      }
    });
  }

  it('is on record with the principal that its cookie claims', async (t) => {
    const browser = await browserOf(t, stage, { args: throughProxy(`http://${doorAt(stage, 'lab')}`) });
    const page = await browser.newPage();
    await signIn(page, consoleHost, 'hanako');
    await page.goto(`https://${consoleHost}/ec2/home?region=us-east-1`);
    const arn = 'arn:aws:sts::123456789012:assumed-role/Demo/hanako';
    await eventually('the claim is on record', async () =>
      (await recordsOf(stage)).some(
        (record) => record['url.path'] === '/ec2/home' && record['sekisho.claimed_arn'] === arn,
      ),
    );
  });

  it('has left no request on record twice, after all of the above', async () => {
    const ids = (await recordsOf(stage)).map((record) => record['sekisho.stream_id']).filter((id) => id !== undefined);
    assert.ok(ids.length > 100, `${ids.length} records`);
    assert.equal(new Set(ids).size, ids.length);
  });
});

/** Everything a person does at the console in a browser; what of it no record may hold. */
async function morning(browser: BrowserContext): Promise<Record<string, string>> {
  const password = 'browser-password-7d20';
  const state = 'browser-state-51ac';
  const challenge = 'browser-challenge-e80b';
  const session = 'browser-session-04f7';
  await browser.addCookies([{ name: 'aws-session', value: session, url: `https://${consoleHost}`, secure: true }]);
  const page = await browser.newPage();
  await signIn(page, signInHost, 'taro', password);
  await signIn(page, consoleHost, 'taro', password);

  // Back from the host of the sign-in to that of the console, with a code.
  const query = new URLSearchParams({ redirect_uri: `https://${consoleHost}/console/home`, state });
  await page.goto(`https://${signInHost}/oauth?${query.toString()}&code_challenge=${challenge}`);
  const landed = new URL(page.url());
  assert.deepEqual([landed.host, landed.searchParams.get('state')], [consoleHost, state]);
  assert.equal(await page.title(), 'Console home (stand-in)');
  assert.equal(await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol"), 'h2');

  assert.deepEqual(
    await page.evaluate(fetchMany),
    Array.from({ length: 30 }, (_, call) => String(call)),
  );
  assert.equal(await page.evaluate(fetchLarge), 200_000);
  assert.deepEqual(await page.evaluate(serverSentEvents), ['1', '2', '3']);
  assert.equal(await page.evaluate(webSocketEcho), 'echo: whoami');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('a[href="/download"]')]);
  assert.equal((await stat(await download.path())).size, downloadBytes);

  const credentials = (await browser.cookies()).filter((cookie) => cookie.name === 'aws-creds');
  assert.equal(credentials.length, 2);
  const cookies = Object.fromEntries(credentials.map(({ domain, value }) => [`the credentials of ${domain}`, value]));
  return { ...cookies, password, state, challenge, session, code: landed.searchParams.get('code') ?? '' };
}

async function signIn(page: Page, host: string, name: string, password = 'any-will-do'): Promise<void> {
  await page.goto(`https://${host}/signin`);
  await page.fill('input[name=username]', name);
  await page.fill('input[name=password]', password);
  await page.click('button');
  await page.waitForURL((url) => url.pathname === '/console/home');
}

// Scripts for the page. As text, because this project's types know no browser.

const fetchMany = `Promise.all(Array.from({ length: 30 }, async (_, call) => {
  const answer = await fetch('/api/' + call + '?token=browser-state-51ac');
  return (await answer.json()).call;
}))`;

const fetchLarge = `fetch('/api/large', { method: 'POST', body: 'browser-password-7d20'.padEnd(200_000) })
  .then((answer) => answer.json()).then((answer) => answer.bytes)`;

const serverSentEvents = `new Promise((done, fail) => {
  const source = new EventSource('/events?count=3&every=20');
  const data = [];
  source.onmessage = (event) => {
    if (data.push(event.data) < 3) return;
    source.close();
    done(data);
  };
  source.onerror = () => fail(new Error('no events'));
})`;

const webSocketEcho = `new Promise((done, fail) => {
  const socket = new WebSocket('wss://' + location.host + '/cloudshell/ws');
  socket.onopen = () => socket.send('whoami');
  socket.onmessage = (event) => {
    socket.close();
    socket.onclose = () => done('echo: ' + event.data);
  };
  socket.onerror = () => fail(new Error('no WebSocket'));
})`;
