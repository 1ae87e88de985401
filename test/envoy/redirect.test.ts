import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../envoy/redirect', import.meta.url));

/** What a real redirect does is shown in test/e2e/sidecar.test.ts; here nothing comes as far as nft. */
const wrong: Readonly<Record<string, readonly [args: readonly string[], env: Record<string, string>, says: RegExp]>> = {
  'no command': [[], {}, /write envoy\/redirect up, down or show/],
  'an unknown command': [['status'], {}, /write envoy\/redirect up, down or show/],
  'an argument too many': [['up', 'now'], {}, /write envoy\/redirect up, down or show/],
  'no user of Envoy': [['up'], {}, /SEKISHO_ENVOY_USER is not set: name the user/],
  'a user that does not exist': [['up'], { SEKISHO_ENVOY_USER: 'nobody-at-all' }, /there is no such user: give/],
  'an Envoy that runs as root': [['up'], { SEKISHO_ENVOY_USER: 'root' }, /run Envoy as a user of its own/],
  'an Envoy that runs as uid 0': [['up'], { SEKISHO_ENVOY_USER: '00' }, /run Envoy as a user of its own/],
  'a port that is none': [
    ['up'],
    { SEKISHO_ENVOY_USER: '1000', SEKISHO_REDIRECT_PORT: '1;flush ruleset' },
    /SEKISHO_REDIRECT_PORT is .*: give the port/,
  ],
  'a port out of range': [['up'], { SEKISHO_ENVOY_USER: '1000', SEKISHO_REDIRECT_PORT: '65536' }, /give the port/],
  'users that do not exist': [
    ['up'],
    { SEKISHO_ENVOY_USER: '1000', SEKISHO_REDIRECT_USERS: '1000-1999 nobody-at-all' },
    /SEKISHO_REDIRECT_USERS has 'nobody-at-all'.*: give names/,
  ],
};

describe('envoy/redirect refuses as wrong use, and says what to write:', () => {
  for (const [name, [args, env, says]] of Object.entries(wrong)) {
    test(name, () => {
      const { status, stderr, stdout } = redirect(args, env);
      assert.equal(status, 2);
      assert.match(stderr, says);
      assert.equal(stdout, '');
    });
  }
});

test('envoy/redirect without nft says which package is missing', () => {
  const { status, stderr } = redirect(['show'], { PATH: '/nonexistent' });
  assert.equal(status, 1);
  assert.match(stderr, /nft is missing: install the package nftables/);
});

function redirect(args: readonly string[], env: Readonly<Record<string, string>>) {
  return spawnSync('/bin/bash', [script, ...args], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' });
}
