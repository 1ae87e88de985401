import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { clusterType, listenerType, secretType } from '../../../../src/control/xds/type-urls.ts';
import { FieldReader } from '../../../../src/wire/protobuf.ts';
import { eventually } from '../../../support/envoy.ts';
import { dial, discoveryRequest, envoyNode, openAds, type AdsCall } from '../../../support/serve.ts';
import { sharedPki, startHouse, type House } from '../fixture.ts';

const pki = await sharedPki();
const credentials = await pki.server();
const egress1 = await pki.client('node', 'egress-1');
const limits = { streams: 3, streamsOfNode: 2, requestBytes: 1000 };

const asks = (node: string, type = clusterType): Buffer => discoveryRequest({ node: envoyNode(node), type_url: type });
/** A request of a stream that has begun; it is answered whatever was acknowledged before. */
const more = discoveryRequest({ type_url: secretType, resource_names_subscribe: ['one'] });

test('a stream is told what its node shall have, acknowledges it, and gets nothing twice', async (t) => {
  const house = await startHouse(t, { credentials });
  const ads = openAds(dial(t, house.to, egress1));
  ads.call.write(asks('egress-1'));
  const nonce = nonceOf(await response(ads));
  // The node is named in the first request only.
  ads.call.write(discoveryRequest({ type_url: clusterType, response_nonce: nonce }));
  ads.call.write(discoveryRequest({ type_url: listenerType }));
  ads.call.write(discoveryRequest({ type_url: listenerType, response_nonce: nonceOf(await response(ads)) }));
  await eventually('in step', () => Promise.resolve(house.events.some(({ kind }) => kind === 'settled')));
  assert.equal(ads.received.length, 2);
  ads.call.end();
  assert.equal((await ads.ended).code, status.OK);
  assert.ok(house.events.some(({ kind }) => kind === 'disconnected'));
});

const bad: readonly [what: string, request: Buffer, code: status][] = [
  ['has no node', discoveryRequest({ type_url: clusterType }), status.INVALID_ARGUMENT],
  ['has no type', discoveryRequest({ node: envoyNode('egress-1') }), status.INVALID_ARGUMENT],
  ['is no message', Buffer.from([0xff, 0xff, 0xff]), status.INVALID_ARGUMENT],
  ['is of a node that nobody knows', asks('stranger'), status.NOT_FOUND],
  ['has a node id with line ends in it', asks('egress-1\n{"level":"error"}\r\n'), status.NOT_FOUND],
  ['is too large', asks('é'.repeat(600)), status.RESOURCE_EXHAUSTED],
];
for (const [what, request, code] of bad) {
  test(`a stream whose first request ${what} is refused, and what follows is dropped`, async (t) => {
    const house = await startHouse(t, { credentials, limits });
    const ads = openAds(dial(t, house.to));
    ads.call.write(request);
    for (let i = 0; i < 20; i++) ads.call.write(asks('egress-1'));
    assert.equal((await ads.ended).code, code);
    assert.equal(ads.received.length, 0);
    assert.deepEqual(kinds(house), ['refused']);
  });
}

test('a node id of a megabyte is refused and does not break the connection for others', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to);
  const good = openAds(client);
  good.call.write(asks('egress-1'));
  await response(good);
  const ads = openAds(client);
  ads.call.write(asks('x'.repeat(1_000_000)));
  assert.notEqual((await ads.ended).code, status.OK);
  good.call.write(more);
  await response(good);
});

test('of too many streams of one node the oldest gives way, and the newest is served', async (t) => {
  const house = await startHouse(t, { credentials, limits });
  const streams: AdsCall[] = [];
  for (let i = 0; i < 3; i++) {
    const ads = openAds(dial(t, house.to, egress1));
    ads.call.write(asks('egress-1'));
    await response(ads);
    streams.push(ads);
  }
  assert.equal((await streams[0]?.ended)?.code, status.RESOURCE_EXHAUSTED);
  for (const ads of streams.slice(1)) {
    ads.call.write(more);
    await response(ads);
  }
});

test('beyond the streams of all nodes together nobody new comes in until one has left', async (t) => {
  const house = await startHouse(t, { credentials, limits });
  const streams = [];
  for (const node of ['egress-1', 'egress-2', 'host-1']) {
    const ads = openAds(dial(t, house.to));
    ads.call.write(asks(node));
    await response(ads);
    streams.push(ads);
  }
  const late = openAds(dial(t, house.to));
  late.call.write(asks('egress-1'));
  assert.equal((await late.ended).code, status.RESOURCE_EXHAUSTED);

  streams[0]?.call.cancel();
  await eventually('left', () => Promise.resolve(kinds(house).includes('disconnected')));
  const next = openAds(dial(t, house.to));
  next.call.write(asks('egress-1'));
  await response(next);
});

test('a stream that breaks off, politely or not, is forgotten', async (t) => {
  const house = await startHouse(t, { credentials, limits });
  for (let i = 0; i < 5; i++) {
    const client = dial(t, house.to, egress1);
    const ads = openAds(client);
    ads.call.write(asks('egress-1'));
    await response(ads);
    if (i % 2 === 0) ads.call.cancel();
    else ads.call.end();
    await ads.ended;
    await eventually('gone', () =>
      Promise.resolve(kinds(house).filter((kind) => kind === 'disconnected').length === i + 1),
    );
  }
  assert.ok(!kinds(house).includes('refused'));
});

test('closing ends every stream with OK after what was under way, and whoever comes later gets UNAVAILABLE', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to, egress1);
  const [active, mute] = [openAds(client), openAds(client)];
  active.call.write(asks('egress-1'));
  await response(active);
  house.discovery.close();
  house.discovery.close();
  assert.equal((await active.ended).code, status.OK);
  assert.equal((await mute.ended).code, status.OK);
  const late = openAds(client);
  late.call.write(asks('egress-1'));
  assert.equal((await late.ended).code, status.UNAVAILABLE);
});

test('a client that reads nothing makes nothing pile up: it gets the newest when it reads again', async (t) => {
  const house = await startHouse(t, { credentials });
  const { makeSnapshot } = await import('../../../../src/control/xds/snapshot.ts');
  const ads = openAds(dial(t, house.to, egress1));
  ads.call.write(asks('egress-1'));
  await response(ads);
  ads.call.pause();
  const publish = (revision: number): void => {
    const bytes = Buffer.alloc(100_000, String(revision));
    const previous = house.publisher.current('group');
    house.publisher.publish(
      'group',
      makeSnapshot([{ type: clusterType, name: 'one', bytes }], previous ? { previous } : {}),
    );
  };
  for (let revision = 0; revision < 200; revision++) publish(revision % 10);
  const sent = (): number => kinds(house).filter((kind) => kind === 'sent').length;
  assert.ok(sent() < 100, `${sent()} responses were written to a client that reads nothing`);
  ads.call.resume();
  await eventually('all read', () => Promise.resolve(ads.received.length === sent()));
});

async function response(ads: AdsCall): Promise<Buffer> {
  const found = await ads.next();
  assert.ok(Buffer.isBuffer(found), JSON.stringify(found));
  return found;
}

function nonceOf(bytes: Buffer): string {
  const reader = new FieldReader(bytes);
  let nonce = '';
  while (reader.next()) if (reader.is(5)) nonce = reader.string();
  return nonce;
}

function kinds(house: House): string[] {
  return house.events.map(({ kind }) => kind);
}
