import { createLog } from '../../../src/base/log.ts';
import { temporaryFolder } from '../../../src/base/temporary-folder.ts';
import { freePorts } from '../../../src/edge/demo/free-ports.ts';
import { setStage, type Stage } from '../../../src/edge/demo/stage.ts';
import { findEnvoy } from '../../support/envoy.ts';

/** The demo's house on ports that are free: stand-in, service, a real Envoy with an `office` and a `lab` door. */
export async function openStage(): Promise<Stage> {
  const folder = await temporaryFolder('sekisho-stage-');
  const stage = await setStage({
    dir: folder.path,
    ports: await freePorts({ grpc: 0, admin: 0, public: 0, office: 0, lab: 0 }),
    envoyPath: (await findEnvoy()).path,
    assurance: 'stream',
    log: createLog({ level: 'error' }),
    progress: () => undefined,
  }).catch(async (caught: unknown) => {
    await folder.remove();
    throw caught;
  });
  return {
    ...stage,
    close: async () => {
      await stage.close();
      await folder.remove();
    },
  };
}
