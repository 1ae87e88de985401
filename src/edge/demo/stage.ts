import path from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { initCa } from '../../control/ca/init-ca.ts';
import { issueClient } from '../../control/ca/issue-client.ts';
import { bootstrap } from '../../control/resources/bootstrap.ts';
import { formatProblem } from '../../policy/problem.ts';
import type { Assurance, Policy } from '../../policy/policy.types.ts';
import { factsOf } from '../cli/ca.ts';
import { readPolicy } from '../cli/read-policy.ts';
import { startEnvoy, type RunningEnvoy } from '../envoy/start-envoy.ts';
import { startService, type Service } from '../service/service.ts';
import { consoleCertificate, prepareScene, type Scene, type ScenePorts } from './scene.ts';
import { startStandIn, type StandIn } from './stand-in.ts';
import { untilLive } from './until-live.ts';

/** Everything of the demo, running. */
export interface Stage {
  readonly scene: Scene;
  readonly policy: Policy;
  readonly standIn: StandIn;
  readonly service: Service;
  readonly envoy: RunningEnvoy;
  /** Takes it all down: Envoy first, so that its last records still find somebody. */
  close(): Promise<void>;
}

const nodeId = 'egress-1';

/** The stand-in console, the authorities, the service and a real Envoy, in this order, each told by `progress`. */
export async function setStage(options: {
  readonly dir: string;
  readonly ports: ScenePorts;
  readonly envoyPath: string;
  readonly assurance: Assurance;
  readonly log: Log;
  readonly progress: (line: string) => void;
}): Promise<Stage> {
  const { dir, ports, log, progress } = options;
  const opened: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    const certificate = await consoleCertificate(dir);
    const standIn = await startStandIn({ certificate, host: '127.0.0.1', port: 0 });
    opened.push(() => standIn.close());
    progress(`a stand-in console listens on 127.0.0.1:${standIn.port}`);

    const scene = await prepareScene(dir, ports, { port: standIn.port, certificate }, options.assurance);
    const policy = await goodPolicy(scene.policyFile);
    await authorities(dir, scene, policy);
    progress(`two authorities are made in ${scene.pki}`);

    const roles = new Set(['control', 'sink'] as const);
    const service = await startService({ policy, roles, data: scene.data, pki: scene.pki, log });
    opened.push(() => service.close());
    progress(`control plane and sink serve on 127.0.0.1:${service.grpcPort}`);

    const host = { pki: path.join(scene.pki, 'nodes', nodeId), admin: { host: '127.0.0.1', port: 0 } };
    const envoy = await startEnvoy({
      path: options.envoyPath,
      bootstrap: { text: JSON.stringify(bootstrap(policy, nodeId, host)) },
      nodeId,
      cluster: policy.fleet.name,
      workDir: dir,
      log,
      epoch: systemClock.now(),
    });
    opened.push(() => envoy.stop());
    await untilLive(envoy);
    progress(`Envoy runs as ${nodeId} and has its doors open`);
    return { scene, policy, standIn, service, envoy, close };
  } catch (caught) {
    await close();
    throw caught;
  }
}

async function goodPolicy(file: string): Promise<Policy> {
  const loaded = await readPolicy(file);
  if ('policy' in loaded) return loaded.policy;
  throw new SekishoError('internal', loaded.problems.map(formatProblem).join('\n'));
}

/** The keys of the roots lie beside the service's folder and not in it, as they should. */
async function authorities(dir: string, { pki }: Scene, policy: Policy): Promise<void> {
  const folders = { online: pki, offline: path.join(dir, 'offline') };
  await initCa(folders, factsOf(policy), realDisk, systemClock);
  const identity = { fleet: policy.fleet.name, role: 'node', name: nodeId } as const;
  await issueClient(identity, folders, realDisk, systemClock);
}
