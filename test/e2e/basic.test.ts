import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { VisitAnswer } from '../../src/edge/demo/visitor.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { eventually } from '../support/envoy.ts';
import { openHouse, type House, type VisitOptions } from '../support/house.ts';
import { assertNowhere, filesIn } from '../support/secret-search.ts';
import { line } from '../support/sekisho.ts';
import { basicCredentials, usersLine } from '../support/users-line.ts';

const consoleHost = 'us-east-1.console.aws.amazon.com';
const secret = 'correct horse: bättery';
const wrong = 'wrong-donkey-stapler';

const basic = (name: string, password: string) => ({ 'proxy-authorization': basicCredentials(name, password) });
const taro = basic('taro.yamada', secret);

let house: House;
before(async () => {
  const people =
    (await usersLine('taro.yamada', secret)) + (await usersLine('hanako', secret)) + (await usersLine('jiro', secret));
  house = await openHouse({
    files: { users: people },
    policy: (policy) => {
      const at = (port: number) => policy.doors[0]?.listen.replace(':3128', `:${port}`) ?? '';
      const door = { on: 'egress', kind: 'forward', users: { basic: 'users' } } as const;
      policy.doors.push({ ...door, name: 'desk', listen: at(3131) });
      policy.doors.push({ ...door, name: 'floor', listen: at(3132), tls: true });
    },
  });
});
after(() => house.close());

interface Visit extends Pick<VisitOptions, 'door' | 'localAddress' | 'proxyHttp'> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly url: string;
}

async function visit({ headers = {}, url, ...options }: Visit): Promise<VisitAnswer> {
  const person = house.visitor({ door: 'desk', ...options, proxyHeaders: headers });
  try {
    return await person.request({ url });
  } finally {
    await person.close();
  }
}

// Every record needs up to a second; together they wait once.
describe('a door for people with passwords', { concurrency: 20 }, () => {
  for (const door of ['desk', 'floor']) {
    for (const proxyHttp of [1, 2] as const) {
      const localAddress = `127.220.${door === 'desk' ? 1 : 2}.${proxyHttp}`;
      test(`asks for name and password, and lets whoever has them in: ${door}, by HTTP/${proxyHttp}`, async () => {
        const url = `https://${consoleHost}/api/in-${door}-${proxyHttp}`;
        const asked = await visit({ door, proxyHttp, localAddress, url });
        assert.equal(asked.connectStatus, 407);
        assert.equal(asked.headers['proxy-authenticate'], `Basic realm="sekisho ${door}", charset="UTF-8"`);
        assert.match(asked.body.toString(), /^sekisho: /);
        const { connectStatus, status } = await visit({ door, proxyHttp, localAddress, url, headers: taro });
        assert.deepEqual([connectStatus, status], [200, 200]);

        const inner = await house.record({ 'url.path': new URL(url).pathname });
        assert.deepEqual(pick(inner, ['user.id', 'client.address', 'sekisho.denied.reason', 'tls.client.subject']), {
          'user.id': 'taro.yamada',
          'client.address': localAddress,
        });
        const outer = await house.record({ 'sekisho.stream_id': String(inner['sekisho.tunnel_id']) });
        assert.deepEqual(pick(outer, ['user.id', 'http.response.status_code', 'sekisho.denied.reason']), {
          'user.id': 'taro.yamada',
          'http.response.status_code': 200,
        });
        const refused = await house.record({ 'client.address': localAddress, 'http.response.status_code': 407 });
        assert.deepEqual(pick(refused, ['user.id', 'sekisho.denied.reason', 'sekisho.door', 'server.address']), {
          'sekisho.denied.reason': 'no_credentials',
          'sekisho.door': door,
          'server.address': consoleHost,
        });
      });
    }
  }

  const refusals: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'a wrong password': basic('taro.yamada', wrong),
    'the right password of nobody': basic('saburo', secret),
    'what is no name': basic('', secret),
    'no base64': { 'proxy-authorization': 'Basic *' },
  };
  for (const [index, [name, headers]] of Object.entries(refusals).entries()) {
    test(`asks again after ${name}`, async () => {
      const localAddress = `127.221.1.${index + 1}`;
      const asked = await visit({ localAddress, headers, url: `https://${consoleHost}/api/never` });
      assert.equal(asked.connectStatus, 407);
      assert.match(String(asked.headers['proxy-authenticate']), /^Basic realm=/);
      const record = await house.record({ 'client.address': localAddress });
      assert.deepEqual(pick(record, ['user.id', 'sekisho.denied.reason']), {
        'sekisho.denied.reason': 'wrong_credentials',
      });
    });
  }

  test('asks before it tells which hosts there are, and tells whoever may know', async () => {
    const url = 'https://files.example.com/';
    const localAddress = '127.221.2.1';
    assert.equal((await visit({ localAddress, url })).connectStatus, 407);
    const record = await house.record({ 'client.address': localAddress });
    assert.equal(record['sekisho.denied.reason'], 'no_credentials');
    assert.equal((await visit({ localAddress, url, headers: taro })).connectStatus, 403);
    const known = await house.record({ 'client.address': localAddress, 'http.response.status_code': 403 });
    assert.deepEqual(pick(known, ['user.id', 'sekisho.denied.reason']), {
      'user.id': 'taro.yamada',
      'sekisho.denied.reason': 'host',
    });
  });

  test('asks for requests in plain text, too, and for other methods than CONNECT', async () => {
    const url = 'http://files.example.com/plain-basic';
    assert.equal((await visit({ url })).status, 407);
    assert.equal((await visit({ url, headers: taro })).status, 403);
  });

  test('locks a client after ten failures, for that client and for whichever name it comes with', async () => {
    const localAddress = '127.222.1.1';
    const url = `https://${consoleHost}/api/locked-client`;
    for (let guess = 0; guess < 10; guess += 1) {
      const headers = basic(`nobody-${guess}`, wrong);
      assert.equal((await visit({ localAddress, url, headers })).connectStatus, 407);
    }
    const locked = await visit({ localAddress, url, headers: taro });
    assert.equal(locked.connectStatus, 429);
    assert.ok(Number(locked.headers['retry-after']) > 1700);
    assert.match(locked.body.toString(), /^sekisho: too many wrong passwords/);
    const record = await house.record({ 'client.address': localAddress, 'http.response.status_code': 429 });
    assert.equal(record['sekisho.denied.reason'], 'locked');
    assert.equal((await visit({ localAddress: '127.222.1.2', url, headers: taro })).connectStatus, 200);
    await line(house.log, /this client is locked.*127\.222\.1\.1/);
  });

  test('locks a person after ten failures, wherever they come from', async () => {
    const url = `https://${consoleHost}/api/locked-user`;
    assert.equal(
      (await visit({ localAddress: '127.222.2.99', url, headers: basic('jiro', secret) })).connectStatus,
      200,
    );
    for (let guess = 0; guess < 10; guess += 1) {
      const from = { localAddress: `127.222.2.${guess + 1}`, headers: basic('jiro', `${wrong}${guess}`) };
      assert.equal((await visit({ ...from, url })).connectStatus, 407);
    }
    const locked = await visit({ localAddress: '127.222.2.99', url, headers: basic('jiro', secret) });
    assert.equal(locked.connectStatus, 429);
  });
});

test('a changed users file is taken over, and a bad one is not', async () => {
  const url = `https://${consoleHost}/api/changed`;
  const users = join(house.dir, 'users');
  const text = await readFile(users, 'utf8');
  const ask = async (password: string) => (await visit({ url, headers: basic('hanako', password) })).connectStatus;
  assert.equal(await ask(secret), 200);

  const from = house.log.length;
  await house.writeFile('users', text.replace(/^hanako:.*\n/m, await usersLine('hanako', 'another-secret')));
  await line(house.log, /policy reloaded/, from);
  assert.equal(await ask(secret), 407);
  assert.equal(await ask('another-secret'), 200);

  const bad = house.log.length;
  await house.writeFile('users', 'hanako:in-plain-text\n');
  await line(house.log, /users:1:1: /, bad);
  assert.equal(await ask('another-secret'), 200);
  assert.ok(!house.log.join('\n').includes('in-plain-text'));

  const mended = house.log.length;
  await house.writeFile('users', text);
  await line(house.log, /policy reloaded/, mended);
  assert.equal(await ask(secret), 200);
});

test('nothing of a password is at the console, on the disk or in what the processes say', async () => {
  for (const request of house.standIn.requests) assert.ok(!('proxy-authorization' in request.headers));
  const files = await filesIn(house.dir);
  assert.ok(files.some(({ name }) => name.includes('journal')));
  const others = [
    ...files.filter(({ name }) => !name.endsWith('/users')),
    { name: 'the log', bytes: Buffer.from(house.log.join('\n')) },
    { name: 'Envoy', bytes: Buffer.from(await house.ask('/config_dump?include_eds')) },
  ];
  // In base64 by itself, a password is found wherever it stands in credentials.
  assertNowhere({ secret, wrong, another: 'another-secret' }, [
    ...files,
    ...others,
    { name: 'the console', bytes: Buffer.from(JSON.stringify(house.standIn.requests)) },
  ]);
  assertNowhere({ 'a hash': '$scrypt$' }, others);
});

test('while no sink answers, the door is closed with 503, and it opens again', async () => {
  const url = `https://${consoleHost}/api/closed`;
  assert.equal((await visit({ url, headers: taro })).connectStatus, 200);
  house.service().signal('SIGKILL');
  await house.service().ended;
  const answer = await visit({ url, headers: taro });
  assert.equal(answer.connectStatus, 503);
  assert.equal((await visit({ url })).connectStatus, 503);
  await house.startService();
  await eventually('the door is open', async () => (await visit({ url, headers: taro })).connectStatus === 200);
});

function pick(record: NamedRecord, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (name in record ? [[name, record[name]]] : [])));
}
