import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FleetJson } from '../../src/control/fleet/fleet.types.ts';
import { eventually } from '../support/envoy.ts';
import { openHouse, type House } from '../support/house.ts';

const consoleUrl = 'https://us-east-1.console.aws.amazon.com';

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.close());

for (const [how, signal] of [
  ['killed', 'SIGKILL'],
  ['stopped', 'SIGTERM'],
] as const) {
  test(`while the service is ${how} the doors stay open; when it is back, Envoy is in step and nothing is pushed twice`, async () => {
    await settled();
    const person = house.visitor();
    await person.request({ url: `${consoleUrl}/api/before-${how}` });
    await house.record({ 'url.path': `/api/before-${how}` });
    const service = house.service();
    const version = await runningVersion();
    const pushed = await pushes();
    assert.ok(Object.values(pushed).filter((count) => count > 0).length >= 5, JSON.stringify(pushed));

    service.signal(signal);
    assert.equal(await service.ended, signal === 'SIGKILL' ? undefined : 0);
    assert.equal((await person.request({ url: `${consoleUrl}/console/home` })).status, 200);
    assert.equal((await house.visitor().request({ url: `${consoleUrl}/console/home` })).status, 200);

    await house.startService();
    await settled();
    assert.deepEqual(await pushes(), pushed);
    assert.equal(await runningVersion(), version);
    assert.equal((await house.visitor().request({ url: `${consoleUrl}/api/after-${how}` })).status, 200);
    await house.record({ 'url.path': `/api/after-${how}` });
    assert.equal(house.records.filter((record) => record['url.path'] === `/api/before-${how}`).length, 1);
    assert.equal((await person.request({ url: `${consoleUrl}/console/home` })).status, 200);
  });
}

test('records stay in one order over all restarts, and none has the index of another', () => {
  const indices = house.records.map((record) => record['sekisho.index']);
  assert.deepEqual(
    indices,
    indices.map((_, at) => at),
  );
});

test('an Envoy that starts again has its doors open and is in step; its records tell of a new epoch', async () => {
  const before = await house.record({ 'url.path': '/api/after-stopped' });
  await house.envoy().stop();
  await eventually('the fleet knows that it left', async () => !(await node()).connected);
  await assert.rejects(house.visitor().request({ url: `${consoleUrl}/` }), { code: 'server_unreachable' });
  await house.startEnvoy();
  await settled();
  assert.equal((await house.visitor().request({ url: `${consoleUrl}/api/new-epoch` })).status, 200);
  const record = await house.record({ 'url.path': '/api/new-epoch' });
  assert.ok(String(record['sekisho.epoch']) > String(before['sekisho.epoch']));
});

/** How often Envoy took each kind of resource over. */
async function pushes(): Promise<Record<string, number>> {
  const names = [
    'cluster_manager.cluster_added',
    'cluster_manager.cluster_modified',
    'cluster_manager.cluster_removed',
    'cluster_manager.cds.config_reload',
    'listener_manager.listener_added',
    'listener_manager.listener_modified',
    'listener_manager.listener_in_place_updated',
    'listener_manager.lds.config_reload',
    'http.lab/connect.rds.lab/connect.config_reload',
    'http.lab/http.rds.lab/http.config_reload',
  ];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await house.stat(name)] as const)));
}

async function runningVersion(): Promise<string> {
  return (await node()).running ?? '';
}

async function node(): Promise<FleetJson['nodes'][number]> {
  const [only] = (JSON.parse(await house.fleet()) as FleetJson).nodes;
  assert.ok(only);
  return only;
}

async function settled(): Promise<void> {
  await eventually('the fleet is in step', async () => (JSON.parse(await house.fleet()) as FleetJson).healthy);
}
