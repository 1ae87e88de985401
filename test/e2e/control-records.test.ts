import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FleetJson } from '../../src/control/fleet/fleet.types.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { eventually } from '../support/envoy.ts';
import { nodeId, openHouse, type House } from '../support/house.ts';
import { line, sekisho } from '../support/sekisho.ts';
import { takePort } from '../support/taken-port.ts';

let house: House;
before(async () => {
  house = await openHouse({ futureHosts: ['docs.aws.amazon.com'] });
});
after(() => house.close());

test('a start leaves a publication that names policy, version and nodes, and then the acknowledgement of the node', async () => {
  await settled();
  const [published, acknowledged, ...more] = await controlRecords(2);
  assert.ok(published && acknowledged);
  assert.equal(more.length, 0);
  assert.deepEqual(control(published), {
    act: 'published',
    actor: 'policy',
    policy: house.policyFile,
    policy_sha256: await sha256(),
    target: 'egress',
    version: published['sekisho.control.version'],
    nodes: [nodeId],
    changes: published['sekisho.control.changes'],
    added: published['sekisho.control.added'],
  });
  const added = published['sekisho.control.added'];
  assert.ok(Array.isArray(added) && added.includes('Listener lab/connect') && added.includes('Secret leaf/office'));
  assert.match(String(published['sekisho.control.changes']), /Listener \+4 ~0 -0/);
  assert.equal(published['sekisho.node'], undefined);
  assert.equal(published['sekisho.identity'], 'self');

  assert.deepEqual(control(acknowledged), {
    act: 'acknowledged',
    actor: 'node',
    version: published['sekisho.control.version'],
    nodes: [nodeId],
  });
  assert.deepEqual([acknowledged['sekisho.node'], acknowledged['sekisho.identity']], [nodeId, 'certificate']);
  assert.ok(String(acknowledged['time']) >= String(published['time']));
  assert.equal(await running(), published['sekisho.control.version']);
});

test('a changed policy leaves both again, with what it changed; one that changes no node, its name and hash alone', async () => {
  const from = (await controlRecords()).length;
  await house.reload(({ console: { also } }) => {
    also.push('docs.aws.amazon.com');
  });
  await settled();
  const [published, acknowledged] = await controlRecords(from + 2, from);
  assert.equal(published?.['sekisho.control.policy_sha256'], await sha256());
  const changed = published['sekisho.control.changed'];
  assert.ok(Array.isArray(changed) && changed.includes('RouteConfiguration lab/http'));
  assert.equal(acknowledged?.['sekisho.control.act'], 'acknowledged');
  assert.equal(acknowledged['sekisho.control.version'], published['sekisho.control.version']);

  await house.reload(({ record }) => {
    record.redact.query.push('shibboleth');
  });
  const [named, ...more] = await controlRecords(from + 3, from + 2);
  assert.equal(more.length, 0);
  assert.ok(named);
  assert.deepEqual(control(named), {
    act: 'published',
    actor: 'policy',
    policy: house.policyFile,
    policy_sha256: await sha256(),
  });
});

test('what Envoy refuses leaves a record with its reason, cut, and without what it refused', async () => {
  const from = (await controlRecords()).length;
  const { listen, free } = await takePort(house.address);
  await house.reload(({ doors }) => {
    doors.push({ name: 'taken', on: 'egress', kind: 'forward', listen, users: 'none' });
  });
  await line(house.log, /a node refused what it was told/);
  const [published, refused] = await controlRecords(from + 2, from);
  assert.ok(published && refused);
  const { text, ...said } = control(refused);
  assert.deepEqual(said, {
    act: 'refused',
    actor: 'node',
    version: published['sekisho.control.version'],
    nodes: [nodeId],
    type: 'Listener',
  });
  assert.match(String(text), /taken\/connect/);
  assert.ok(String(text).length <= 300);
  assert.equal(refused['sekisho.node'], nodeId);

  const { stdout } = await sekisho(['records', '--data', join(house.dir, 'data'), '--kind', 'control']);
  assert.match(stdout, new RegExp(`control .* \\[refused\\] ${nodeId}: Listener .*taken/connect`));
  assert.match(stdout, new RegExp(`\\[published\\] ${nodeId}: .*Listener \\+`));

  await free();
  await house.reload(({ doors }) => void doors.pop());
  await settled();
});

test('a node that comes back with what it had leaves no record', async () => {
  await settled();
  const from = (await controlRecords()).length;
  await house.envoy().stop();
  await house.startEnvoy();
  await settled();
  // Another publication, so that there is something to wait for.
  await house.reload(({ record }) => void record.redact.query.push('again'));
  const found = await controlRecords(from + 1, from);
  assert.deepEqual(
    found.map((record) => record['sekisho.control.act']),
    ['published'],
  );
});

test('records of the control plane hold no key, no certificate, and nothing of a resource but its name', async () => {
  const all = JSON.stringify(await controlRecords());
  assert.doesNotMatch(all, /PRIVATE|BEGIN|typed_config|filter_chain/);
});

/** What `sekisho records -o json --kind control` prints, from one on, once there are so many. */
async function controlRecords(count = 0, from = 0): Promise<NamedRecord[]> {
  let found: NamedRecord[] = [];
  await eventually(`${count} records`, async () => {
    const args = ['records', '--data', join(house.dir, 'data'), '-o', 'json', '--kind', 'control'];
    const { code, stdout, stderr } = await sekisho(args);
    assert.equal(code, 0, stderr);
    found = stdout
      .split('\n')
      .slice(0, -1)
      .map((text) => JSON.parse(text) as NamedRecord);
    return found.length >= count;
  });
  return found.slice(from);
}

function control(record: NamedRecord): Record<string, unknown> {
  const prefix = 'sekisho.control.';
  const named = Object.entries(record).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(named.map(([name, value]) => [name.slice(prefix.length), value]));
}

async function sha256(): Promise<string> {
  return createHash('sha256')
    .update(await readFile(house.policyFile))
    .digest('hex');
}

async function running(): Promise<string | null | undefined> {
  return (JSON.parse(await house.fleet()) as FleetJson).nodes[0]?.running;
}

async function settled(): Promise<void> {
  await eventually('the fleet is in step', async () => (JSON.parse(await house.fleet()) as FleetJson).healthy);
}
