import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { clusterType } from '../../src/control/xds/type-urls.ts';
import { encodeTailRequest } from '../../src/wire/records-api.ts';
import { fetchBytes, fetchStatus, statusRequest } from '../edge/grpc/client-status-fixture.ts';
import { open, tail } from '../edge/grpc/records-fixture.ts';
import { alsMessage, consoleRequest, httpEntry } from '../sink/record/entries.ts';
import { eventually } from '../support/envoy.ts';
import { dial, discoveryRequest, end, envoyNode, makeHome, openAds, openAls, startServe } from '../support/serve.ts';

const identifier = { node: { id: 'egress-1' }, log_name: 'office/http' };
const messages = 300;
const perMessage = 20;
const records = messages * perMessage;
const entry = httpEntry(consoleRequest({ path: `/${'x'.repeat(4000)}` }));

test('a consumer that never reads is shown as far behind, and neither sink nor other consumers wait for it', async (t) => {
  const home = await makeHome(t);
  // The control plane would add records of its own.
  const served = await startServe(t, home, { args: ['--roles', 'sink'] });
  const to = `${home.address}:18000`;
  const certificate = await home.pki.client('reader', 'stuck');
  const never = encodeTailRequest({ filter: {}, form: 'payload', from: 0 });
  const stuck = open(dial(t, to, certificate), 'Tail', never, false);
  await eventually('it has come', async () => (await served.metric('sekisho_records_readers', 'tail')) === 1);

  const als = openAls(dial(t, to));
  for (let sent = 0; sent < messages; sent += 1) {
    const http = Array.from({ length: perMessage }, () => entry);
    als.call.write(alsMessage({ ...(sent === 0 && { identifier }), http }));
  }
  als.call.end();
  assert.equal(await als.ended, undefined, 'the sink took it all');

  const other = tail(dial(t, to, await home.pki.client('reader', 'audit')));
  await eventually('the other one has it all', () => Promise.resolve(other.next() === records));
  const lag = (reader: string) => served.metric('sekisho_records_lag_records', `reader="reader/${reader}"`);
  assert.equal(await lag('audit'), 0);
  assert.ok((await lag('stuck')) > records / 2, String(await lag('stuck')));
  assert.equal((await served.readyz()).status, 200);
  assert.ok((await served.metric('process_resident_memory_bytes')) < 400e6);

  // Once it reads, it misses nothing.
  let bytes = 0;
  stuck.call.on('data', (response: Buffer) => (bytes += response.length));
  stuck.call.resume();
  await eventually('it has caught up', async () => (await lag('stuck')) === 0);
  await eventually('all of it came', () => Promise.resolve(bytes > records * 4000));
  assert.equal(await end(served, 'SIGTERM'), 0);
});

test('how the nodes stand is told to readers and operators, and to no node', async (t) => {
  const home = await makeHome(t);
  await startServe(t, home);
  const to = `${home.address}:18000`;
  const ads = openAds(dial(t, to, await home.pki.client('node', 'egress-1')));
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
  assert.ok(Buffer.isBuffer(await ads.next()));
  for (const role of ['reader', 'operator'] as const) {
    const { config = [] } = await fetchStatus(dial(t, to, await home.pki.client(role, 'audit')));
    assert.deepEqual(
      config.map(({ node }) => node.id),
      ['egress-1'],
    );
  }
  const refused = await fetchBytes(dial(t, to, await home.pki.client('node', 'egress-1')), statusRequest({}));
  assert.ok(!Buffer.isBuffer(refused));
  assert.equal(refused.code, status.PERMISSION_DENIED);
});
