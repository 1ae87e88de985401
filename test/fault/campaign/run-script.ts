import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, findEnvoy, get } from '../../support/envoy.ts';
import type { House } from '../../support/house.ts';
import { startProgram, type Program } from '../../support/sekisho.ts';

const script = fileURLToPath(new URL('../../../envoy/run', import.meta.url));

/** Starts a node's Envoy as its host does, by envoy/run and from the bootstrap that the house has made, and waits until its doors are open. */
export async function startRunScript(house: House, nodeId: string): Promise<Program> {
  const admin = `${house.address}:9901`;
  const bootstrap = JSON.parse(await readFile(join(house.dir, `${nodeId}.bootstrap.yaml`), 'utf8')) as Bootstrap;
  bootstrap.admin.address.socket_address.port_value = 9901;
  await house.writeFile('run.bootstrap.json', JSON.stringify(bootstrap));
  const program = startProgram([script, '--concurrency', '1', '--log-level', 'error'], {
    cwd: house.dir,
    env: {
      SEKISHO_NODE: nodeId,
      SEKISHO_ENVOY: (await findEnvoy()).path,
      SEKISHO_BOOTSTRAP: join(house.dir, 'run.bootstrap.json'),
      SEKISHO_ENVOY_ADMIN: admin,
      SEKISHO_DRAIN_SECONDS: '5',
    },
  });
  const live = async () => (await get(`http://${admin}/ready`).catch(() => undefined))?.status === 200;
  await eventually('the Envoy of envoy/run is live', live);
  return program;
}

interface Bootstrap {
  admin: { address: { socket_address: { port_value: number } } };
}
