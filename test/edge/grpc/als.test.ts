import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status, type Client } from '@grpc/grpc-js';
import { readJournal } from '../../../src/sink/journal/reader.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { alsMessage, consoleRequest, httpEntry } from '../../sink/record/entries.ts';
import { eventually } from '../../support/envoy.ts';
import { dial, openAls } from '../../support/serve.ts';
import { HungDisk, sharedPki, startHouse } from './fixture.ts';

const pki = await sharedPki();
const credentials = await pki.server();
const egress1 = await pki.client('node', 'egress-1');

const identifier = { node: { id: 'egress-1' }, log_name: 'office' };

test('the end of a stream is answered only when everything in it is on disk', async (t) => {
  const disk = new HungDisk();
  const house = await startHouse(t, { credentials, disk });
  disk.gate.shut();
  const als = openAls(dial(t, house.to, egress1));
  als.call.end(alsMessage({ identifier, http: [numbered(0), numbered(1)] }));
  let answered = false;
  void als.ended.then(() => (answered = true));
  await eventually('waiting for the disk', () => Promise.resolve(house.journal.queuedBytes > 0));
  await roundTrips(dial(t, house.to, egress1));
  assert.equal(answered, false);
  assert.equal(house.journal.nextIndex, 0);

  disk.gate.open();
  assert.equal(await als.ended, undefined);
  assert.equal(house.journal.nextIndex, 2);
});

test('a stream that brings nothing is answered at once', async (t) => {
  const house = await startHouse(t, { credentials });
  const empty = openAls(dial(t, house.to, egress1));
  empty.call.end();
  assert.equal(await empty.ended, undefined);
  const introduced = openAls(dial(t, house.to, egress1));
  introduced.call.end(alsMessage({ identifier }));
  assert.equal(await introduced.ended, undefined);
  assert.equal(house.journal.nextIndex, 0);
});

test('while the disk does not answer the server stops reading, what waits in it is bounded, and all arrives later in order', async (t) => {
  const disk = new HungDisk();
  const queueBytes = 1_000_000;
  const house = await startHouse(t, { credentials, disk, queueBytes });
  disk.gate.shut();
  const [streams, messages, perMessage] = [3, 120, 50];
  const clients = Array.from({ length: streams }, () => dial(t, house.to, egress1));
  const calls = clients.map(openAls);
  let taken = 0;
  const tell = (error?: Error | null): void => {
    if (!error) taken += 1;
  };
  for (let message = 0; message < messages; message++) {
    for (const { call } of calls) {
      const http = Array.from({ length: perMessage }, (_, i) => numbered(message * perMessage + i));
      call.write(alsMessage({ ...(message === 0 && { identifier }), http }), tell);
    }
  }
  for (const { call } of calls) call.end();

  await eventually('no room', () => Promise.resolve(!house.journal.hasRoom()));
  for (const client of clients) await roundTrips(client);
  const read = house.messages.length;
  for (const client of clients) await roundTrips(client);
  assert.equal(house.messages.length, read, 'nothing more was read');
  assert.ok(taken < streams * messages, 'the clients are held back');
  const largest = Math.max(...house.messages.map(({ bytes }) => bytes));
  // A record is an entry and some 60 bytes around it; each stream may have one message more in hand when the room ends.
  assert.ok(house.journal.queuedBytes < queueBytes + 2 * streams * largest, String(house.journal.queuedBytes));

  disk.gate.open();
  assert.deepEqual(await Promise.all(calls.map(({ ended }) => ended)), [undefined, undefined, undefined]);
  const paths = new Map<string, number>();
  for await (const { payload } of readJournal({ dir: '/journal', disk, onCorrupt: () => assert.fail('damage') })) {
    const path = decodeRecord(payload).entry.request?.path ?? '';
    paths.set(path, (paths.get(path) ?? 0) + 1);
  }
  assert.equal(paths.size, messages * perMessage);
  assert.ok([...paths.values()].every((times) => times === streams));
  for (const { queued } of house.messages) assert.ok(queued < queueBytes + 2 * streams * largest);
});

test('what a client sent before it broke off is kept', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to, egress1);
  const als = openAls(client);
  als.call.write(alsMessage({ identifier, http: [numbered(0)] }));
  await eventually('read', () => Promise.resolve(house.messages.length === 1));
  als.call.cancel();
  assert.equal((await als.ended)?.code, status.CANCELLED);
  await eventually('stored', () => Promise.resolve(house.journal.nextIndex === 1));
  // An Envoy that goes away is no refusal.
  assert.deepEqual(house.failed, []);
});

test('a client that breaks off while the disk does not answer leaves nothing behind that hangs', async (t) => {
  const disk = new HungDisk();
  const house = await startHouse(t, { credentials, disk, queueBytes: 1000 });
  disk.gate.shut();
  const als = openAls(dial(t, house.to, egress1));
  for (let i = 0; i < 100; i++) als.call.write(alsMessage({ identifier, http: [numbered(i)] }));
  await eventually('no room', () => Promise.resolve(!house.journal.hasRoom()));
  als.call.cancel();
  await als.ended;
  disk.gate.open();
  await eventually('stored', () => Promise.resolve(house.journal.queuedBytes === 0));
  const next = openAls(dial(t, house.to, egress1));
  next.call.end(alsMessage({ identifier, http: [numbered(0)] }));
  assert.equal(await next.ended, undefined);
});

test('a disk that is full is waited for, and its stream is answered when it has room again', async (t) => {
  const disk = new FaultyDisk();
  const house = await startHouse(t, { credentials, disk });
  disk.freeBytes = 100;
  const als = openAls(dial(t, house.to, egress1));
  als.call.end(alsMessage({ identifier, http: [numbered(0)] }));
  await eventually('failing', () => Promise.resolve(house.journal.failing?.code === 'disk_full'));
  disk.freeBytes = Infinity;
  assert.equal(await als.ended, undefined);
});

test('a journal that closes ends the streams that wait for it with UNAVAILABLE, so that Envoy comes back', async (t) => {
  const disk = new FaultyDisk();
  const house = await startHouse(t, { credentials, disk });
  disk.freeBytes = 100;
  const waiting = openAls(dial(t, house.to, egress1));
  waiting.call.write(alsMessage({ identifier, http: [numbered(0)] }));
  await eventually('failing', () => Promise.resolve(house.journal.failing !== undefined));
  await house.journal.close();
  assert.equal((await waiting.ended)?.code, status.UNAVAILABLE);
  const late = openAls(dial(t, house.to, egress1));
  late.call.write(alsMessage({ identifier, http: [numbered(0)] }));
  assert.equal((await late.ended)?.code, status.UNAVAILABLE);
});

const bad: readonly [what: string, message: Buffer, code: status][] = [
  ['does not say who sends', alsMessage({ http: [numbered(0)] }), status.INVALID_ARGUMENT],
  ['names no node', alsMessage({ identifier: { log_name: 'office' } }), status.INVALID_ARGUMENT],
  ['names no log', alsMessage({ identifier: { node: { id: 'egress-1' } } }), status.INVALID_ARGUMENT],
  ['is no message', Buffer.from('garbage'), status.INVALID_ARGUMENT],
  [
    'names a node of a megabyte',
    alsMessage({ identifier: { node: { id: 'é '.repeat(400_000) }, log_name: 'x' } }),
    status.INVALID_ARGUMENT,
  ],
];
for (const [what, message, code] of bad) {
  test(`a stream whose first message ${what} is refused`, async (t) => {
    const house = await startHouse(t, { credentials });
    const als = openAls(dial(t, house.to));
    als.call.write(message);
    // What comes after a refusal is read and dropped: the status arrives however much the client still has to say.
    for (let i = 0; i < 50; i++) als.call.write(alsMessage({ http: Array.from({ length: 100 }, () => numbered(i)) }));
    assert.equal((await als.ended)?.code, code);
    assert.deepEqual(house.failed, ['record_malformed']);
    assert.equal(house.journal.nextIndex, 0);
  });
}

test('a message that is too large is refused with RESOURCE_EXHAUSTED, told, and takes nothing with it', async (t) => {
  const house = await startHouse(t, { credentials });
  const other = openAls(dial(t, house.to, egress1));
  other.call.write(alsMessage({ identifier, http: [numbered(0)] }));
  const als = openAls(dial(t, house.to, egress1));
  als.call.write(alsMessage({ identifier, http: [numbered(1)] }));
  als.call.write(Buffer.alloc(100_000_000));
  assert.equal((await als.ended)?.code, status.RESOURCE_EXHAUSTED);
  other.call.end();
  assert.equal(await other.ended, undefined);
  assert.equal(house.journal.nextIndex, 2);
  const [refused] = house.refused;
  assert.equal(refused?.code, status.RESOURCE_EXHAUSTED);
  assert.match(refused.peer, /^127\.0\.0\.1:\d+$/);
  assert.equal(house.refused.length, 1);
});

/** An entry that can be told by its path. */
function numbered(index: number): Buffer {
  return httpEntry(consoleRequest({ path: `/${index}` }));
}

/** Some calls on the same server: whatever it had to read before them it has had time to read. */
async function roundTrips(client: Client): Promise<void> {
  for (let i = 0; i < 5; i++) {
    const als = openAls(client);
    als.call.end();
    await als.ended;
  }
}
