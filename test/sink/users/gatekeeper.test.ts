import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Accounts, PasswordHash } from '../../../src/policy/policy.types.ts';
import { Gatekeeper, type Attempt, type Verdict } from '../../../src/sink/users/gatekeeper.ts';

const minute = 60_000;

/** A hash that only the test can tell the password of. */
const hashOf = (password: string, ln = 15): PasswordHash => ({
  cost: { ln, r: 8, p: 1 },
  salt: new Uint8Array(16),
  hash: new Uint8Array(Buffer.alloc(32, password)),
});
const people: Accounts = new Map([
  ['taro', hashOf('taro-secret')],
  ['hanako', hashOf('hanako-secret')],
]);
const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

interface Setting {
  readonly clock: { time: number };
  readonly gatekeeper: Gatekeeper;
  /** The hashes that were tried, in order. */
  readonly tried: PasswordHash[];
  readonly locked: string[];
  readonly check: (name: string, password: string, change?: Partial<Attempt>) => Promise<Verdict>;
}

/** A gatekeeper whose trials end when `gate` does. */
function setting(gate: () => Promise<void> = () => Promise.resolve()): Setting {
  const clock = { time: 1_000_000, now: () => clock.time };
  const tried: PasswordHash[] = [];
  const locked: string[] = [];
  const gatekeeper = new Gatekeeper({
    clock,
    key: new Uint8Array(32),
    matches: async (password, hash) => {
      tried.push(hash);
      await gate();
      return Buffer.alloc(32, password).equals(hash.hash);
    },
    locked: (whom) => locked.push(whom),
  });
  const check: Setting['check'] = (name, password, change = {}) =>
    gatekeeper.check({ accounts: people, client: '10.0.0.1', header: basic(name, password), ...change });
  return { clock, gatekeeper, tried, locked, check };
}

/** A gate that lets one through each time it is told to. */
function turnstile(): { pass: () => Promise<void>; let(count: number): void } {
  const waiting: (() => void)[] = [];
  let free = 0;
  return {
    pass: () =>
      new Promise((go) => {
        if (free > 0) {
          free -= 1;
          go();
        } else waiting.push(go);
      }),
    let: (count) => {
      free += count;
      while (free > 0 && waiting.length > 0) {
        free -= 1;
        waiting.shift()?.();
      }
    },
  };
}

const wrong = { denied: 'wrong_credentials' } as const;

test('whoever knows the password is let in under that name, everybody else is told apart', async () => {
  const { check, gatekeeper, tried } = setting();
  assert.deepEqual(await check('taro', 'taro-secret'), { user: 'taro' });
  assert.deepEqual(await check('hanako', 'taro-secret'), wrong);
  assert.deepEqual(await check('nobody', 'taro-secret'), wrong);
  assert.equal(tried.length, 3);
  const without = { accounts: people, client: '10.0.0.1', header: undefined };
  assert.deepEqual(await gatekeeper.check(without), { denied: 'no_credentials' });
  assert.deepEqual(await gatekeeper.check({ ...without, header: 'Basic *' }), wrong);
  assert.equal(tried.length, 3);
});

test('a right password is remembered for five minutes, a wrong one never', async () => {
  const { check, clock, tried } = setting();
  await check('taro', 'taro-secret');
  clock.time += 5 * minute - 1;
  assert.deepEqual(await check('taro', 'taro-secret'), { user: 'taro' });
  assert.equal(tried.length, 1);
  assert.deepEqual(await check('taro', 'wrong'), wrong);
  assert.deepEqual(await check('taro', 'wrong'), wrong);
  assert.equal(tried.length, 3);
  clock.time += 1;
  assert.deepEqual(await check('taro', 'taro-secret'), { user: 'taro' });
  assert.equal(tried.length, 4);
});

test('a changed password, and a removed person, are not remembered', async () => {
  const { check } = setting();
  await check('taro', 'taro-secret');
  assert.deepEqual(await check('taro', 'taro-secret', { accounts: new Map([['taro', hashOf('new')]]) }), wrong);
  assert.deepEqual(await check('taro', 'taro-secret', { accounts: new Map() }), wrong);
});

test('nobody of an unknown name gets in, not even with what the decoy would take for right', async () => {
  const { gatekeeper, check } = setting();
  for (let index = 0; index < 9; index += 1) {
    assert.deepEqual(await check(`nobody-${index}`, '', { client: `10.1.0.${index}` }), wrong);
  }
  const everything = new Gatekeeper({
    clock: { now: () => 0 },
    key: new Uint8Array(32),
    matches: () => Promise.resolve(true),
    locked: () => undefined,
  });
  const attempt = { accounts: people, client: '10.0.0.1', header: basic('nobody', 'x') };
  assert.deepEqual(await everything.check(attempt), wrong);
  assert.equal(gatekeeper.waiting, 0);
});

test('an unknown name costs what somebody of the door costs, and the same each time', async () => {
  const { check, tried } = setting();
  const accounts = new Map([
    ['taro', hashOf('a', 16)],
    ['hanako', hashOf('b', 16)],
  ]);
  await check('nobody', 'x', { accounts });
  await check('nobody', 'x', { accounts });
  await check('nobody', 'x', { accounts: new Map() });
  assert.deepEqual(
    tried.map(({ cost }) => cost.ln),
    [16, 16, 15],
  );
});

test('ten failures lock a client for half an hour, whatever the name, and no other client', async () => {
  const { check, clock, locked, tried } = setting();
  for (let index = 0; index < 10; index += 1) assert.deepEqual(await check(`nobody-${index}`, 'x'), wrong);
  assert.deepEqual(locked, ['client']);
  assert.deepEqual(await check('taro', 'taro-secret'), { denied: 'locked', retryMs: 30 * minute });
  assert.deepEqual(await check('taro', 'taro-secret', { header: undefined }), {
    denied: 'locked',
    retryMs: 30 * minute,
  });
  assert.equal(tried.length, 10);
  assert.deepEqual(await check('taro', 'taro-secret', { client: '10.0.0.2' }), { user: 'taro' });
  clock.time += 30 * minute;
  assert.deepEqual(await check('taro', 'taro-secret'), { user: 'taro' });
});

test('ten failures lock a name for half an hour, wherever it comes from, remembered or not', async () => {
  const { check, clock, locked } = setting();
  assert.deepEqual(await check('taro', 'taro-secret', { client: '10.0.0.99' }), { user: 'taro' });
  for (let index = 0; index < 10; index += 1) {
    assert.deepEqual(await check('taro', `x${index}`, { client: `10.0.0.${index}` }), wrong);
  }
  assert.deepEqual(locked, ['user']);
  assert.deepEqual(await check('taro', 'taro-secret', { client: '10.0.0.99' }), {
    denied: 'locked',
    retryMs: 30 * minute,
  });
  assert.deepEqual(await check('hanako', 'hanako-secret', { client: '10.0.0.99' }), { user: 'hanako' });
  clock.time += 30 * minute;
  assert.deepEqual(await check('taro', 'taro-secret', { client: '10.0.0.99' }), { user: 'taro' });
});

test('of a hundred guesses at once no more than ten are tried', async () => {
  const { check, tried } = setting();
  const verdicts = await Promise.all(Array.from({ length: 60 }, (_, index) => check('taro', `guess-${index}`)));
  assert.equal(tried.length, 10);
  assert.equal(verdicts.filter((verdict) => 'denied' in verdict && verdict.denied === 'locked').length, 50);
});

test('many tunnels that a browser opens with one password at once are one trial, and one failure', async () => {
  const { check, tried } = setting();
  const right = await Promise.all(Array.from({ length: 200 }, () => check('taro', 'taro-secret')));
  assert.ok(right.every((verdict) => 'user' in verdict));
  assert.equal(tried.length, 1);
  const stale = await Promise.all(Array.from({ length: 200 }, () => check('hanako', 'old-secret')));
  assert.ok(stale.every((verdict) => 'denied' in verdict && verdict.denied === 'wrong_credentials'));
  assert.deepEqual(await check('hanako', 'hanako-secret'), { user: 'hanako' });
});

test('when too many wait the next one is told to come again, and those who are remembered pass', async () => {
  const gate = turnstile();
  const { check, gatekeeper, tried } = setting(gate.pass);
  gate.let(1);
  await check('taro', 'taro-secret');
  const waiting = Array.from({ length: 64 }, (_, index) =>
    check('hanako', 'hanako-secret', { client: `10.2.0.${index}` }),
  );
  assert.equal(gatekeeper.waiting, 64);
  assert.deepEqual(await check('hanako', 'x', { client: '10.3.0.1' }), { denied: 'busy', retryMs: 1000 });
  assert.deepEqual(await check('taro', 'taro-secret'), { user: 'taro' });
  gate.let(64);
  assert.ok((await Promise.all(waiting)).every((verdict) => 'user' in verdict));
  // The first of them was worked out, the others found it remembered.
  assert.equal(tried.length, 2);
  assert.equal(gatekeeper.waiting, 0);
});

test('a trial that fails is nobody’s failure, and the next one is tried', async () => {
  let broken = true;
  const gatekeeper = new Gatekeeper({
    clock: { now: () => 0 },
    key: new Uint8Array(32),
    matches: () => (broken ? Promise.reject(new Error('gone')) : Promise.resolve(true)),
    locked: () => assert.fail(),
  });
  const attempt = { accounts: people, client: '10.0.0.1', header: basic('taro', 'taro-secret') };
  for (let index = 0; index < 20; index += 1) await assert.rejects(gatekeeper.check(attempt));
  broken = false;
  assert.deepEqual(await gatekeeper.check(attempt), { user: 'taro' });
});

test('failures from any number of addresses do not open the lock of a name', async () => {
  const { check } = setting();
  for (let index = 0; index < 10; index += 1) await check('taro', `x${index}`, { client: `10.0.0.${index}` });
  for (let index = 0; index < 70_000; index += 1) await check('', '', { client: `2001:db8::${index.toString(16)}` });
  const verdict = await check('taro', 'taro-secret', { client: '10.0.0.99' });
  assert.deepEqual(verdict, { denied: 'locked', retryMs: 30 * minute });
});
