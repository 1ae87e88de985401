import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { standInSecrets } from '../../src/edge/demo/sign-in-pages.ts';
import { downloadBytes } from '../../src/edge/demo/stand-in-pages.ts';
import { echoPath } from '../../src/edge/demo/stand-in-sockets.ts';
import { demoStory, storySecrets } from '../../src/edge/demo/story.ts';
import { openHouse, type House } from '../support/house.ts';
import { assertNowhere, filesIn } from '../support/secret-search.ts';

const consoleHost = 'us-east-1.console.aws.amazon.com';
const signInHost = 'us-east-1.signin.aws.amazon.com';

/** Further things that a session carries, each under a name of its own in what is sent. */
const ownSecrets = {
  authorization: 'own-authorization-0a1b',
  proxyAuthorization: 'own-proxy-authorization-2c3d',
  cookie: 'own-cookie-4e5f',
  userInfo: 'own-user-info-6a7b',
  token: 'own-token-8c9d',
  securityToken: 'own-security-token-0e1f',
  policyNamed: 'own-named-parameter-2a3b',
  escaped: 'own-escaped-4c5d',
  body: 'own-body-6e7f',
  message: 'own-message-8a9b',
  refererCode: 'own-referer-0c1d',
  refusedPath: 'own-refused-2e3f',
};

let house: House;
before(async () => {
  house = await openHouse({
    policy: ({ record }) => {
      record.redact.query.push('ticket');
    },
  });
});
after(() => house.close());

test('no secret of a session is anywhere on the disk, nor in what the processes say', async () => {
  const person = house.visitor({
    door: 'office',
    proxyHeaders: { 'proxy-authorization': `Basic ${ownSecrets.proxyAuthorization}` },
  });
  const facts = {
    consoleHost,
    signInHost,
    refusedHost: 'files.example.com',
    arn: 'arn:aws:sts::123456789012:assumed-role/A/b',
  };
  const steps = await demoStory(person, facts);
  assert.deepEqual(
    steps.filter(({ asExpected }) => !asExpected),
    [],
  );

  for (const http of [1, 2] as const) {
    const query = new URLSearchParams({
      'X-Amz-Security-Token': ownSecrets.securityToken,
      token: ownSecrets.token,
      ticket: ownSecrets.policyNamed,
      last: String(http),
    });
    const answer = await person.request({
      http,
      method: 'POST',
      url: `https://${consoleHost}/api/session?${query.toString()}&%74oken=${ownSecrets.escaped}`,
      headers: {
        authorization: `Bearer ${ownSecrets.authorization}`,
        cookie: `aws-creds=${ownSecrets.cookie}; aws-userInfo=${ownSecrets.userInfo}; other=${ownSecrets.cookie}`,
        referer: `https://${signInHost}/oauth?code=${ownSecrets.refererCode}`,
        'x-amz-security-token': ownSecrets.securityToken,
      },
      body: ownSecrets.body,
    });
    assert.equal(answer.status, 200);
  }
  const socket = `wss://${consoleHost}${echoPath}?token=${ownSecrets.token}`;
  const visit = await person.webSocket(socket, [ownSecrets.message], { cookie: `aws-creds=${ownSecrets.cookie}` });
  assert.deepEqual(visit.echoed, [ownSecrets.message]);
  const plain = await person.request({ url: `http://files.example.com/?token=${ownSecrets.refusedPath}` });
  assert.equal(plain.status, 403);
  const download = await person.request({ url: `https://${consoleHost}/download` });
  assert.equal(download.body.length, downloadBytes);
  await person.close();

  // All of it is on record, and more than nothing was withheld.
  for (const { requestId = '' } of house.standIn.requests) await house.record({ 'sekisho.stream_id': requestId });
  const refused = await house.record({ 'server.address': 'files.example.com', 'http.request.method': 'GET' });
  assert.equal(refused['url.query'], 'token=REDACTED');
  const record = await house.record({ 'url.path': '/download' });
  assert.equal(record['http.response.body.size'], downloadBytes);
  const session = await house.record({ 'url.path': '/api/session', 'network.protocol.version': '2' });
  assert.match(String(session['url.query']), /last=2/);

  const files = await filesIn(house.dir);
  assert.ok(files.some(({ name }) => name.includes('journal')));
  const secrets = { ...storySecrets, ...standInSecrets, ...ownSecrets };
  assertNowhere(secrets, [...files, { name: 'the log', bytes: Buffer.from(house.log.join('\n')) }]);
});
