import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { downloadBytes } from '../../src/edge/demo/stand-in-pages.ts';
import { echoPath } from '../../src/edge/demo/stand-in-sockets.ts';
import { eventually } from '../support/envoy.ts';
import { openHouse, type House } from '../support/house.ts';
import { line } from '../support/sekisho.ts';

const consoleHost = 'us-east-1.console.aws.amazon.com';
const newHost = 'example.awsapps.com';

let house: House;
before(async () => {
  // Old enough for `ca init` to make the intermediate again.
  house = await openHouse({ futureHosts: [newHost], authoritiesDaysAgo: 300 });
});
after(() => house.close());

test('a host is admitted and refused again within a second of the file, and neither WebSocket nor download notice', async () => {
  const socket = await openSocket();
  const download = await openDownload();
  const person = house.visitor();
  const ask = () => person.request({ url: `https://${newHost}/console/home` });
  assert.equal((await ask()).connectStatus, 403);

  await house.writePolicy(({ console: { also, pins } }) => {
    also.push(newHost);
    pins[newHost] = [`${house.standIn.host}:${house.standIn.port}`];
  });
  await eventually('the new host is admitted', () => ask().then(({ status }) => status === 200, no), 1000);
  assert.equal(await echo(socket, 'still here'), 'still here');

  await house.writePolicy(({ console: { also, pins } }) => {
    also.splice(0);
    pins[newHost] = [];
    Reflect.deleteProperty(pins, newHost);
  });
  // This person's tunnel stays open, and what it carries is refused.
  await eventually('the open tunnel is refused', () => ask().then(({ status }) => status === 403, no), 1000);
  const newcomer = house.visitor();
  const asked = () => newcomer.request({ url: `https://${newHost}/` });
  await eventually(
    'a new tunnel is refused',
    () => asked().then(({ connectStatus }) => connectStatus === 403, no),
    1000,
  );

  assert.equal(await echo(socket, 'to the end'), 'to the end');
  socket.close();
  assert.equal(await download.rest(), downloadBytes);
});

const bad: [name: string, text: (good: string) => string, said: RegExp][] = [
  ['no YAML', () => 'fleet: [', /sekisho\.yaml:1:\d+: /],
  ['an unknown key', (good) => `${good}\nnonsense: 1\n`, /sekisho\.yaml:\d+:1: .*nonsense/],
  ['something that is not built', (good) => `${good}\naws: {}\n`, /sekisho\.yaml:\d+:1: .*not built/],
  [
    'a host that the console CA does not cover',
    (good) => good.replace('also: []', 'also: [a.example]'),
    /"ca_invalid"/,
  ],
  ['nothing', () => '', /sekisho\.yaml:1:1: /],
];
test('a bad policy file changes nothing, says why, and the next good one holds', async () => {
  const before = await versionOf();
  const good = await house.policyText();
  for (const [name, text, said] of bad) {
    const from = house.log.length;
    await house.writePolicy({ text: text(good) });
    await line(house.log, /the changed policy is not used; the last good one holds/, from);
    await line(house.log, said, from).catch((caught: unknown) => {
      throw new Error(name, { cause: caught });
    });
    assert.equal((await house.visitor().request({ url: `https://${consoleHost}/` })).status, 302);
    assert.equal(await versionOf(), before);
  }
  await house.reload(({ record }) => {
    record.redact.query.push('ticket');
  });
  assert.equal(await versionOf(), before);
});

test('a renewed leaf comes by SDS while requests flow, and none of them fails', async () => {
  const socket = await openSocket();
  const old = await leafAndIssuer();
  const ended = new AbortController();
  const failures: unknown[] = [];
  let answered = 0;
  const crowd = ([1, 2] as const).flatMap((http) =>
    [consoleHost, 'signin.aws.amazon.com'].map(async (host) => {
      const person = house.visitor();
      while (!ended.signal.aborted) {
        // In turn through a tunnel that is kept and through a new one.
        const own = answered % 2 === 0 ? {} : { connectTo: `${host}:443` };
        const asked = person.request({ url: `https://${host}/console/home`, http, ...own });
        await asked.then(
          ({ status }) => (status === 200 ? (answered += 1) : failures.push(status)),
          (caught: unknown) => failures.push(caught),
        );
      }
    }),
  );
  await eventually('requests flow', () => Promise.resolve(answered > 20));
  await house.renewAuthorities();
  house.service().signal('SIGHUP');
  await eventually('the door shows a leaf of the new intermediate', async () => {
    const now = await leafAndIssuer();
    return now.leaf !== old.leaf && now.issuer !== old.issuer;
  });
  const renewed = answered;
  await eventually('requests go on', () => Promise.resolve(answered > renewed + 20));
  ended.abort();
  await Promise.all(crowd);
  assert.deepEqual(failures, []);
  assert.equal(await echo(socket, 'across the renewal'), 'across the renewal');
  socket.close();
});

function no(): boolean {
  return false;
}

async function versionOf(): Promise<string> {
  const { nodes } = JSON.parse(await house.fleet()) as { nodes: { running: string }[] };
  return nodes[0]?.running ?? '';
}

async function openSocket(): Promise<WebSocket> {
  const connection = await house.connect(consoleHost);
  const socket = new WebSocket(`wss://${consoleHost}${echoPath}`, { createConnection: () => connection });
  await once(socket, 'open');
  return socket;
}

async function echo(socket: WebSocket, message: string): Promise<string> {
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(5000) });
  socket.send(message);
  const [data] = (await answer) as [Buffer];
  return data.toString();
}

/** A download whose reader stops after the head, so that it is under way until somebody wants the rest. */
async function openDownload(): Promise<{ rest(): Promise<number> }> {
  const connection: TLSSocket = await house.connect(consoleHost);
  connection.write(`GET /download HTTP/1.1\r\nhost: ${consoleHost}\r\nconnection: close\r\n\r\n`);
  await once(connection, 'readable', { signal: AbortSignal.timeout(5000) });
  return {
    rest: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of connection) chunks.push(chunk as Buffer);
      const whole = Buffer.concat(chunks);
      return whole.length - (whole.indexOf('\r\n\r\n') + 4);
    },
  };
}

async function leafAndIssuer(): Promise<{ leaf: string; issuer: string }> {
  const connection = await house.connect(consoleHost);
  const { fingerprint256, issuerCertificate } = connection.getPeerCertificate(true);
  connection.destroy();
  return { leaf: fingerprint256, issuer: issuerCertificate.fingerprint256 };
}
