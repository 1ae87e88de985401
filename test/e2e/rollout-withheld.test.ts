import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import type { RolloutJson } from '../../src/control/rollout/rollout.types.ts';
import type { FleetJson } from '../../src/control/fleet/fleet.types.ts';
import { bootstrap } from '../../src/control/resources/bootstrap.ts';
import { readPolicy } from '../../src/edge/cli/read-policy.ts';
import { untilLive } from '../../src/edge/demo/until-live.ts';
import { startEnvoy, type RunningEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import { silentLog } from '../../src/base/log.ts';
import { eventually, findEnvoy } from '../support/envoy.ts';
import { openHouse, type House } from '../support/house.ts';

const canaryId = 'plain-1';

let house: House;
let canary: RunningEnvoy;
before(async () => {
  house = await openHouse({
    policy: (policy) => {
      const { address = '' } = policy.fleet.nodes.egress[0] ?? {};
      policy.fleet.nodes['plain'] = [{ id: canaryId, address }];
      policy.doors = policy.doors.filter(({ name }) => name === 'lab');
      policy.doors.push({
        name: 'blind',
        on: 'plain',
        kind: 'forward',
        inspect: 'tunnel',
        listen: `${address}:3130`,
        users: 'none',
      });
      policy.console.pins = {};
      policy.rollout = { canary: [canaryId], soak: '1s' };
    },
  });
  canary = await startInPlainText();
  await untilLive(canary);
});
after(async () => {
  await canary.stop();
  await house.close();
});

test('a canary that acknowledges a change and cannot serve it, for want of certificates, has it rolled back', async () => {
  await house.reload((policy) => {
    for (const door of policy.doors) if (door.name === 'blind') door.inspect = 'full';
  });
  const said = 'plain-1 gets no certificates over plain text, so its doors cannot answer';
  await eventually('that is said', async () => (await rolloutOf()).waits.includes(said));
  const { nodes } = JSON.parse(await house.fleet()) as FleetJson;
  assert.equal(nodes.find(({ id }) => id === canaryId)?.inStep, true, 'Envoy itself has acknowledged all of it');
  assert.equal(await decrypts(), true);

  await eventually('it is rolled back', async () => (await rolloutOf()).state === 'rolled-back', 60_000);
  assert.equal((await rolloutOf()).refusal?.cause, 'warming');
  await eventually('the door is what it was', async () => !(await decrypts()));
});

/** An Envoy on loopback without a certificate: it gets all but secrets. */
async function startInPlainText(): Promise<RunningEnvoy> {
  const loaded = await readPolicy(house.policyFile);
  assert.ok('policy' in loaded);
  const host = { pki: house.pki, admin: { host: house.address, port: 0 } };
  const whole = JSON.parse(JSON.stringify(bootstrap(loaded.policy, canaryId, host))) as {
    static_resources: { clusters: { transport_socket?: unknown }[] };
  };
  for (const cluster of whole.static_resources.clusters) delete cluster.transport_socket;
  return startEnvoy({
    path: (await findEnvoy()).path,
    bootstrap: { text: JSON.stringify(whole) },
    nodeId: canaryId,
    cluster: loaded.policy.fleet.name,
    workDir: house.dir,
    log: silentLog,
    epoch: systemClock.now(),
  });
}

/** Whether the canary ends TLS itself. */
async function decrypts(): Promise<boolean> {
  return (await house.ask('/config_dump?resource=dynamic_listeners', canary)).includes('leaf/blind');
}

async function rolloutOf(): Promise<RolloutJson> {
  return (JSON.parse(await house.fleet()) as { rollout: RolloutJson }).rollout;
}
