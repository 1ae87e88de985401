import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { openDoorkeeper, type Arrival, type Doorkeeper } from '../../../src/edge/grpc/doorkeeper.ts';
import { dial, discoveryRequest, envoyNode, openAds } from '../../support/serve.ts';
import { clusterType } from '../../../src/control/xds/type-urls.ts';
import { sharedPki, startHouse, type House } from './fixture.ts';

const pki = await sharedPki();
const credentials = await pki.server();
const egress1 = await pki.client('node', 'egress-1');

const garbage: readonly [what: string, bytes: string | Buffer, arrival: Arrival][] = [
  ['an HTTP/1.1 request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'refused_garbage'],
  ['zeros', Buffer.alloc(65_536), 'refused_garbage'],
  ['a line of SSH', 'SSH-2.0-x\r\n', 'refused_garbage'],
  ['a TLS record of nonsense', Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff, ...Buffer.alloc(500, 7)]), 'tls_failed'],
  ['a TLS alert', Buffer.from([0x15, 0x03, 0x03, 0, 2, 2, 40]), 'refused_garbage'],
  ['a POST, which begins as HTTP/2 does', 'POST / HTTP/1.1\r\nHost: x\r\n\r\n', 'plaintext'],
  ['an HTTP/2 preface and nonsense after it', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'x'.repeat(1000)}`, 'plaintext'],
];

for (const [what, bytes, arrival] of garbage) {
  test(`${what} ends that connection, is counted, and hurts nobody else`, async (t) => {
    const house = await startHouse(t, { credentials });
    const socket = reach(t, house);
    socket.write(bytes);
    await closed(socket);
    assert.deepEqual(
      house.arrivals.map((one) => one.what),
      [arrival],
    );
    await assertAlive(t, house);
  });
}

test('a client that resets its connection at any point of a handshake hurts nobody', async (t) => {
  const house = await startHouse(t, { credentials });
  const hello = await clientHello();
  for (let length = 0; length <= hello.length; length += 40) {
    const socket = reach(t, house);
    await once(socket, 'connect');
    if (length > 0) await new Promise((written) => socket.write(hello.subarray(0, length), written));
    socket.resetAndDestroy();
  }
  await assertAlive(t, house);
});

test('a client that closes without a word is counted as silent', async (t) => {
  const house = await startHouse(t, { credentials });
  const socket = reach(t, house);
  socket.end();
  await closed(socket);
  assert.equal(house.arrivals[0]?.what, 'refused_silent');
});

test('a client that says nothing, or stops in the middle of a handshake, is hung up on after a while', async (t) => {
  const { doorkeeper, arrivals } = await door(t, 50);
  const silent = reach(t, doorkeeper);
  await closed(silent);
  const half = reach(t, doorkeeper);
  half.write((await clientHello()).subarray(0, 100));
  await closed(half);
  assert.deepEqual(arrivals, ['refused_silent', 'tls_failed']);
});

test('TLS without HTTP/2 is no gRPC and is hung up on', async (t) => {
  const house = await startHouse(t, { credentials });
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: house.server.port, servername: 'sekisho.internal' },
    ...{ ca: egress1.ca, key: egress1.key, cert: egress1.certificate },
  });
  await closed(socket);
  assert.equal(house.arrivals[0]?.what, 'tls_failed');
});

test('closing does not wait for those who were not let in yet', async (t) => {
  const { doorkeeper } = await door(t, 60_000);
  const hello = await clientHello();
  const silent = reach(t, doorkeeper);
  const half = reach(t, doorkeeper);
  half.write(hello.subarray(0, 100));
  await Promise.all([once(silent, 'connect'), once(half, 'connect')]);
  // A third connection that is decided proves that the two before it were accepted.
  const third = reach(t, doorkeeper);
  third.write('x');
  await closed(third);
  await Promise.all([doorkeeper.close(), closed(silent), closed(half)]);
});

async function door(t: TestContext, silenceMs: number): Promise<{ doorkeeper: Doorkeeper; arrivals: Arrival[] }> {
  const arrivals: Arrival[] = [];
  const doorkeeper = await openDoorkeeper({
    listen: { host: '127.0.0.1', port: 0 },
    credentials,
    admit: (socket) => socket.destroy(),
    arrived: (what) => arrivals.push(what),
    silenceMs,
  });
  t.after(() => doorkeeper.close());
  return { doorkeeper, arrivals };
}

function reach(t: TestContext, to: House | Doorkeeper): Socket {
  const socket = connect({ host: '127.0.0.1', port: 'server' in to ? to.server.port : to.port });
  socket.on('error', () => undefined);
  // Until somebody reads, a socket does not see its end.
  socket.resume();
  t.after(() => socket.destroy());
  return socket;
}

async function assertAlive(t: TestContext, house: House): Promise<void> {
  const ads = openAds(dial(t, house.to, egress1));
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
  assert.ok(Buffer.isBuffer(await ads.next()));
}

/** The first flight of a TLS client. */
async function clientHello(): Promise<Buffer> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const client = connectTls({ host: '127.0.0.1', port: address.port, servername: 'sekisho.internal' });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  server.close();
  assert.ok(hello.length > 200);
  return hello;
}

/** When it is gone, by whatever end. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) =>
    socket.once('close', () => {
      resolve();
    }),
  );
}
