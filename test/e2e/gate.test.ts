import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { eventually } from '../support/envoy.ts';
import { openHouse, type DoorEntry, type House, type VisitOptions } from '../support/house.ts';
import { assertNowhere, filesIn } from '../support/secret-search.ts';
import { basicCredentials, usersLine } from '../support/users-line.ts';
import { dialConsole } from '../support/ways-in.ts';

const host = 'us-east-1.console.aws.amazon.com';
const password = 'correct horse: bättery';
const html = { accept: 'text/html,application/xhtml+xml' };

let house: House;
before(async () => {
  house = await openHouse({
    files: { users: await usersLine('花子', password) },
    policy: (policy) => {
      policy.record.assurance = 'gate';
      // Nobody answers there: every host is pinned.
      policy.console.resolvers = ['127.0.0.1:1'];
      const at = (port: number) => policy.doors[0]?.listen.replace(':3128', `:${port}`) ?? '';
      policy.doors.push(...direct(policy.doors[0]?.listen.split(':')[0] ?? ''));
      policy.doors.push({ name: 'desk', on: 'egress', kind: 'forward', users: { basic: 'users' }, listen: at(3131) });
    },
  });
});
after(() => house.close());

interface Visit extends Pick<VisitOptions, 'door' | 'localAddress' | 'proxyHeaders'> {
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly http?: 1 | 2;
}

async function visit(path: string, { headers = {}, method = 'GET', http = 1, ...options }: Visit = {}) {
  const person = house.visitor(options);
  try {
    return await person.request({ url: `https://${host}${path}`, headers, method, http });
  } finally {
    await person.close();
  }
}

const direct = (address: string): DoorEntry[] =>
  (
    [
      ['pass', 'reverse', 8445],
      ['hosts', 'sidecar', 15002],
      ['blind', 'forward', 3130],
    ] as const
  ).map(([name, kind, port]) => {
    return { name, kind, on: 'egress', inspect: 'tunnel', users: 'none', listen: `${address}:${port}` };
  });

/** TLS with the console itself, through a door that does not decrypt. */
async function secure(name: string): Promise<TLSSocket> {
  const door = direct(house.address).find((one) => one.name === name);
  assert.ok(door);
  const socket = connectTls({ socket: await dialConsole(house, door, host), servername: host, ca: house.publicCa });
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
  return socket;
}

describe('what passes at assurance gate', { concurrency: 10 }, () => {
  for (const http of [1, 2] as const) {
    for (const door of ['lab', 'office', 'desk']) {
      test(`a request by HTTP/${http} at ${door} has an intent, which says the same as its outcome`, async () => {
        const path = `/api/intent-${door}-${http}`;
        const localAddress = `127.240.${http}.${['lab', 'office', 'desk'].indexOf(door) + 1}`;
        const proxyHeaders = door === 'desk' ? { 'proxy-authorization': basicCredentials('花子', password) } : {};
        const headers = {
          'user-agent': 'walker/1',
          'x-sekisho-user': 'forged',
          cookie: 'aws-userInfo=%7B%22arn%22%3A%22arn%3Aaws%3Aiam%3A%3A123456789012%3Auser%2Ftaro%22%7D',
        };
        const asked = await visit(`${path}?token=abcd&page=1`, { door, http, localAddress, proxyHeaders, headers });
        assert.equal(asked.status, 200);

        const outcome = await house.record({ 'url.path': path, 'sekisho.kind': 'http' });
        const intent = await house.record({
          'sekisho.kind': 'intent',
          'sekisho.stream_id': String(outcome['sekisho.stream_id']),
        });
        assert.ok(Number(intent['sekisho.index']) < Number(outcome['sekisho.index']));
        const same = [
          ...['time', 'client.address', 'client.port', 'user.id', 'tls.client.subject', 'sekisho.claimed_arn'],
          ...['http.request.method', 'url.scheme', 'server.address', 'url.path', 'url.query', 'user_agent.original'],
          ...[
            'sekisho.node',
            'sekisho.door',
            'sekisho.log',
            'sekisho.identity',
            'sekisho.tunnel_id',
            'sekisho.stream_id',
          ],
          ...['network.protocol.version', 'tls.client.server_name'],
        ];
        for (const name of same) assert.equal(intent[name], outcome[name], name);
        assert.equal(intent['url.query'], 'token=REDACTED&page=1');
        assert.equal(intent['user.id'], { lab: undefined, office: 'taro.yamada', desk: '花子' }[door]);
        assert.equal(intent['sekisho.assurance'], 'gate');
        assert.equal(intent['http.response.status_code'], undefined);

        const connect = String(outcome['sekisho.tunnel_id']);
        const [asks, opened] = await Promise.all([
          house.record({ 'sekisho.kind': 'intent', 'sekisho.stream_id': connect }),
          house.record({ 'sekisho.kind': 'http', 'sekisho.stream_id': connect }),
        ]);
        assert.deepEqual(
          [asks['sekisho.log'], asks['http.request.method'], asks['server.address'], asks['user.id']],
          [`${door}/connect`, 'CONNECT', host, intent['user.id']],
        );
        assert.equal(asks['client.port'], opened['client.port']);
      });
    }
  }

  for (const door of ['pass', 'hosts', 'blind']) {
    test(`a connection that ${door} does not decrypt has an intent, and is dialled only then`, async () => {
      const socket = await secure(door);
      assert.match(socket.getPeerX509Certificate()?.issuer ?? '', /OU=public/);
      socket.end('GET /console/home HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      await once(socket.resume(), 'close');
      const outcome = await house.record({ 'sekisho.door': door, 'sekisho.entry_type': 'TcpConnectionEnd' });
      const intent = await house.record({
        'sekisho.kind': 'intent',
        'sekisho.stream_id': String(outcome['sekisho.stream_id']),
      });
      const same = ['client.address', 'client.port', 'sekisho.log', 'tls.client.server_name', 'sekisho.tunnel_id'];
      for (const name of same) assert.equal(intent[name], outcome[name], name);
      assert.equal(intent['tls.client.server_name'], host);
      assert.equal(intent['sekisho.tunnel_id'] !== undefined, door === 'blind');
    });
  }

  test('what is refused leaves no intent: a host off the list, and a wrong password', async () => {
    const person = house.visitor({ localAddress: '127.241.1.1' });
    assert.equal((await person.request({ url: 'https://files.example.com/' })).connectStatus, 403);
    const proxyHeaders = { 'proxy-authorization': basicCredentials('花子', 'wrong') };
    assert.equal(
      (await visit('/api/no', { door: 'desk', localAddress: '127.241.1.1', proxyHeaders })).connectStatus,
      407,
    );
    const known = { 'proxy-authorization': basicCredentials('花子', password) };
    const strange = house.visitor({ door: 'desk', localAddress: '127.241.1.1', proxyHeaders: known });
    assert.equal((await strange.request({ url: 'https://files.example.com/' })).connectStatus, 403);
    await eventually('three outcomes', () => Promise.resolve(of('127.241.1.1').length >= 3));
    assert.deepEqual(of('127.241.1.1'), ['http host', 'http host', 'http wrong_credentials']);
  });

  const of = (address: string): string[] =>
    house.records
      .filter((record) => record['client.address'] === address)
      .map((record) => `${String(record['sekisho.kind'])} ${String(record['sekisho.denied.reason'])}`)
      .sort();
});

test('no sink, no request: 503 with a page or a line, nothing at the console, and the outcome on record afterwards', async () => {
  const kept = house.visitor({ localAddress: '127.242.1.1' });
  const ask = (path: string, headers = {}) => kept.request({ url: `https://${host}${path}`, headers });
  assert.equal((await ask('/api/open')).status, 200);
  house.service().signal('SIGKILL');
  await house.service().ended;

  const page = await ask('/api/shut-page', html);
  assert.equal(page.status, 503);
  assert.match(String(page.headers['content-type']), /^text\/html/);
  assert.match(page.body.toString(), /<h1>Not let through at this moment<\/h1>[^]*not sent to AWS/);
  assert.equal(page.headers['retry-after'], '10');
  const line = await ask('/api/shut-line', { accept: '*/*' });
  assert.equal(line.status, 503);
  assert.match(String(line.headers['content-type']), /^text\/plain/);
  assert.match(line.body.toString(), /^sekisho: not let through.*nothing was sent/);
  await assert.rejects(secure('pass'));
  const shut = await visit('/api/shut-tunnel');
  assert.equal(shut.connectStatus, 503);
  assert.match(shut.body.toString(), /^sekisho: not let through/);

  await house.startService();
  await eventually('the door is open again', async () => (await visit('/api/again')).status === 200);
  assert.deepEqual(
    house.standIn.requests.filter(({ path }) => path.startsWith('/api/shut')),
    [],
  );
  for (const path of ['/api/shut-page', '/api/shut-line']) {
    const outcome = await house.record({ 'url.path': path, 'http.response.status_code': 503 });
    assert.equal(outcome['sekisho.response_code_details'], 'ext_authz_error');
  }
});

test('nothing that was withheld is on the disk, nor what the door itself says at the console', async () => {
  assertNowhere(
    { password, cookie: 'aws-userInfo' },
    (await filesIn(house.dir)).filter(({ name }) => name.includes('journal')),
  );
  for (const { headers } of house.standIn.requests) {
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('x-sekisho')),
      [],
    );
  }
});
