import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { encodeTailRequest } from '../../../src/wire/records-api.ts';
import { eventually } from '../../support/envoy.ts';
import { dial } from '../../support/serve.ts';
import { sharedPki } from './fixture.ts';
import { open, query, startRecords, tail, type RecordsCall } from './records-fixture.ts';

const pki = await sharedPki();
const credentials = await pki.server();
const paths = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => `/${from + n}`);
const indices = (call: RecordsCall): number[] => call.items.map(({ index }) => index);
const upTo = (to: number, from = 0): number[] => Array.from({ length: to - from }, (_, n) => from + n);
const has = (call: RecordsCall, count: number): Promise<void> =>
  eventually(`${count} items`, () => Promise.resolve(call.items.length >= count));

test('a query gives what the journal holds, named or as stored, and then ends', async (t) => {
  const { source, to } = await startRecords(t, { credentials });
  await source.store(...paths(700));
  const client = dial(t, to);
  const asJson = query(client);
  assert.equal((await asJson.ended).code, status.OK);
  assert.deepEqual(indices(asJson), upTo(700));
  assert.equal(asJson.next(), 700);
  const named = JSON.parse(asJson.items[699]?.json ?? '') as Record<string, unknown>;
  assert.equal(named['url.path'], '/699');
  assert.equal(asJson.items[0]?.payload, undefined);

  const both = query(client, { form: 'both', from: 699 });
  assert.equal((await both.ended).code, status.OK);
  assert.deepEqual(indices(both), [699]);
  assert.equal(both.items[0]?.json, asJson.items[699]?.json);
  assert.equal(decodeRecord(both.items[0]?.payload ?? Buffer.alloc(0)).node, 'egress-1');
});

const questions: Readonly<Record<string, readonly [Parameters<typeof query>[1], readonly number[]]>> = {
  'from an index': [{ from: 7 }, [7, 8, 9]],
  'up to an index': [{ to: 2 }, [0, 1]],
  'at most so many': [{ from: 2, limit: 3 }, [2, 3, 4]],
  'from beyond the end': [{ from: 99 }, []],
  'of a user': [{ filter: { user: 'taro.yamada' }, limit: 1 }, [0]],
  'of nobody': [{ filter: { user: 'nobody' } }, []],
  'of a host': [{ filter: { host: '*.console.aws.amazon.com' }, from: 9 }, [9]],
  'of another host': [{ filter: { host: 'signin.aws.amazon.com' } }, []],
  'of a time': [{ filter: { since: '2026-11-23', until: '2026-11-24' }, limit: 2 }, [0, 1]],
};
for (const [what, [request, wanted]] of Object.entries(questions)) {
  test(`a query for records ${what} gives these alone`, async (t) => {
    const { source, to } = await startRecords(t, { credentials });
    await source.store(...paths(10));
    const call = query(dial(t, to), request);
    assert.equal((await call.ended).code, status.OK);
    assert.deepEqual(indices(call), wanted);
  });
}

test('a question that nobody understands, and a request that is none, are refused with what is wrong', async (t) => {
  const { to } = await startRecords(t, { credentials });
  const client = dial(t, to);
  for (const call of [
    query(client, { filter: { status: 'fine' } }),
    tail(client, { filter: { since: 'yesterday' } }),
    open(client, 'Query', Buffer.from([0xff])),
    open(client, 'Tail', Buffer.from([0xff])),
  ]) {
    assert.equal((await call.ended).code, status.INVALID_ARGUMENT);
  }
});

test('a tail says at once where it stands, gives what there is, and goes on with what comes', async (t) => {
  const { source, to } = await startRecords(t, { credentials });
  await source.store(...paths(5));
  const client = dial(t, to);
  const [all, some, none] = [tail(client), tail(client, { from: 3 }), tail(client, { from: undefined })];
  await eventually('all of them stand', () => Promise.resolve(none.next() === 5));
  await source.store(...paths(5, 5));
  await Promise.all([has(all, 10), has(some, 7), has(none, 5)]);
  assert.deepEqual([all, some, none].map(indices), [upTo(10), upTo(10, 3), upTo(10, 5)]);
});

test('ten tails from different cursors get every record behind theirs in order while more are stored', async (t) => {
  const { source, to } = await startRecords(t, { credentials });
  await source.store(...paths(1000));
  const calls = upTo(10).map((n) => ({ from: n * 100, ...tail(dial(t, to), { from: n * 100 }) }));
  for (let stored = 1000; stored < 3000; stored += 50) await source.store(...paths(50, stored));
  await Promise.all(calls.map((call) => has(call, 3000 - call.from)));
  for (const call of calls) assert.deepEqual(indices(call), upTo(3000, call.from));
});

test('a tail whose question nothing answers hears how far the search has come', async (t) => {
  const { source, to } = await startRecords(t, { credentials });
  for (let stored = 0; stored < 9000; stored += 500) await source.store(...paths(500, stored));
  const call = tail(dial(t, to), { filter: { host: 'nowhere.example' } });
  await eventually('far', () => Promise.resolve((call.next() ?? 0) > 8000));
  assert.deepEqual(call.items, []);
});

test('a tail from beyond the end is refused: its cursor is of another journal', async (t) => {
  const { source, to, failed } = await startRecords(t, { credentials });
  await source.store('/');
  const client = dial(t, to);
  assert.equal((await tail(client, { from: 2 }).ended).code, status.INVALID_ARGUMENT);
  assert.deepEqual(failed, ['request_malformed']);
  await eventually('taken', () => Promise.resolve(tail(client, { from: 1 }).next() !== 0));
});

test('a caller that never reads makes nothing pile up, and others do not wait for it', async (t) => {
  const { source, to, ended, began } = await startRecords(t, { credentials });
  const stuck = open(dial(t, to), 'Tail', encodeTailRequest({ filter: {}, form: 'payload', from: 0 }), false);
  await eventually('taken', () => Promise.resolve(began.length === 1));
  const long = `/${'x'.repeat(3000)}`;
  for (let stored = 0; stored < 12_000; stored += 100) await source.store(...Array.from({ length: 100 }, () => long));
  const other = tail(dial(t, to));
  await has(other, 12_000);
  stuck.call.cancel();
  await eventually('ended', () => Promise.resolve(ended.length === 1));
  const bytes = (ended[0]?.items ?? Infinity) * 3500;
  assert.ok(bytes < 4 * 2 ** 20, `${bytes} of ${12_000 * 3500} bytes were taken into memory`);
});

test('a damaged place is an item with its error, its first index and how many records it hides', async (t) => {
  const { source, to } = await startRecords(t, { credentials });
  for (const path of ['/a', '/b', '/c']) await source.store(path);
  const [segment = ''] = source.disk.paths().filter((path) => path.endsWith('.seg'));
  const bytes = Buffer.from(source.disk.contents(segment) ?? '');
  bytes[bytes.indexOf('/b')] = 0x21;
  source.disk.plant(segment, bytes);
  for (const call of [query(dial(t, to)), tail(dial(t, to), { filter: { host: 'nowhere.example' } })]) {
    await eventually('told', () => Promise.resolve(call.items.some(({ error }) => error !== undefined)));
    const item = call.items.find(({ error }) => error !== undefined);
    assert.equal(item?.index, 1);
    assert.equal(item.error?.code, 'journal_corrupt');
    assert.equal(item.error.lost, 1);
  }
});

test('readers and operators may ask for records, also without TLS from this host; a node may not', async (t) => {
  const { source, to, failed, ended } = await startRecords(t, { credentials });
  await source.store('/');
  for (const role of ['reader', 'operator'] as const) {
    const call = query(dial(t, to, await pki.client(role, 'audit')));
    assert.equal((await call.ended).code, status.OK);
    assert.equal(call.items.length, 1);
  }
  assert.equal((await query(dial(t, to)).ended).code, status.OK);
  assert.deepEqual(
    ended.map(({ reader }) => (reader.kind === 'loopback' ? reader.kind : reader.role)),
    ['reader', 'operator', 'loopback'],
  );

  const node = dial(t, to, await pki.client('node', 'egress-1'));
  for (const call of [query(node), tail(node)]) {
    assert.equal((await call.ended).code, status.PERMISSION_DENIED);
    assert.deepEqual(call.items, []);
  }
  assert.deepEqual(failed, ['identity_mismatch', 'identity_mismatch']);
});

test('beyond so many calls nobody new comes in until one has left', async (t) => {
  const { to, ended } = await startRecords(t, { credentials, calls: 1 });
  const client = dial(t, to);
  const first = tail(client);
  await eventually('taken', () => Promise.resolve(first.next() === 0));
  assert.equal((await tail(client).ended).code, status.RESOURCE_EXHAUSTED);
  first.call.cancel();
  await eventually('ended', () => Promise.resolve(ended.length === 1));
  assert.equal((await query(client).ended).code, status.OK);
});

test('a service that stops ends its calls so that they come back, also those that do not read', async (t) => {
  const { to, finish, source, began } = await startRecords(t, { credentials });
  await source.store(...paths(3));
  const client = dial(t, to);
  const call = tail(client);
  await has(call, 3);
  const idle = open(dial(t, to), 'Tail', encodeTailRequest({ filter: {}, form: 'json', from: 0 }), false);
  await eventually('taken', () => Promise.resolve(began.length === 2));
  finish();
  assert.equal((await call.ended).code, status.UNAVAILABLE);
  idle.call.resume();
  assert.equal((await idle.ended).code, status.UNAVAILABLE);
  assert.equal((await query(client).ended).code, status.UNAVAILABLE);
});
