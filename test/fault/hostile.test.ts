import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import { clusterType } from '../../src/control/xds/type-urls.ts';
import { alsMessage, consoleRequest, httpEntry } from '../sink/record/entries.ts';
import { eventually } from '../support/envoy.ts';
import {
  dial,
  discoveryRequest,
  envoyNode,
  makeHome,
  openAds,
  openAls,
  startServe,
  storedRecords,
  type Home,
  type Served,
} from '../support/serve.ts';

const identifier = { node: { id: 'egress-1' }, log_name: 'office' };
const good = httpEntry(consoleRequest());

interface Case {
  readonly what: string;
  /** Does it, and waits until it is over. */
  readonly act: (t: TestContext, home: Home, to: string) => Promise<void>;
  /** What must have been counted, and the log line that tells of it. */
  readonly counted: readonly [metric: string, labels: string];
  readonly logged?: string;
}

const cases: readonly Case[] = [
  {
    what: 'garbage on the port',
    act: async (t, home) => {
      const socket = connect({ host: home.address, port: 18000 });
      t.after(() => socket.destroy());
      socket.on('error', () => undefined).resume();
      socket.write(Buffer.alloc(100_000, 0xee));
      await closed(socket);
    },
    counted: ['sekisho_grpc_connections_total', 'refused_garbage'],
    logged: 'neither TLS nor HTTP/2',
  },
  {
    what: 'an access-log message of 100 MB',
    act: async (t, _home, to) => {
      const als = openAls(dial(t, to));
      als.call.write(alsMessage({ identifier }));
      als.call.write(Buffer.alloc(100_000_000));
      assert.equal((await als.ended)?.code, status.RESOURCE_EXHAUSTED);
    },
    counted: ['sekisho_grpc_calls_refused_total', 'RESOURCE_EXHAUSTED'],
    logged: 'a gRPC call was refused',
  },
  {
    what: 'an entry without common_properties, which is stored all the same',
    act: async (t, _home, to) => {
      const als = openAls(dial(t, to));
      als.call.end(alsMessage({ identifier, http: [httpEntry({ request: { path: '/bare' } })] }));
      assert.equal(await als.ended, undefined);
    },
    counted: ['sekisho_als_incomplete_total', ''],
  },
  {
    what: 'an entry that is no entry, whose neighbours are stored',
    act: async (t, _home, to) => {
      const als = openAls(dial(t, to));
      als.call.end(alsMessage({ identifier, http: [good, Buffer.from([0xff, 0xff, 0xff]), good] }));
      assert.equal(await als.ended, undefined);
    },
    counted: ['sekisho_als_refused_total', 'malformed'],
    logged: 'an access-log entry was not stored',
  },
  {
    what: 'an access-log stream that does not say whose it is',
    act: async (t, _home, to) => {
      const als = openAls(dial(t, to));
      als.call.write(alsMessage({ http: [good] }));
      assert.equal((await als.ended)?.code, status.INVALID_ARGUMENT);
    },
    counted: ['sekisho_als_streams_refused_total', 'record_malformed'],
    logged: 'an access-log stream was refused',
  },
  {
    what: 'records of a node that the policy does not know, with line ends in its name',
    act: async (t, _home, to) => {
      const als = openAls(dial(t, to));
      als.call.write(
        alsMessage({ identifier: { ...identifier, node: { id: 'x"\n{"level":"forged"}' } }, http: [good] }),
      );
      assert.equal((await als.ended)?.code, status.NOT_FOUND);
    },
    counted: ['sekisho_als_streams_refused_total', 'node_unknown'],
    logged: 'an access-log stream was refused',
  },
  {
    what: 'records under the certificate of another node',
    act: async (t, home, to) => {
      const als = openAls(dial(t, to, await home.pki.client('node', 'egress-2')));
      als.call.write(alsMessage({ identifier, http: [good] }));
      assert.equal((await als.ended)?.code, status.PERMISSION_DENIED);
    },
    counted: ['sekisho_als_streams_refused_total', 'identity_mismatch'],
    logged: 'an access-log stream was refused',
  },
  {
    what: 'a certificate of another fleet',
    act: async (t, home, to) => {
      const other = await makeHome(t, { fleet: 'osaka' });
      const { ca } = await home.pki.nobody();
      const ads = openAds(dial(t, to, { ...(await other.pki.client('node', 'egress-1')), ca }));
      ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
      assert.equal((await ads.ended).code, status.UNAVAILABLE);
    },
    counted: ['sekisho_grpc_connections_total', 'tls_failed'],
    logged: 'no handshake with a certificate of this fleet',
  },
  {
    what: 'a discovery stream of a node that the policy does not know',
    act: async (t, _home, to) => {
      const ads = openAds(dial(t, to));
      ads.call.write(discoveryRequest({ node: envoyNode('stranger'), type_url: clusterType }));
      assert.equal((await ads.ended).code, status.NOT_FOUND);
    },
    counted: ['sekisho_xds_refused_total', 'node_unknown'],
    logged: 'a discovery stream was refused',
  },
  {
    what: 'more nodes than a pattern admits',
    act: async (t, _home, to) => {
      for (const node of ['host-1', 'host-2']) {
        const ads = openAds(dial(t, to));
        ads.call.write(discoveryRequest({ node: envoyNode(node), type_url: clusterType }));
        assert.ok(Buffer.isBuffer(await ads.next()));
      }
      const ads = openAds(dial(t, to));
      ads.call.write(discoveryRequest({ node: envoyNode('host-3'), type_url: clusterType }));
      assert.equal((await ads.ended).code, status.NOT_FOUND);
    },
    counted: ['sekisho_xds_refused_total', 'node_unknown'],
    logged: 'a discovery stream was refused',
  },
];

test('whatever comes to the port is counted, told in one line of the log, and leaves the process healthy', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  for (const { what, act, counted, logged } of cases) {
    await t.test(what, async (t) => {
      const before = await served.metric(...counted);
      const lines = served.lines.length;
      await act(t, home, `${home.address}:18000`);
      await eventually('counted', async () => (await served.metric(...counted)) > before);
      if (logged !== undefined) assert.equal((await served.logged(logged, lines)).level, 'warn');
      await assertHealthy(t, home, served);
    });
  }
  assert.ok((await served.metric('process_resident_memory_bytes')) < 500e6);
  assert.deepEqual(served.words, [], 'nothing but log lines on standard error');
  const { code, records } = await storedRecords(served.data);
  assert.equal(code, 0);
  assert.ok(records.some((record) => record['url.path'] === '/bare'));
});

test('a flood of bad entries in one message is counted one by one and fills no log', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  const count = 5_000;
  const als = openAls(dial(t, `${home.address}:18000`));
  als.call.end(alsMessage({ identifier, http: Array.from({ length: count }, () => Buffer.from([0xff])) }));
  assert.equal(await als.ended, undefined);
  assert.equal(await served.metric('sekisho_als_refused_total', 'malformed'), count);
  const told = served.lines.filter(({ message }) => message.includes('was not stored'));
  assert.ok(told.length >= 1 && told.length <= 20, String(told.length));
});

test('types that a client makes up do not become metrics of their own', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home);
  const ads = openAds(dial(t, `${home.address}:18000`));
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
  assert.ok(Buffer.isBuffer(await ads.next()));
  for (let i = 0; i < 5; i++) {
    ads.call.write(
      discoveryRequest({ type_url: `type.googleapis.com/madeup.Type${i}`, resource_names_subscribe: ['x'] }),
    );
  }
  await eventually('answered', () => Promise.resolve(ads.received.length > 1));
  assert.equal(await served.metric('sekisho_xds_responses_total', 'Type'), 0);
  assert.ok((await served.metric('sekisho_xds_responses_total', 'other')) > 0);
});

test('no key and no certificate is ever in the log', async (t) => {
  const home = await makeHome(t);
  const served = await startServe(t, home, { args: ['--log-level', 'debug'] });
  const ads = openAds(dial(t, `${home.address}:18000`, await home.pki.client('node', 'egress-1')));
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
  assert.ok(Buffer.isBuffer(await ads.next()));
  served.child.kill('SIGHUP');
  await served.logged('policy reloaded');
  const log = [...served.lines.map((line) => JSON.stringify(line)), ...served.words].join('\n');
  assert.doesNotMatch(log, /BEGIN|PRIVATE KEY|MII[A-Za-z0-9+/]{20}/);
});

async function assertHealthy(t: TestContext, home: Home, served: Served): Promise<void> {
  assert.equal((await served.readyz()).status, 200);
  const als = openAls(dial(t, `${home.address}:18000`, await home.pki.client('node', 'egress-1')));
  als.call.end(alsMessage({ identifier, http: [good] }));
  assert.equal(await als.ended, undefined);
}

/** When it is gone, by whatever end. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) =>
    socket.once('close', () => {
      resolve();
    }),
  );
}
