import assert from 'node:assert/strict';
import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { realDisk } from '../../src/base/disk.ts';
import { clusterType, listenerType, secretType } from '../../src/control/xds/type-urls.ts';
import { alsMessage, consoleRequest, decode, httpEntry } from '../sink/record/entries.ts';
import { eventually, get } from '../support/envoy.ts';
import {
  dial,
  discoveryRequest,
  end,
  envoyNode,
  makeHome,
  openAds,
  openAls,
  policyText,
  spawnServe,
  startServe,
  storedRecords,
  untilReady,
} from '../support/serve.ts';

const identifier = { node: { id: 'egress-1' }, log_name: 'office' };
const entry = (path: string): Buffer => httpEntry(consoleRequest({ path }));

test('SIGTERM drains: what was sent is stored, discovery streams end well, and the exit code is 0 even if SIGHUPs come meanwhile', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  await untilReady(served);
  const client = dial(t, `${home.address}:18000`, await home.pki.client('node', 'egress-1'));
  const ads = openAds(client);
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
  assert.ok(Buffer.isBuffer(await ads.next()));
  // A stream of Envoy's never ends by itself.
  const als = openAls(client);
  als.call.write(alsMessage({ identifier, http: [entry('/before')] }));
  await eventually('read', async () => (await served.metric('sekisho_als_entries_total')) === 1);

  served.child.kill('SIGTERM');
  await served.logged('stopping');
  served.child.kill('SIGHUP');
  assert.equal((await ads.ended).code, status.OK);
  served.child.kill('SIGHUP');
  assert.equal(await served.exited, 0);
  assert.ok(await als.ended);
  await served.logged('stopped');
  const { sent } = await storedRecords(served.data);
  assert.deepEqual(
    sent.map((record) => record['url.path']),
    ['/before'],
  );
});

test('SIGINT does as SIGTERM does, also while clients are connected that say nothing', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  const silent = dialTcp(t, home.address);
  await silent.connected;
  const started = performance.now();
  assert.equal(await end(served, 'SIGINT'), 0);
  assert.ok(performance.now() - started < 6_000);
});

test('a signal to stop that comes while it starts is obeyed as soon as it has started', async (t) => {
  const home = await makeHome(t);
  const served = spawnServe(t, home);
  await served.logged('journal open');
  served.child.kill('SIGHUP');
  assert.equal(await end(served, 'SIGTERM'), 0);
});

test('SIGHUP, and a changed file without it, reload within a second and reach the nodes that are connected', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  const client = dial(t, `${home.address}:18000`, await home.pki.client('node', 'egress-2'));
  const ads = openAds(client);
  ads.call.write(discoveryRequest({ node: envoyNode('egress-2'), type_url: clusterType }));
  assert.ok(Buffer.isBuffer(await ads.next()));

  let started = performance.now();
  let lines = served.lines.length;
  served.child.kill('SIGHUP');
  await served.logged('policy reloaded', lines);
  assert.ok(performance.now() - started < 1_000);

  lines = served.lines.length;
  started = performance.now();
  const before = await readFile(home.config, 'utf8');
  // As editors and config maps do it: another file under the same name.
  await writeFile(`${home.config}.new`, before.replace(/.*egress-2.*\n/, ''));
  await rename(`${home.config}.new`, home.config);
  await served.logged('policy reloaded', lines);
  assert.ok(performance.now() - started < 1_000);
  assert.equal((await ads.ended).code, status.NOT_FOUND);
  const als = openAls(client);
  als.call.write(alsMessage({ identifier: { ...identifier, node: { id: 'egress-2' } }, http: [entry('/')] }));
  assert.equal((await als.ended)?.code, status.NOT_FOUND);
});

test('from a changed file to the last ACK is one time in the metrics, beside what was sent and answered', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  const ads = openAds(dial(t, `${home.address}:18000`, await home.pki.client('node', 'egress-1')));
  const acknowledge = async (): Promise<number> => {
    const bytes = await ads.next();
    assert.ok(Buffer.isBuffer(bytes));
    const { nonce } = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes);
    ads.call.write(discoveryRequest({ type_url: listenerType, response_nonce: nonce }));
    return bytes.length;
  };
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: listenerType }));
  let bytes = await acknowledge();
  await served.logged('node in step');
  assert.equal(await served.metric('sekisho_xds_convergence_seconds_count'), 0, 'nothing has changed yet');

  const lines = served.lines.length;
  const began = performance.now();
  const policy = await readFile(home.config, 'utf8');
  const door = "  - { name: lab, on: egress, kind: forward, listen: '127.0.0.1:3129', inspect: full, users: none }\n";
  await realDisk.writeFileAtomic(home.config, policy.replace('console:', `${door}console:`), 0o640);
  bytes += await acknowledge();
  await served.logged('node in step', lines);
  const took = (performance.now() - began) / 1000;
  assert.equal(await served.metric('sekisho_xds_convergence_seconds_count'), 1);
  const seconds = await served.metric('sekisho_xds_convergence_seconds_sum');
  assert.ok(seconds > 0 && seconds < took, `${seconds} s of ${took} s`);
  assert.equal(await served.metric('sekisho_xds_changes_total', 'acknowledged'), 1);
  assert.equal(await served.metric('sekisho_xds_changes_total'), 1);
  assert.equal(await served.metric('sekisho_xds_response_bytes_total', 'Listener'), bytes);
  assert.equal(await served.metric('sekisho_xds_responses_total', 'result="sent"'), 2);
  assert.equal(await served.metric('sekisho_xds_responses_total', 'result="acked"'), 2);
  assert.equal(await served.metric('sekisho_xds_streams'), 1);
});

test('new rules of redaction hold for the very next message of a stream that was open', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  const als = openAls(dial(t, `${home.address}:18000`));
  als.call.write(alsMessage({ identifier, http: [entry('/?shibboleth=open')] }));
  await eventually('stored', async () => (await storedRecords(served.data)).sent.length === 1);
  const lines = served.lines.length;
  await writeFile(home.config, policyText({ address: home.address, redact: 'shibboleth' }));
  await served.logged('policy reloaded', lines);
  als.call.end(alsMessage({ http: [entry('/?shibboleth=open')] }));
  assert.equal(await als.ended, undefined);
  const { sent } = await storedRecords(served.data);
  assert.equal(sent[0]?.['url.query'], 'shibboleth=open');
  assert.notEqual(sent[1]?.['url.query'], 'shibboleth=open');
});

test('a bad policy changes nothing and is named by file, line and column; a good one after it holds', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  const good = await readFile(home.config, 'utf8');
  await appendFile(home.config, 'colour: blue\n');
  await served.logged('the last good one holds');
  const problem = await served.logged(home.config);
  assert.match(problem.message, /sekisho\.yaml:\d+:\d+: /);
  assert.equal(problem.level, 'error');
  assert.equal((await served.readyz()).status, 200);
  const als = openAls(dial(t, `${home.address}:18000`));
  als.call.end(alsMessage({ identifier, http: [entry('/')] }));
  assert.equal(await als.ended, undefined);

  let lines = served.lines.length;
  await rm(home.config);
  await served.logged('the last good one holds', lines);
  lines = served.lines.length;
  await writeFile(home.config, good);
  await served.logged('policy reloaded', lines);
});

test('a policy that the certificates do not allow changes nothing', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  const good = await readFile(home.config, 'utf8');
  // Whole at once: of a file that is just being written, the service may find the beginning.
  const wider = good.replace('regions: [us-east-1]', 'regions: [us-east-1]\n  also: [portal.example.com]');
  await realDisk.writeFileAtomic(home.config, wider, 0o640);
  const line = await served.logged('the last good one holds');
  assert.equal(line['code'], 'ca_invalid');
  assert.equal((await served.readyz()).status, 200);
});

test('a certificate of another fleet on the disk does not come in by a reload', async (t) => {
  const home = await makeHome(t);
  const other = await makeHome(t, { fleet: 'osaka' });
  const { ca } = await home.pki.nobody();
  const stranger = await other.pki.client('node', 'egress-1');
  const served = await startServe(t, home);
  await writeFile(join(home.pki.online, 'fleet-ca.crt'), (await other.pki.nobody()).ca);
  served.child.kill('SIGHUP');
  const line = await served.logged('the last good one holds');
  assert.equal(line['code'], 'ca_invalid');
  const ads = openAds(dial(t, `${home.address}:18000`, { ...stranger, ca }));
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: secretType }));
  assert.equal((await ads.ended).code, status.UNAVAILABLE);
});

test('without its certificates it says which file is missing and exits with 1', async (t) => {
  const home = await makeHome(t);
  const nothing = spawnServe(t, home, { pki: join(home.folder, 'nothing') });
  assert.equal(await nothing.exited, 1);
  assert.match(nothing.words.join('\n'), /fleet-ca\.crt/);

  await rm(join(home.pki.online, 'server.key'));
  const keyless = spawnServe(t, home);
  assert.equal(await keyless.exited, 1);
  assert.match(keyless.words.join('\n'), /server\.key/);
  assert.doesNotMatch(keyless.words.join('\n'), /at .*\.js/);
});

for (const [name, port] of [
  ['gRPC', 18000],
  ['administration', 18080],
  ['public', 18081],
] as const) {
  test(`a ${name} port that somebody has is named, exit 1, and the journal is free again`, async (t) => {
    const home = await makeHome(t);
    const holder = createServer();
    await new Promise<void>((listening) => holder.listen(port, home.address, listening));
    t.after(() => holder.close());
    const served = spawnServe(t, home);
    assert.equal(await served.exited, 1);
    assert.match(served.words.join('\n'), new RegExp(`${home.address}:${port}`));
    holder.close();
    await startServe(t, home);
  });
}

test('a second one on the same data folder is refused with exit 1 and told who has it', async (t) => {
  const first = await makeHome(t);
  const served = await startServe(t, first);
  const second = await makeHome(t);
  const refused = spawnServe(t, second, { data: served.data });
  assert.equal(await refused.exited, 1);
  assert.match(refused.words.join('\n'), new RegExp(`\\b${served.child.pid ?? 'nobody'}\\b`));
  assert.equal((await served.readyz()).status, 200);

  assert.equal(await end(served, 'SIGKILL'), 'SIGKILL');
  await startServe(t, second, { data: served.data });
});

test('each role alone does its own work and refuses the other’s', async (t) => {
  const home = await makeHome(t);
  const sink = await startServe(t, home, { args: ['--roles', 'sink'] });
  const client = dial(t, `${home.address}:18000`);
  const als = openAls(client);
  als.call.end(alsMessage({ identifier, http: [entry('/')] }));
  assert.equal(await als.ended, undefined);
  const ads = openAds(client);
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
  assert.equal((await ads.ended).code, status.UNIMPLEMENTED);
  assert.equal((await get(`http://${home.address}:18080/fleet`)).status, 200);
  assert.equal(await end(sink, 'SIGTERM'), 0);

  const control = await startServe(t, home, { args: ['--roles', 'control'] });
  const { act, nodes, policy } = await control.logged('control event');
  assert.deepEqual([act, nodes, policy], ['published', ['egress-1', 'egress-2'], home.config]);
  assert.equal(await control.metric('sekisho_control_events_total', 'to="log"'), 1);
  const unheard = openAls(client);
  assert.equal((await unheard.ended)?.code, status.UNIMPLEMENTED);
  assert.equal(await end(control, 'SIGTERM'), 0);

  const none = spawnServe(t, home, { args: ['--roles', 'sink,cook'] });
  assert.equal(await none.exited, 2);
});

function dialTcp(t: Parameters<typeof dial>[0], host: string): { connected: Promise<void> } {
  const socket = connectTo(host);
  t.after(() => socket.destroy());
  return {
    connected: new Promise((resolve) =>
      socket.once('connect', () => {
        resolve();
      }),
    ),
  };
}

function connectTo(host: string) {
  const socket = connect({ host, port: 18000 });
  socket.on('error', () => undefined);
  return socket;
}
