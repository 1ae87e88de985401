import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { passwordThread } from '../../../src/edge/passwords/password-thread.ts';
import { hashPassword } from '../../../src/sink/users/hash-password.ts';

const salt = Buffer.from('0123456789abcdef');

test('the thread knows the right password from any other, at every cost that a file may have', async (t) => {
  const thread = passwordThread();
  t.after(() => thread.close());
  for (const cost of [
    { ln: 14, r: 8, p: 1 },
    { ln: 15, r: 8, p: 4 },
    { ln: 17, r: 8, p: 1 },
  ]) {
    const hash = await hashPassword('M\u00fcller: secret', salt, cost);
    assert.equal(await thread.matches('M\u00fcller: secret', hash), true);
    assert.equal(await thread.matches('M\u00fcller: secreT', hash), false);
    assert.equal(await thread.matches('', hash), false);
  }
});

test('the hash is that of RFC 7914 (section 12, third vector)', async (t) => {
  const expected =
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
    'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';
  const hash = {
    cost: { ln: 14, r: 8, p: 1 },
    salt: Buffer.from('SodiumChloride'),
    hash: Buffer.from(expected, 'hex'),
  };
  const thread = passwordThread();
  t.after(() => thread.close());
  assert.equal(await thread.matches('pleaseletmein', hash), true);
});

test('a password that was typed decomposed makes the hash of the composed one', async () => {
  const cost = { ln: 14, r: 8, p: 1 };
  assert.deepEqual(await hashPassword('u\u0308', salt, cost), await hashPassword('\u00fc', salt, cost));
});

test('while passwords are tried the event loop goes on', async (t) => {
  const thread = passwordThread();
  t.after(() => thread.close());
  const hash = await hashPassword('secret', salt, { ln: 17, r: 8, p: 1 });
  await thread.matches('secret', hash);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  await Promise.all([thread.matches('a', hash), thread.matches('b', hash)]);
  const took = performance.now() - started;
  delay.disable();
  // One trial alone would have stopped it for half of this.
  assert.ok(delay.max / 1e6 < took / 3, `${delay.max / 1e6} of ${took} ms`);
});

test('closing ends those who wait, refuses those who come, and may be done twice', async () => {
  const thread = passwordThread();
  const hash = await hashPassword('secret', salt);
  const waiting = thread.matches('secret', hash);
  await Promise.all([assert.rejects(waiting, { code: 'internal' }), thread.close()]);
  await thread.close();
  await assert.rejects(thread.matches('secret', hash), { code: 'server_unreachable' });
  await passwordThread().close();
});

test('a thread that died is followed by another one', async (t) => {
  const thread = passwordThread();
  t.after(() => thread.close());
  const hash = await hashPassword('secret', salt, { ln: 14, r: 8, p: 1 });
  // scrypt refuses a cost that is no power of two, with an error in the thread.
  const impossible = { ...hash, cost: { ln: 0.5, r: 8, p: 1 } };
  await assert.rejects(thread.matches('secret', impossible), { code: 'internal' });
  assert.equal(await thread.matches('secret', hash), true);
});
