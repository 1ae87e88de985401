import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { eventually } from '../support/envoy.ts';
import { openHouse, type DoorEntry, type House } from '../support/house.ts';

/** Every kind of door, in one Envoy. */
const extra = (address: string): DoorEntry[] => [
  { name: 'blind', on: 'egress', kind: 'forward', inspect: 'tunnel', listen: `${address}:3130`, users: 'none' },
  { name: 'lan', on: 'egress', kind: 'reverse', listen: `${address}:8443`, users: 'none' },
  { name: 'badge', on: 'egress', kind: 'reverse', listen: `${address}:8444`, users: { certificate: people } },
  { name: 'pass', on: 'egress', kind: 'reverse', inspect: 'tunnel', listen: `${address}:8445`, users: 'none' },
  { name: 'hosts', on: 'egress', kind: 'sidecar', listen: `${address}:15001`, users: 'none' },
  { name: 'hosts-blind', on: 'egress', kind: 'sidecar', inspect: 'tunnel', listen: `${address}:15002`, users: 'none' },
];
const people = 'people/people-ca.crt';
const run = promisify(execFile);
const host = 'us-east-1.console.aws.amazon.com';
const path = '/console/home';
const port: Readonly<Record<string, number>> = {
  ...{ blind: 3130, lan: 8443, badge: 8444, pass: 8445, hosts: 15001, 'hosts-blind': 15002 },
};
/** Whose certificate a client meets. */
const decrypts = (door: string): boolean => !['blind', 'pass', 'hosts-blind'].includes(door);

let house: House;
before(async () => {
  house = await openHouse({
    policy: (policy) => {
      const address = policy.doors[0]?.listen.split(':')[0] ?? '';
      policy.doors.push(...extra(address));
      // Nobody answers there: every host is pinned.
      policy.console.resolvers = ['127.0.0.1:1'];
      policy.record.periodic = '1s';
    },
  });
});
after(() => house.close());

for (const door of ['lan', 'badge', 'hosts'] as const) {
  test(`the door ${door} serves the console as itself, and a request is on record with client, host and no tunnel`, async () => {
    const { stdout } = await curl(door, [`${url(door)}?at=${door}`]);
    assert.match(stdout, /stand-in/);
    const record = await house.record({ 'sekisho.door': door, 'url.query': `at=${door}` });
    assert.equal(record['client.address'], '127.0.0.1');
    assert.equal(record['server.address'], host);
    assert.equal(record['user.id'], door === 'badge' ? 'taro.yamada' : undefined);
    assert.equal(record['sekisho.tunnel_id'], undefined);
  });

  test(`the door ${door} answers a listed server name with a foreign Host by our page, which says why`, async () => {
    const { stdout } = await curl(door, [url(door), '-w', '%{http_code} %{content_type}'], 'evil.example');
    assert.match(stdout, /the hosts on its list[^]*403 text\/html; charset=utf-8$/);
    assert.doesNotMatch(stdout, /evil\.example/);
    const record = await house.record({ 'sekisho.door': door, 'server.address': 'evil.example' });
    assert.equal(record['sekisho.denied.reason'], 'host');
  });
}

for (const door of ['pass', 'hosts-blind', 'blind'] as const) {
  test(`the door ${door} decrypts nothing, and each connection is on record when it is through and when it ends`, async () => {
    const socket = await secure(door, host);
    assert.match(socket.getPeerX509Certificate()?.issuer ?? '', /OU=public/);
    const connected = await house.record({ 'sekisho.door': door, 'sekisho.entry_type': 'TcpUpstreamConnected' });
    socket.end('GET /console/home HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await once(socket.resume(), 'close');
    const ended = await house.record({ 'sekisho.door': door, 'sekisho.entry_type': 'TcpConnectionEnd' });
    assert.equal(ended['sekisho.stream_id'], connected['sekisho.stream_id']);
    assert.equal(ended['sekisho.kind'], 'tcp');
    assert.equal(ended['tls.client.server_name'], host);
    assert.equal(ended['client.address'], '127.0.0.1');
    assert.match(String(ended['tls.client.ja3']), /^[0-9a-f]{32}$/);
    assert.ok(Number(ended['sekisho.received_bytes']) > 300 && Number(ended['sekisho.sent_bytes']) > 1000);
    assert.ok(Number(ended['sekisho.duration_ms']) > 0);
    assert.equal(ended['sekisho.tunnel_id'] !== undefined, door === 'blind');
  });
}

for (const door of ['pass', 'hosts-blind', 'blind'] as const) {
  test(`a connection through the door ${door} is on record again and again while it lasts, with ever more bytes`, async () => {
    const socket = await secure(door, host);
    const mine = { 'sekisho.door': door, 'client.port': localPort.get(socket) ?? 0 };
    const { 'sekisho.stream_id': id } = await house.record({ ...mine, 'sekisho.entry_type': 'TcpUpstreamConnected' });
    const sizes = () =>
      house.records
        .filter((one) => one['sekisho.stream_id'] === id && one['sekisho.entry_type'] === 'TcpPeriodic')
        .map((one) => Number(one['sekisho.received_bytes']));
    const seen: number[] = [];
    for (const wanted of [2000, 4000, 6000]) {
      socket.write(`GET /console/home HTTP/1.1\r\nhost: x\r\nx-filling: ${'x'.repeat(2000)}\r\n\r\n`);
      await eventually(`a record of more than ${wanted} bytes`, () => Promise.resolve((sizes().at(-1) ?? 0) > wanted));
      seen.push(sizes().at(-1) ?? 0);
    }
    assert.deepEqual(
      sizes(),
      sizes().toSorted((a, b) => a - b),
    );
    assert.ok(sizes().length >= 3 && new Set(seen).size === 3, sizes().join(' '));
    assert.ok(
      !house.records.some((one) => one['sekisho.stream_id'] === id && one['sekisho.entry_type'] === 'TcpConnectionEnd'),
    );
    socket.destroy();
  });
}

test('doors of every kind are changed and removed live, and the others do not notice', async () => {
  const kept = await secure('lan', host);
  await house.reload((policy) => {
    policy.doors = policy.doors.filter(({ name }) => name !== 'pass' && name !== 'hosts-blind');
  });
  await eventually('the door is closed', async () =>
    dial('pass').then(
      (socket) => {
        socket.destroy();
        return false;
      },
      () => true,
    ),
  );
  kept.write(`GET /console/home?kept HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  const [answer] = (await once(kept, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200/);
  kept.destroy();
});

function url(door: string): string {
  return `https://${host}:${String(port[door])}${path}`;
}

async function curl(door: string, args: readonly string[], asked = host): Promise<{ stdout: string }> {
  const there = ['--resolve', `${host}:${String(port[door])}:${house.address}`, '-H', `Host: ${asked}`];
  const trust = ['--cacert', join(house.pki, 'console-root.crt')];
  const who = door === 'badge' ? ['--cert', personFile('crt'), '--key', personFile('key')] : [];
  return run('curl', ['-sS', '--max-time', '10', ...there, ...trust, ...who, ...args]);
}

function personFile(ending: string): string {
  return join(house.dir, 'people', `taro.yamada.${ending}`);
}

/** A connection to what stands in for the console at a door: behind a CONNECT at a proxy, the door itself elsewhere. */
async function dial(door: string): Promise<Socket> {
  const socket = connect({ host: house.address, port: port[door] ?? 0 });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (door !== 'blind') return socket;
  socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nhost: ${host}:443\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200/);
  return socket;
}

/** From which port a connection through a door came. */
const localPort = new WeakMap<Socket, number>();

async function secure(door: string, servername: string): Promise<TLSSocket> {
  const socket = await dial(door);
  const secure = connectTls({
    socket,
    servername,
    ca: decrypts(door) ? house.consoleCa : house.publicCa,
    ...(door === 'badge' && house.person),
  });
  secure.on('error', () => undefined);
  localPort.set(secure, socket.localPort ?? 0);
  await once(secure, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
  return secure;
}
