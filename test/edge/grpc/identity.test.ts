import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { clusterType, secretType } from '../../../src/control/xds/type-urls.ts';
import { isLoopback, openDoorkeeper } from '../../../src/edge/grpc/doorkeeper.ts';
import { alsMessage, consoleRequest, httpEntry } from '../../sink/record/entries.ts';
import { eventually } from '../../support/envoy.ts';
import { dial, discoveryRequest, envoyNode, openAds, openAls, type ClientPem } from '../../support/serve.ts';
import { sharedPki, startHouse, type House } from './fixture.ts';

const pki = await sharedPki();
const foreign = await sharedPki('osaka');
const credentials = await pki.server();
const egress1 = await pki.client('node', 'egress-1');

const entry = httpEntry(consoleRequest());
const from = (node: string): Buffer =>
  alsMessage({ identifier: { node: { id: node }, log_name: 'office' }, http: [entry] });
const asks = (node: string, type = clusterType): Buffer =>
  discoveryRequest({ node: envoyNode(node), type_url: type, resource_names_subscribe: ['one'] });

test('a node certificate speaks for its own node: its records are stored and it is told what it shall have', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to, egress1);
  const als = openAls(client);
  als.call.end(from('egress-1'));
  assert.equal(await als.ended, undefined);
  assert.equal(house.journal.nextIndex, 1);

  const ads = openAds(client);
  ads.call.write(asks('egress-1', secretType));
  const response = await ads.next();
  assert.ok(Buffer.isBuffer(response));
  assert.equal(readSecretNames(response), 'one');
  assert.equal(house.arrivals.at(0)?.what, 'tls');
});

test('a node certificate speaks for no other node, neither for records nor for configuration', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to, egress1);
  const als = openAls(client);
  als.call.write(from('egress-2'));
  assert.equal((await als.ended)?.code, status.PERMISSION_DENIED);
  assert.equal(house.journal.nextIndex, 0);
  assert.deepEqual(house.failed, ['identity_mismatch']);

  const ads = openAds(client);
  ads.call.write(asks('egress-2'));
  assert.equal((await ads.ended).code, status.PERMISSION_DENIED);
  assert.equal(ads.received.length, 0);
  assert.deepEqual(refusals(house), ['identity_mismatch']);
});

test('a stream that began as one node cannot go on as another', async (t) => {
  const house = await startHouse(t, { credentials });
  const als = openAls(dial(t, house.to));
  als.call.write(from('egress-1'));
  als.call.write(from('egress-2'));
  assert.equal((await als.ended)?.code, status.PERMISSION_DENIED);
  assert.equal(house.journal.nextIndex, 1);
});

test('a node whose certificate is good but that the policy does not know gets NOT_FOUND', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to, await pki.client('node', 'stranger'));
  const als = openAls(client);
  als.call.write(from('stranger'));
  assert.equal((await als.ended)?.code, status.NOT_FOUND);
  const ads = openAds(client);
  ads.call.write(asks('stranger'));
  assert.equal((await ads.ended).code, status.NOT_FOUND);
});

test('a reader’s certificate is good for the handshake and for nothing that nodes do', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to, await pki.client('reader', 'audit'));
  const als = openAls(client);
  als.call.write(from('egress-1'));
  assert.equal((await als.ended)?.code, status.PERMISSION_DENIED);
  const ads = openAds(client);
  ads.call.write(asks('egress-1'));
  assert.equal((await ads.ended).code, status.PERMISSION_DENIED);
  assert.equal(house.journal.nextIndex, 0);
});

const strangers: readonly [who: string, pem: () => Promise<ClientPem>][] = [
  ['without a certificate', () => pki.nobody()],
  [
    'with the certificate of another fleet',
    async () => ({ ...(await foreign.client('node', 'egress-1')), ca: egress1.ca }),
  ],
  [
    'with the server’s own certificate, which is not for clients',
    () =>
      Promise.resolve({
        ca: egress1.ca,
        key: Buffer.from(credentials.privateKey),
        certificate: Buffer.from(credentials.certificate),
      }),
  ],
];

for (const [who, pem] of strangers) {
  test(`a client ${who} gets no handshake, and the refusal tells from where it came and why`, async (t) => {
    const house = await startHouse(t, { credentials });
    const ads = openAds(dial(t, house.to, await pem()));
    ads.call.write(asks('egress-1'));
    assert.equal((await ads.ended).code, status.UNAVAILABLE);
    const refused = house.arrivals.at(0);
    assert.equal(refused?.what, 'tls_failed');
    assert.match(refused.remote, /^127\.0\.0\.1:\d+$/);
    assert.doesNotMatch(refused.why ?? '', /hang up/);
    assert.ok(house.arrivals.every(({ what }) => what === 'tls_failed'));
    assert.equal(house.events.length, 0);
  });
}

test('a server that shows a node’s certificate is not believed by its clients', async (t) => {
  const house = await startHouse(t, {
    credentials: {
      certificate: egress1.certificate.toString(),
      privateKey: egress1.key.toString(),
      clientAuthority: egress1.ca.toString(),
    },
  });
  const ads = openAds(dial(t, house.to, egress1));
  ads.call.write(asks('egress-1'));
  assert.equal((await ads.ended).code, status.UNAVAILABLE);
});

test('TLS 1.2 is refused', async (t) => {
  const house = await startHouse(t, { credentials });
  const socket = connectTls({
    ...tlsOptions(house, egress1),
    maxVersion: 'TLSv1.2',
  });
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
  assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  await eventually('counted', () => Promise.resolve(house.arrivals.length === 1));
  assert.equal(house.arrivals[0]?.what, 'tls_failed');
});

test('a resumed TLS session is the node of its certificate, not somebody of this host', async (t) => {
  const house = await startHouse(t, { credentials });
  const first = connectTls(tlsOptions(house, egress1));
  const session = await new Promise<Buffer>((resolve) => first.once('session', resolve));
  first.destroy();
  const second = connectTls({ ...tlsOptions(house, egress1), session });
  await new Promise((secured) => second.once('secureConnect', secured));
  assert.ok(second.isSessionReused());
  const answer = await dialOver(t, second, house);
  assert.equal(answer, status.PERMISSION_DENIED);
});

test('who was refused a handshake cannot come in by resuming it', async (t) => {
  const house = await startHouse(t, { credentials });
  const stranger = await foreign.client('node', 'egress-1');
  const socket = connectTls(tlsOptions(house, { ...stranger, ca: egress1.ca }));
  let session: Buffer | undefined;
  socket.on('session', (one: Buffer) => (session = one));
  socket.on('error', () => undefined);
  await new Promise((closed) => socket.once('close', closed));
  const again = connectTls({ ...tlsOptions(house, { ca: egress1.ca }), ...(session && { session }) });
  again.on('error', () => undefined);
  await new Promise((closed) => again.once('close', closed));
  assert.ok(house.arrivals.every(({ what }) => what === 'tls_failed'));
});

test('plain text comes in over loopback, speaks for any node of the policy, and never gets a secret', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to);
  const als = openAls(client);
  als.call.end(from('egress-2'));
  assert.equal(await als.ended, undefined);

  const ads = openAds(client);
  ads.call.write(asks('egress-2', secretType));
  const response = await ads.next();
  assert.ok(Buffer.isBuffer(response));
  assert.equal(readSecretNames(response), '');
  assert.ok(house.events.some(({ kind }) => kind === 'withheld'));
  ads.call.write(discoveryRequest({ type_url: clusterType, resource_names_subscribe: ['one'] }));
  const clusters = await ads.next();
  assert.ok(Buffer.isBuffer(clusters));
  assert.ok(clusters.includes('one'));
  assert.equal(house.arrivals.at(0)?.what, 'plaintext');
});

test('an address that is not on loopback takes no plain text at all, not even from this host', async (t) => {
  const house = await startHouse(t, { credentials, host: '0.0.0.0' });
  const ads = openAds(dial(t, house.to));
  ads.call.write(asks('egress-1'));
  assert.equal((await ads.ended).code, status.UNAVAILABLE);
  assert.equal(house.arrivals.at(0)?.what, 'refused_plaintext');
  const secured = openAds(dial(t, house.to, egress1));
  secured.call.write(asks('egress-1'));
  assert.ok(Buffer.isBuffer(await secured.next()));
});

const hosts: readonly [host: string, loopback: boolean][] = [
  ['127.0.0.1', true],
  ['127.255.1.2', true],
  ['::1', true],
  ['localhost', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:10.0.0.1', false],
  ['0.0.0.0', false],
  ['::', false],
  ['10.127.0.1', false],
  ['127.0.0.1.example.com', false],
  ['128.0.0.1', false],
  ['', false],
];
for (const [host, loopback] of hosts) {
  test(`${JSON.stringify(host)} is ${loopback ? '' : 'not '}on loopback`, () => {
    assert.equal(isLoopback(host), loopback);
  });
}

test('new credentials hold for new handshakes, a resumed one included, while open streams go on', async (t) => {
  const house = await startHouse(t, { credentials });
  const old = openAds(dial(t, house.to, egress1));
  old.call.write(asks('egress-1'));
  assert.ok(Buffer.isBuffer(await old.next()));
  const resumable = connectTls(tlsOptions(house, egress1));
  const session = await new Promise<Buffer>((resolve) => resumable.once('session', resolve));
  resumable.destroy();

  house.server.renew(await foreign.server());
  const refused = openAds(dial(t, house.to, { ...egress1, ca: (await foreign.nobody()).ca }));
  refused.call.write(asks('egress-1'));
  assert.equal((await refused.ended).code, status.UNAVAILABLE);
  const resumed = connectTls({ ...tlsOptions(house, egress1), session, rejectUnauthorized: false });
  resumed.on('error', () => undefined);
  await new Promise((closed) => resumed.once('close', closed));
  assert.equal(house.arrivals.at(-1)?.what, 'tls_failed');

  old.call.write(discoveryRequest({ type_url: secretType, resource_names_subscribe: ['one'] }));
  assert.ok(Buffer.isBuffer(await old.next()));
});

test('a taken port is said to be taken', async (t) => {
  const house = await startHouse(t, { credentials });
  await assert.rejects(
    openDoorkeeper({
      listen: { host: '127.0.0.1', port: house.server.port },
      credentials,
      admit: () => assert.fail('nobody comes'),
      arrived: () => undefined,
    }),
    { code: 'address_in_use' },
  );
});

/** Says the gRPC call of egress-2 on a TLS connection that stands, and gives the status. */
async function dialOver(t: Parameters<typeof dial>[0], socket: TLSSocket, house: House): Promise<number> {
  // A client of grpc-js makes its own connections, so one in plain text is passed on through the connection at hand.
  const { createServer } = await import('node:net');
  const relay = createServer((inside) => {
    inside.pipe(socket).pipe(inside);
    inside.on('error', () => socket.destroy());
    socket.on('error', () => inside.destroy());
  });
  await new Promise<void>((listening) => relay.listen(0, '127.0.0.1', listening));
  t.after(() => {
    relay.close();
    socket.destroy();
  });
  const address = relay.address();
  assert.ok(address !== null && typeof address === 'object');
  const ads = openAds(dial(t, `127.0.0.1:${address.port}`));
  ads.call.write(asks('egress-2'));
  const { code } = await ads.ended;
  assert.equal(house.events.filter(({ kind }) => kind === 'connected').length, 0);
  return code;
}

function tlsOptions(house: House, pem: ClientPem) {
  return {
    host: '127.0.0.1',
    port: house.server.port,
    ca: pem.ca,
    ...(pem.key && { key: pem.key }),
    ...(pem.certificate && { cert: pem.certificate }),
    servername: 'sekisho.internal',
    ALPNProtocols: ['h2'],
  };
}

function refusals(house: House): string[] {
  return house.events.flatMap((event) => (event.kind === 'refused' ? [event.error.code] : []));
}

/** The names in a response whose bodies are not JSON, as those of this file. */
function readSecretNames(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  assert.ok(text.includes(secretType));
  return text.includes('Secret one') ? 'one' : '';
}
