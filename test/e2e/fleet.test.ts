import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FleetJson } from '../../src/control/fleet/fleet.types.ts';
import { eventually } from '../support/envoy.ts';
import { nodeId, openHouse, type House } from '../support/house.ts';
import { line, sekisho } from '../support/sekisho.ts';
import { takePort } from '../support/taken-port.ts';

const url = 'https://us-east-1.console.aws.amazon.com/console/home';

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.close());

test('a fleet in step has exit code 0, and each type was acknowledged as it was sent', async () => {
  await settled();
  const { code, stdout } = await fleet('-o', 'json');
  assert.equal(code, 0);
  const { healthy, nodes } = JSON.parse(stdout) as FleetJson;
  assert.equal(healthy, true);
  const [node, ...others] = nodes;
  assert.ok(node);
  assert.equal(others.length, 0);
  assert.deepEqual([node.id, node.connected, node.inStep, node.identity], [nodeId, true, true, 'certificate']);
  assert.match(node.envoy ?? '', /^1\.\d+\.\d+$/);
  assert.equal(node.running, node.target);
  assert.deepEqual(node.types.map(({ type }) => type).sort(), [
    'Cluster',
    'ClusterLoadAssignment',
    'Listener',
    'RouteConfiguration',
    'Secret',
  ]);
  for (const { sent, acked, nack, inStep } of node.types) {
    assert.match(acked ?? '', /^[0-9a-f]{8,}$/);
    assert.deepEqual([acked, nack, inStep], [sent, null, true]);
  }

  const table = await fleet();
  assert.equal(table.code, 0);
  assert.match(table.stdout, new RegExp(`^NODE .*\\n${nodeId} .* in step `));
});

test('what Envoy refuses stands in the fleet with a cut text and exit code 1, and the open doors stay open', async () => {
  const { listen, free } = await takePort(house.address);
  await house.reload((policy) => {
    policy.doors.push({ name: 'taken', on: 'egress', kind: 'forward', listen, users: 'none' });
  });
  await line(house.log, /a node refused what it was told/);

  const { code, stdout } = await fleet('-o', 'json');
  assert.equal(code, 1);
  const { healthy, nodes } = JSON.parse(stdout) as FleetJson;
  assert.equal(healthy, false);
  const listeners = nodes[0]?.types.find(({ type }) => type === 'Listener');
  assert.ok(listeners?.nack);
  assert.notEqual(listeners.nack.version, listeners.acked);
  assert.match(listeners.nack.text, /taken\/connect/);
  assert.ok(listeners.nack.text.length <= 300);
  assert.equal(nodes[0]?.inStep, false);
  assert.deepEqual(
    nodes[0].findings.map((finding) => finding.code),
    ['nack'],
  );
  assert.doesNotMatch(stdout, /PRIVATE KEY|BEGIN CERTIFICATE/);
  const table = await fleet();
  assert.equal(table.code, 1);
  assert.match(table.stdout, /refused[^]*nack: It refused Listener /);
  assert.equal((await house.visitor().request({ url })).status, 200);

  // The remedy: the port is free, and the next policy says so again.
  await free();
  await house.reload((policy) => {
    policy.doors = policy.doors.filter(({ name }) => name !== 'taken');
  });
  await settled();
  assert.equal((await fleet()).code, 0);
  await house.reload((policy) => {
    policy.doors.push({ name: 'taken', on: 'egress', kind: 'forward', listen, users: 'none' });
  });
  await settled();
  assert.equal((await house.visitor({ door: 'taken' }).request({ url })).status, 200);
});

test('a node that the policy does not know gets nothing, whatever its certificate', async () => {
  for (const [id, certifiedAs, said] of [
    ['stranger-1', 'stranger-1', /No node group of the policy admits the node/],
    [nodeId, 'stranger-2', /its certificate says/],
  ] as const) {
    const from = house.log.length;
    const envoy = await house.startStranger(id, certifiedAs);
    await line(house.log, said, from);
    const dump = await house.ask('/config_dump?include_eds', envoy);
    assert.doesNotMatch(dump, /dynamic_listeners|dynamic_active_clusters|dynamic_active_secrets|awsstatic/);
    await envoy.stop();
  }
  // Both are gone from the fleet's sight, and the real node is not worse for the one that took its name.
  await settled();
  assert.deepEqual(
    (JSON.parse(await house.fleet()) as FleetJson).nodes.map(({ id }) => id),
    [nodeId],
  );
});

test('a node of the policy that never came is a finding with exit code 1', async () => {
  await house.reload(({ fleet: { nodes } }) => {
    nodes.egress.push({ id: 'egress-2' });
  });
  const { code, stdout } = await fleet();
  assert.equal(code, 1);
  assert.match(stdout, /never-connected: The policy names egress-2/);
  await house.reload(({ fleet: { nodes } }) => {
    nodes.egress.pop();
  });
  await settled();
});

test('without a service to ask, exit code 1 says how to name one; a wrong argument is exit code 2', async () => {
  const nobody = await sekisho(['fleet', '--admin', `http://${house.address}:1`]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /^sekisho: no answer from .*--admin/);
  assert.equal((await fleet('-o', 'xml')).code, 2);
  assert.equal((await sekisho(['fleet', '--nonsense'])).code, 2);
});

function fleet(...more: string[]): ReturnType<typeof sekisho> {
  return sekisho(['fleet', '--admin', `http://${house.address}:18080`, ...more]);
}

async function settled(): Promise<void> {
  await eventually('the fleet is in step', async () => (JSON.parse(await house.fleet()) as FleetJson).healthy);
}
