import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SekishoError } from '../../src/base/errors.ts';
import { connectRecords } from '../../src/client/index.ts';
import { sharedPki } from '../edge/grpc/fixture.ts';
import { startRecords } from '../edge/grpc/records-fixture.ts';
import { eventually } from '../support/envoy.ts';

const pki = await sharedPki();
const credentials = await pki.server();
const tls = await pki.client('reader', 'audit');
const paths = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => `/${from + n}`);
const upTo = (to: number, from = 0): number[] => Array.from({ length: to - from }, (_, n) => from + n);
const fails = (code: string) => (caught: unknown) => caught instanceof SekishoError && caught.code === code;

async function all<T>(source: AsyncIterable<T>, most = Infinity): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) {
    found.push(one);
    if (found.length >= most) break;
  }
  return found;
}

test('a query gives records with their names, narrowed by the words of sekisho records', async (t) => {
  const { source, to: address } = await startRecords(t, { credentials });
  await source.store(...paths(20));
  const records = connectRecords({ address, tls });
  t.after(() => {
    records.close();
  });
  const [first, ...others] = await all(records.query({ from: 3, to: 10, limit: 5, status: '2xx' }));
  assert.ok(first?.kind === 'record');
  assert.equal(first.record['url.path'], '/3');
  assert.deepEqual(
    others.map(({ index }) => index),
    [4, 5, 6, 7],
  );
  const [both] = await all(records.query({ form: 'both', limit: 1 }));
  assert.ok(both?.kind === 'record' && both.payload.length > 100 && both.record['sekisho.index'] === 0);
  assert.deepEqual(await all(records.query({ limit: 0 })), []);
  assert.deepEqual(await all(records.query({ to: 0 })), []);
});

test('what cannot be read is an item of its own', async (t) => {
  const { source, to: address } = await startRecords(t, { credentials });
  await source.journal.append([Buffer.from('no record')]);
  const records = connectRecords({ address });
  const [item] = await all(records.query());
  records.close();
  assert.equal(item?.kind, 'unreadable');
  assert.equal(item.code, 'record_malformed');
});

test('a tail goes on behind its last item when the server goes and comes back, and tells of it', async (t) => {
  const first = await startRecords(t, { credentials });
  const { source, to: address } = first;
  await source.store(...paths(3000));
  const records = connectRecords({ address, tls });
  const found: number[] = [];
  const retries: (number | undefined)[] = [];
  const tail = (async () => {
    const options = {
      form: 'payload',
      from: 0,
      onRetry: (_: SekishoError, next?: number) => retries.push(next),
    } as const;
    for await (const { index } of records.tail(options)) found.push(index);
  })();
  await eventually('some', () => Promise.resolve(found.length > 100));
  first.finish();
  await first.server.close(50);
  await source.store(...paths(100, 3000));
  await eventually('told', () => Promise.resolve(retries.length > 0));
  await startRecords(t, { credentials, source, port: Number(address.split(':')[1]) });
  await source.store(...paths(100, 3100));
  await eventually('all', () => Promise.resolve(found.length >= 3200));
  records.close();
  await tail;
  assert.deepEqual(found, upTo(3200));
});

test('a tail without an index begins with what comes, and ends by its signal', async (t) => {
  const { source, to: address, began, ended } = await startRecords(t, { credentials });
  await source.store(...paths(5));
  const records = connectRecords({ address, tls });
  const stop = new AbortController();
  const tail = all(records.tail({ signal: stop.signal }));
  await eventually('taken', () => Promise.resolve(began.length === 1));
  await source.store(...paths(1, 5));
  const other = records.tail({ from: 5 });
  assert.equal((await other.next()).value?.index, 5);
  await other.return();
  await eventually('the server knows that it ended', () => Promise.resolve(ended.length === 1));
  stop.abort();
  const found = await tail;
  assert.ok(found.every(({ index }) => index === 5));
  assert.deepEqual(await all(records.tail({ signal: AbortSignal.abort() })), []);
  records.close();
});

test('what trying again cannot mend is thrown, by a tail too', async (t) => {
  const { to: address } = await startRecords(t, { credentials });
  const node = connectRecords({ address, tls: await pki.client('node', 'egress-1') });
  await assert.rejects(all(node.query()), fails('identity_mismatch'));
  await assert.rejects(all(node.tail()), fails('identity_mismatch'));
  node.close();
  const records = connectRecords({ address, tls });
  await assert.rejects(all(records.query({ status: 'fine' })), fails('request_malformed'));
  await assert.rejects(all(records.tail({ from: 7 })), fails('request_malformed'));
  records.close();
  const nobody = connectRecords({ address: '127.0.0.1:1' });
  await assert.rejects(all(nobody.query()), fails('server_unreachable'));
  nobody.close();
});
