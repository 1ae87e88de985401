import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { eventually, get } from '../support/envoy.ts';
import { openHouse, type House } from '../support/house.ts';

const scanner = '127.200.9.1';
const colleague = '127.200.9.2';
const latecomer = '127.200.9.3';
const consoleHost = 'us-east-1.console.aws.amazon.com';
const burst = 10;

let house: House;
before(async () => {
  house = await openHouse({
    policy: (policy) => {
      const listen = policy.doors[0]?.listen.replace(':3128', ':8443') ?? '';
      policy.doors.push({ name: 'lan', on: 'egress', kind: 'reverse', listen, users: 'none' });
      policy.console.resolvers = ['127.0.0.1:1'];
      // One token a minute: none to speak of while this runs.
      policy.record.refusals = { burst, rate: 1, tally: '1s' };
    },
  });
});
after(() => house.close());

describe('a client that is refused faster than the policy has it on record', { concurrency: true }, () => {
  /** How somebody is refused → at which port, how, in which log it shows, and with which reason. */
  const ways = {
    'CONNECTs to a host off the list': [3128, connectElsewhere, 'lab/connect', 'host'],
    'bytes that are no HTTP at a proxy': [3128, noHttp, 'lab/connect', 'protocol'],
    'server names off the list': [8443, foreignName, 'lan/connection', 'no_filter_chain'],
    'handshakes without a version of ours': [8443, oldTls, 'lan/connection', 'handshake'],
  } as const;
  for (const [name, [port, way, log, reason]] of Object.entries(ways)) {
    const refused = { 'sekisho.log': log, 'sekisho.denied.reason': reason };

    test(`leaves records of ${name} and of how many more there were, and their sum is what happened`, async () => {
      await many(300, () => way(scanner, port));
      await many(3, () => way(colleague, port));
      const ofScanner = () => recordsWith({ 'client.address': scanner, ...refused });
      await eventually('the sum', () => Promise.resolve(toldOf(ofScanner()) >= 300));
      assert.equal(toldOf(ofScanner()), 300);
      // Tokens of some minutes at most, and a count for each second in which refusals came.
      assert.ok(ofScanner().length < 60, `${ofScanner().length} records`);
      const alone = ofScanner().filter((one) => one['sekisho.suppressed.count'] === undefined);
      assert.ok(alone.length >= burst, `${alone.length} records`);
      for (const one of ofScanner()) {
        const since = one['sekisho.suppressed.since'];
        if (since !== undefined) assert.ok(since <= (one['sekisho.received'] ?? ''));
      }

      const ofColleague = () => recordsWith({ 'client.address': colleague, ...refused });
      await eventually('three records', () => Promise.resolve(ofColleague().length >= 3));
      assert.deepEqual(
        ofColleague().map((one) => one['sekisho.suppressed.count']),
        [undefined, undefined, undefined],
      );
    });
  }

  test('has each of its requests on record that is not refused', async () => {
    const person = house.visitor({ localAddress: scanner });
    const paths = Array.from({ length: 5 * burst }, (_, n) => `/api/allowed-${n}`);
    for (const path of paths) {
      assert.equal((await person.request({ url: `https://${consoleHost}${path}` })).status, 200);
    }
    await house.record({ 'url.path': paths.at(-1) ?? '' });
    for (const path of paths) assert.equal(recordsWith({ 'url.path': path, 'client.address': scanner }).length, 1);
  });
});

test('what was counted and is not on record yet is when the service stops, and a metric told of it before', async () => {
  await house.reload((policy) => {
    policy.record.refusals = { burst, rate: 1, tally: '10m' };
  });
  const before = await suppressedMetric();
  await many(50, () => connectElsewhere(latecomer, 3128));
  await eventually('the metric', async () => (await suppressedMetric()) - before >= 50 - burst - 1);
  const ofLatecomer = () => recordsWith({ 'client.address': latecomer });
  assert.ok(ofLatecomer().every((one) => one['sekisho.suppressed.count'] === undefined));
  house.service().signal('SIGTERM');
  assert.equal(await house.service().ended, 0);
  await eventually('the sum', () => Promise.resolve(toldOf(ofLatecomer()) >= 50));
  assert.equal(toldOf(ofLatecomer()), 50);
});

/** Of how many refusals records tell. */
function toldOf(records: readonly NamedRecord[]): number {
  return records.reduce((sum, one) => sum + 1 + Number(one['sekisho.suppressed.count'] ?? 0), 0);
}

function recordsWith(wanted: Readonly<Record<string, string>>): NamedRecord[] {
  return house.records.filter((one) => Object.entries(wanted).every(([name, value]) => one[name] === value));
}

async function suppressedMetric(): Promise<number> {
  const { body } = await get(`http://${house.address}:18080/metrics`);
  return Number(/^sekisho_refusals_suppressed_total\{node="egress-1"\} (\d+)$/m.exec(body)?.[1] ?? 0);
}

/** So many times, some of them at once. */
async function many(times: number, once_: () => Promise<void>): Promise<void> {
  let left = times;
  const one = async (): Promise<void> => {
    while (left-- > 0) await once_();
  };
  await Promise.all(Array.from({ length: 10 }, one));
}

async function dial(localAddress: string, port: number): Promise<Socket> {
  const socket = connect({ host: house.address, port, localAddress });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function connectElsewhere(from: string, port: number): Promise<void> {
  const socket = await dial(from, port);
  socket.write('CONNECT files.example.com:443 HTTP/1.1\r\nhost: files.example.com:443\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 403/);
  socket.destroy();
}

async function noHttp(from: string, port: number): Promise<void> {
  const socket = await dial(from, port);
  socket.write('EHLO scanner\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 400/);
  socket.destroy();
}

async function foreignName(from: string, port: number): Promise<void> {
  await closedAfter(connectTls({ socket: await dial(from, port), servername: 'evil.example' }));
}

async function oldTls(from: string, port: number): Promise<void> {
  const versions = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await closedAfter(connectTls({ socket: await dial(from, port), servername: consoleHost, ...versions }));
}

/** A handshake that the door refuses. */
async function closedAfter(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  await new Promise((closed) => socket.once('close', closed));
}
