import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { downloadBytes } from '../../src/edge/demo/stand-in-pages.ts';

export const consoleHost = 'us-east-1.console.aws.amazon.com';
const signInHost = 'us-east-1.signin.aws.amazon.com';

/** Whom the console's cookie names when `taro` has signed in. */
export const claimedArn = 'arn:aws:sts::123456789012:assumed-role/Demo/taro';

/**
 * Everything that a person does at the console in a browser: signs in at two hosts, follows a redirect with a code from one to the other,
 * calls, uploads, listens to events, talks to a WebSocket, downloads. Gives what of it no record may hold.
 */
export async function morning(browser: BrowserContext): Promise<Record<string, string>> {
  const password = 'browser-password-7d20';
  const state = 'browser-state-51ac';
  const challenge = 'browser-challenge-e80b';
  const session = 'browser-session-04f7';
  await browser.addCookies([{ name: 'aws-session', value: session, url: `https://${consoleHost}`, secure: true }]);
  const page = await browser.newPage();
  await signIn(page, signInHost, password);
  await signIn(page, consoleHost, password);

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
  assert.equal(await page.evaluate(upload), 200_000);
  assert.deepEqual(await page.evaluate(serverSentEvents), ['1', '2', '3']);
  assert.equal(await page.evaluate(webSocketEcho), 'echo: browser-message-93d1');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('a[href="/download"]')]);
  assert.equal((await stat(await download.path())).size, downloadBytes);

  const credentials = (await browser.cookies()).filter((cookie) => cookie.name === 'aws-creds');
  assert.equal(credentials.length, 2);
  const cookies = Object.fromEntries(credentials.map(({ domain, value }) => [`the credentials of ${domain}`, value]));
  const code = landed.searchParams.get('code') ?? '';
  return { ...cookies, password, state, challenge, session, code, message: 'browser-message-93d1' };
}

async function signIn(page: Page, host: string, password: string): Promise<void> {
  await page.goto(`https://${host}/signin`);
  await page.fill('input[name=username]', 'taro');
  await page.fill('input[name=password]', password);
  await page.click('button');
  await page.waitForURL((url) => url.pathname === '/console/home');
}

// Scripts for the page. As text, because this project's types know no browser.

const fetchMany = `Promise.all(Array.from({ length: 30 }, async (_, call) => {
  const answer = await fetch('/api/' + call + '?token=browser-state-51ac');
  return (await answer.json()).call;
}))`;

const upload = `fetch('/api/large', { method: 'POST', body: 'browser-password-7d20'.padEnd(200_000) })
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
  socket.onopen = () => socket.send('browser-message-93d1');
  socket.onmessage = (event) => {
    socket.close();
    socket.onclose = () => done('echo: ' + event.data);
  };
  socket.onerror = () => fail(new Error('no WebSocket'));
})`;
