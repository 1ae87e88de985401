import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { clusterType } from '../../src/control/xds/type-urls.ts';
import { alsMessage, consoleRequest, httpEntry } from '../sink/record/entries.ts';
import { eventually } from '../support/envoy.ts';
import {
  dial,
  discoveryRequest,
  end,
  envoyNode,
  makeHome,
  openAds,
  openAls,
  spawnServe,
  startServe,
  storedRecords,
  untilReady,
} from '../support/serve.ts';
import { mountTmpfs, unlessMounting } from './privileges.ts';

const skip = unlessMounting();
const identifier = { node: { id: 'egress-1' }, log_name: 'office' };
/** So large that few fill a disk, and that the journal's queue is full before we have made too many. */
const entryBytes = 20_000;

test(
  'a full disk: it says that it is not ready and why, holds its clients back, and goes on without a loss when there is space',
  { skip },
  async (t) => {
    const home = await makeHome(t);
    const data = join(home.folder, 'data');
    const disk = mountTmpfs(t, data, 'size=4m');
    const served = await startServe(t, home, { data });
    const certificate = await home.pki.client('node', 'egress-1');
    const client = dial(t, `${home.address}:18000`, certificate);

    const early = openAls(client);
    early.call.end(alsMessage({ identifier, http: [numbered('early', 0)] }));
    assert.equal(await early.ended, undefined);

    const [streams, messages, perMessage] = [3, 60, 10];
    const calls = Array.from({ length: streams }, () => openAls(dial(t, `${home.address}:18000`, certificate)));
    let taken = 0;
    calls.forEach(({ call }, stream) => {
      for (let message = 0; message < messages; message++) {
        const http = Array.from({ length: perMessage }, (_, i) => numbered(String(stream), message * perMessage + i));
        call.write(alsMessage({ ...(message === 0 && { identifier }), http }), (error?: Error | null) => {
          if (!error) taken += 1;
        });
      }
      call.end();
    });

    await eventually('not ready', async () => (await served.readyz()).status === 503);
    assert.match((await served.readyz()).reasons.join('\n'), /^journal: /);
    assert.equal((await served.logged('the journal cannot write'))['code'], 'disk_full');
    const queued = () => served.metric('sekisho_journal_queued_bytes');
    await eventually('the queue is full', async () => (await queued()) >= 16 * 2 ** 20);
    // The control plane does not care; its answers also show that the sink has had time to read on, were it to do so.
    for (let i = 0; i < 5; i++) {
      const ads = openAds(client);
      ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
      assert.ok(Buffer.isBuffer(await ads.next()));
      ads.call.end();
      await ads.ended;
    }
    assert.ok(taken < streams * messages, 'the clients are held back');
    assert.ok((await queued()) < 16 * 2 ** 20 + 2 * streams * perMessage * entryBytes, String(await queued()));
    assert.ok((await served.metric('process_resident_memory_bytes')) < 400e6);

    disk.remount('size=256m');
    assert.deepEqual(await Promise.all(calls.map(({ ended }) => ended)), [undefined, undefined, undefined]);
    await untilReady(served);
    await served.logged('the journal writes again');
    assert.equal(await end(served, 'SIGTERM'), 0);
    const { code, sent } = await storedRecords(data);
    assert.equal(code, 0);
    const paths = new Set(sent.map((record) => record['url.path']));
    assert.equal(sent.length, 1 + streams * messages * perMessage);
    assert.equal(paths.size, sent.length);
  },
);

test(
  'a stop while the disk is full: it ends all the same, with 0, and keeps what it had stored',
  { skip },
  async (t) => {
    const home = await makeHome(t);
    const data = join(home.folder, 'data');
    const disk = mountTmpfs(t, data, 'size=1m');
    const served = await startServe(t, home, { data });
    const client = dial(t, `${home.address}:18000`, await home.pki.client('node', 'egress-1'));
    const stored = openAls(client);
    stored.call.end(alsMessage({ identifier, http: [numbered('stored', 0)] }));
    assert.equal(await stored.ended, undefined);
    const waiting = openAls(client);
    waiting.call.end(alsMessage({ identifier, http: Array.from({ length: 100 }, (_, i) => numbered('waiting', i)) }));
    await eventually('not ready', async () => (await served.readyz()).status === 503);

    assert.equal(await end(served, 'SIGTERM'), 0);
    // Never told that it is stored.
    assert.ok(await waiting.ended);
    disk.remount('size=64m');
    const again = await startServe(t, home, { data });
    assert.equal((await again.readyz()).status, 200);
    const { code, sent } = await storedRecords(data);
    assert.equal(code, 0);
    assert.equal(sent[0]?.['url.path'], '/stored/0');
  },
);

test('a disk without room for a single file: the reason is said, exit 1', { skip }, async (t) => {
  const home = await makeHome(t);
  const data = join(home.folder, 'data');
  mountTmpfs(t, data, 'size=1m,nr_inodes=2');
  await mkdir(join(data, 'journal'));
  const served = spawnServe(t, home, { data });
  assert.equal(await served.exited, 1);
  assert.match(served.words.join('\n'), /free/);
});

function numbered(stream: string, index: number): Buffer {
  return httpEntry(consoleRequest({ path: `/${stream}/${index}`, user_agent: 'x'.repeat(entryBytes) }));
}
