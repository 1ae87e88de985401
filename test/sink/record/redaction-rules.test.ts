import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactionRules, secretNames } from '../../../src/sink/record/redaction-rules.ts';

const rules = redactionRules(['customer-id']);

function isSecretHeader(name: string): boolean {
  return rules.isSecretHeader(Buffer.from(`..${name}..`), 2, 2 + Buffer.byteLength(name));
}

function isSecretParameter(name: string): boolean {
  const bytes = Buffer.from(`..${name}..`);
  const answer = rules.isSecretParameter(bytes, 2, bytes.length - 2);
  assert.equal(rules.secretParameter(name) !== undefined, answer, `${name}: the two answers differ`);
  return answer;
}

test('parameters are told by their names, whatever their case, hyphens and underscores', () => {
  const own = ['customer-id', 'CustomerId', 'customer_id'];
  const oauth = ['code', 'id_token_hint', 'client_assertion', 'refresh_token', 'oauth_verifier', 'RelayState'];
  const aws = [
    'X-Amz-Security-Token',
    'x-amz-signature',
    'AWSAccessKeyId',
    'SigninToken',
    'sessionKey',
    'SecretAccessKey',
  ];
  const web = ['token[]', 'user[password]', 'ASP.NET_SessionId', 'jsessionid', '_csrf', 'APIKey', 'api_key', ' token'];
  for (const name of [...own, ...oauth, ...aws, ...web, ...secretNames.parameters, ...secretNames.endings]) {
    assert.equal(isSecretParameter(name), true, name);
  }
  for (const name of [
    '',
    'region',
    'tokens-left',
    'codec',
    'client_id',
    'response_type',
    'redirect_uri',
    'key',
    'statement',
  ]) {
    assert.equal(isSecretParameter(name), false, name);
  }
});

test('headers, tags and metadata keys are told by their names, whatever their case', () => {
  const known = [
    'Cookie',
    'set-cookie',
    'Authorization',
    'proxy-authorization',
    'password',
    'x-api-key',
    'x-amz-security-token',
  ];
  const worded = [
    'x-csrf-token',
    'x-token-id',
    'accessToken',
    'authToken',
    'auth.token',
    'user/password',
    'X-Github-OTP',
  ];
  const listed = [...secretNames.headers, ...secretNames.headerWords, ...secretNames.endings];
  for (const name of [...known, ...worded, ...listed]) assert.equal(isSecretHeader(name), true, name);
  for (const name of [
    '',
    'referer',
    'location',
    'content-type',
    'x-amzn-requestid',
    'tokenizer',
    'www-authenticate',
    'user',
    'client',
  ]) {
    assert.equal(isSecretHeader(name), false, name);
  }
});

test('a name longer than anything that is remembered is judged all the same', () => {
  assert.equal(isSecretParameter(`${'x'.repeat(500)}token`), true);
  assert.equal(isSecretParameter('x'.repeat(500)), false);
  assert.equal(isSecretHeader(`${'x'.repeat(500)}-token`), true);
});

test('names that share a place in memory are never confused', () => {
  // More names than there are places, asked twice: every second answer may come from memory.
  for (let round = 0; round < 2; round += 1) {
    for (let number = 0; number < 10_000; number += 1) {
      assert.equal(rules.isSecretParameter(Buffer.from(`p${number}`), 0, `p${number}`.length), false);
      const secret = Buffer.from(`p${number}.token`);
      assert.equal(rules.isSecretParameter(secret, 0, secret.length), true);
    }
  }
});
