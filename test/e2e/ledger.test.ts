import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { after, before, test } from 'node:test';
import type { EpochJson, LedgerJson } from '../../src/sink/ledger/ledger.types.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { eventually, get } from '../support/envoy.ts';
import { nodeId, openHouse, type House } from '../support/house.ts';
import { sekisho } from '../support/sekisho.ts';

const flushes = 'access_logs.grpc_access_log.grpc_entries_flushed';
const consoleUrl = 'https://us-east-1.console.aws.amazon.com';
/** Counters come every 5 s, wait for 10 s, and nothing is compared in the first 15 s of a sink. */
const noticed = 60_000;

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.close());

test('under load, over keep-alive connections and beside an open WebSocket, nothing is missing and the numbers agree', async () => {
  const people = (['lab', 'office'] as const).map((door) => house.visitor({ door }));
  const socket = await openWebSocket();
  await Promise.all(
    people.map(async (person) => {
      for (let index = 0; index < 300; index += 1) await person.request({ url: `${consoleUrl}/api/load?${index}` });
    }),
  );
  await agreed('lab/http', 300);
  await agreed('office/http', 300);
  await eventually(
    'what was under load has come to rest',
    async () => (await log('lab/http')).handled === 300,
    noticed,
  );
  const { code, stdout } = await ledger();
  assert.equal(code, 0, stdout);
  socket.destroy();
  await agreed('lab/http', 301);
  assert.deepEqual(gapRecords(), []);
});

test('one record that is lost is one gap of one, as a record, as a metric, and on the exit code', async () => {
  const person = house.visitor();
  await person.request({ url: `${consoleUrl}/api/before` });
  await house.record({ 'url.path': '/api/before' });
  await agreed('lab/http', 302);
  const flushed = await house.stat(flushes);
  // What Envoy writes to a stopped process, which is then killed, is with neither.
  house.service().signal('SIGSTOP');
  assert.equal((await person.request({ url: `${consoleUrl}/api/lost` })).status, 200);
  await eventually('Envoy has sent it', async () => (await house.stat(flushes)) > flushed);
  house.service().signal('SIGKILL');
  await house.service().ended;
  await house.startService();
  await eventually('the gap', async () => (await ledger()).code === 1, noticed);
  const [gap, ...more] = await gaps();
  assert.deepEqual(more, []);
  assert.ok(gap);
  assert.deepEqual([gap.log, gap.missing, gap.atLeast, gap.cause], ['lab/http', 1, false, 'sink_restarted']);
  await house.record({ 'sekisho.kind': 'gap' });
  const [record, ...others] = gapRecords();
  assert.deepEqual(others, []);
  assert.ok(record);
  assert.deepEqual(
    [record['sekisho.node'], record['sekisho.log'], record['sekisho.gap.state'], record['sekisho.gap.missing']],
    [nodeId, 'lab/http', 'opened', 1],
  );
  assert.match(await metrics(), /^sekisho_ledger_missing\{node="egress-1"\} 1$/m);
});

test('a sink that was killed knows the gap again, and tells it no second time', async () => {
  house.service().signal('SIGKILL');
  await house.service().ended;
  await house.startService();
  assert.equal((await gaps())[0]?.missing, 1);
  await house.visitor().request({ url: `${consoleUrl}/api/after` });
  await eventually('what came after is compared', async () => (await log('lab/http')).handled === 304, noticed);
  assert.deepEqual(
    (await gaps()).map(({ missing }) => missing),
    [1],
  );
  assert.equal(gapRecords().length, 1);
});

test('an Envoy that was killed leaves a lower bound, never nothing missing', async () => {
  process.kill(house.envoy().pid, 'SIGKILL');
  await house.envoy().exited;
  await house.startEnvoy();
  await eventually('the end is told', () => Promise.resolve(gapRecords().length === 2), noticed);
  const [, end] = gapRecords();
  assert.deepEqual(
    ['sekisho.gap.cause', 'sekisho.gap.at_least', 'sekisho.log'].map((name) => end?.[name]),
    ['envoy_ended', true, undefined],
  );
  // One is known to be missing; what Envoy had not sent yet may come to it.
  const missing = Number(end?.['sekisho.gap.missing']);
  assert.ok(missing >= 1, String(missing));
  assert.match((await ledger()).stdout, /at least [1-9]\d* missing.*ended without a farewell/);
});

async function openWebSocket(): Promise<TLSSocket> {
  const host = new URL(consoleUrl).host;
  const socket = await house.connect(host);
  const key = randomBytes(16).toString('base64');
  const headers = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
  ];
  socket.write(['GET /cloudshell/ws HTTP/1.1', `Host: ${host}`, ...headers, '', ''].join('\r\n'));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1.1 101 /);
  return socket;
}

async function ledger(): Promise<{ code: number | undefined; stdout: string }> {
  return sekisho(['ledger', '--admin', `http://${house.address}:18080`]);
}

/** The last run of the Envoy; undefined until it has sent anything. */
async function lastRun(): Promise<EpochJson | undefined> {
  const { epochs } = JSON.parse((await get(`http://${house.address}:18080/ledger`)).body) as LedgerJson;
  return epochs.at(-1);
}

async function gaps(): Promise<EpochJson['gaps']> {
  return (await lastRun())?.gaps ?? [];
}

async function log(name: string): Promise<{ handled: number | null; stored: number }> {
  return (await lastRun())?.logs.find((one) => one.log === name) ?? { handled: null, stored: 0 };
}

async function agreed(name: string, count: number): Promise<void> {
  await eventually(`${count} of ${name}`, async () => {
    const { handled, stored } = await log(name);
    return handled === count && stored === count;
  });
}

async function metrics(): Promise<string> {
  return (await get(`http://${house.address}:18080/metrics`)).body;
}

function gapRecords(): NamedRecord[] {
  return house.records.filter((record) => record['sekisho.kind'] === 'gap');
}
