import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { listenerType, secretType, shortType } from '../../src/control/xds/type-urls.ts';
import {
  fetchBytes,
  fetchStatus,
  readStatus,
  rowsOf,
  statusRequest,
  type RowJson,
} from '../edge/grpc/client-status-fixture.ts';
import { eventually } from '../support/envoy.ts';
import { nodeId, openHouse, type House } from '../support/house.ts';
import { dial } from '../support/serve.ts';
import { takePort } from '../support/taken-port.ts';

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.close());

test('an Envoy in step has every resource acknowledged, in the version that it shows itself', async (t) => {
  const rows = await settled(t);
  assert.deepEqual(
    [...new Set(rows.map(({ typeUrl }) => shortType(typeUrl)))],
    ['Cluster', 'ClusterLoadAssignment', 'Listener', 'RouteConfiguration', 'Secret'],
  );
  for (const { name, clientStatus, configStatus, lastUpdated } of rows) {
    assert.deepEqual([clientStatus, configStatus], ['ACKED', 'SYNCED'], name);
    assert.ok(Date.now() - Date.parse(lastUpdated ?? '') < 60_000, name);
  }
  const told = rows.filter(({ typeUrl }) => typeUrl === listenerType);
  assert.deepEqual(
    told.map(({ name, versionInfo }) => [name, versionInfo]),
    (await listenersOfEnvoy()).map(({ name, active_state: state }) => [name, state?.version_info]).sort(),
  );
  assert.ok(told.every(({ xdsConfig }) => Object.keys(xdsConfig ?? {}).length > 2));
});

test('no key and no certificate leaves with the secrets of an Envoy, only their names', async (t) => {
  await settled(t);
  const bytes = await fetchBytes(dial(t, grpc()), statusRequest({}));
  assert.ok(Buffer.isBuffer(bytes));
  assert.ok(!bytes.includes('PRIVATE KEY'));
  const secrets = rowsOf(readStatus(bytes)).filter(({ typeUrl }) => typeUrl === secretType);
  assert.ok(secrets.length >= 2);
  for (const { name, xdsConfig } of secrets) assert.deepEqual(xdsConfig, { '@type': secretType, name });
});

test('a listener that Envoy refused is told with its reason, and the others as they run', async (t) => {
  const good = await settled(t);
  const { listen, free } = await takePort(house.address);
  await house.reload((policy) => {
    policy.doors.push({ name: 'taken', on: 'egress', kind: 'forward', listen, users: 'none' });
  });
  const refused = (rows: readonly RowJson[]) => rows.filter(({ clientStatus }) => clientStatus === 'NACKED');
  await eventually('refused', async () => refused(await rowsNow(t)).length > 0);
  const rows = await rowsNow(t);
  const [row] = refused(rows).filter(({ name }) => name.startsWith('taken/connect'));
  assert.ok(row);
  assert.deepEqual([row.typeUrl, row.configStatus, row.versionInfo], [listenerType, 'ERROR', undefined]);
  assert.match(row.errorState?.details ?? '', /taken\/connect/);
  assert.ok((row.errorState?.details ?? '').length <= 300);
  assert.equal(row.xdsConfig, undefined);
  const stay = good
    .filter(({ typeUrl }) => typeUrl === listenerType)
    .map(({ name, versionInfo }) => [name, versionInfo]);
  const now = new Map(rows.filter(({ typeUrl }) => typeUrl === listenerType).map((one) => [one.name, one.versionInfo]));
  assert.deepEqual(
    stay.map(([name = '']) => [name, now.get(name)]),
    stay,
  );

  await house.reload((policy) => {
    policy.doors = policy.doors.filter(({ name }) => name !== 'taken');
  });
  await free();
  // Envoy asks a little longer for what the listener referred to; there is none of it any more.
  const held = (rows_: readonly RowJson[]) =>
    rows_.filter(({ clientStatus }) => clientStatus === 'ACKED').map(({ typeUrl, name }) => `${typeUrl} ${name}`);
  assert.deepEqual(held(await settled(t)), held(good));
});

test('the example of docs/operations.md prints a line for each resource', async (t) => {
  const rows = await settled(t);
  const root = new URL('../../', import.meta.url);
  const page = await readFile(new URL('docs/operations.md', root), 'utf8');
  const [, example = ''] = /```js\n([^]*?)```/.exec(page) ?? [];
  const code = example.replace('127.0.0.1:18000', grpc());
  assert.notEqual(code, example);
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { cwd: root });
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, rows.length);
  assert.match(lines[0] ?? '', new RegExp(`^${nodeId} Cluster console ACKED SYNCED [0-9a-f]{16} `));
});

test('an Envoy that left is not told of', async (t) => {
  await settled(t);
  await house.envoy().stop();
  await eventually('gone', async () => (await fetchStatus(dial(t, grpc()))).config === undefined);
});

function grpc(): string {
  return `${house.address}:18000`;
}

async function rowsNow(t: TestContext): Promise<readonly RowJson[]> {
  return rowsOf(await fetchStatus(dial(t, grpc())), nodeId);
}

async function settled(t: TestContext): Promise<readonly RowJson[]> {
  let rows: readonly RowJson[] = [];
  await eventually('all in step', async () => {
    rows = await rowsNow(t);
    return rows.length > 0 && rows.every(({ configStatus }) => configStatus === 'SYNCED');
  });
  return rows;
}

interface EnvoyListener {
  readonly name: string;
  readonly active_state?: { readonly version_info: string };
}

async function listenersOfEnvoy(): Promise<readonly EnvoyListener[]> {
  const dump = JSON.parse(await house.ask('/config_dump?resource=dynamic_listeners')) as { configs: EnvoyListener[] };
  return dump.configs;
}
