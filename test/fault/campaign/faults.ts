import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { nodeId, type House, type HouseOptions } from '../../support/house.ts';
import type { Program } from '../../support/sekisho.ts';
import { startRunScript } from './run-script.ts';
import { cutNetwork, fillDisk, mountDisk } from './surroundings.ts';

/** One thing that goes wrong while people work. */
export interface Fault {
  readonly name: string;
  /** In one line, for `--help` and the table. */
  readonly what: string;
  /** How long it takes at least, seconds. */
  readonly seconds: number;
  /** It needs root and a network of its own. */
  readonly privileged?: true;
  /** A house for it. */
  readonly house?: HouseOptions;
  /** What has to be so before anybody works. */
  prepare?(house: House): Promise<Prepared>;
  /** Lets it happen and mends it. Resolves when everything runs again. */
  strike(scene: Scene): Promise<Struck>;
}

export interface Scene {
  readonly house: House;
  /** Chance, between 0 and 1; the same again for the same seed. */
  readonly chance: () => number;
  readonly prepared: Prepared;
}

interface Prepared {
  /** The Envoy of envoy/run, in the place of the house's. */
  readonly run?: Program;
}

export interface Struck {
  /** When an Envoy was killed, milliseconds since 1970. */
  readonly envoyDied?: number;
}

const nothing: Struck = {};

const changingHost = 'campaign.awsapps.com';

/** A console CA that covers the host which comes and goes. */
const futureHost: HouseOptions = { futureHosts: [changingHost] };

/** `sekisho serve` with a disk that does as the file `disk` says. */
const breakableDisk: HouseOptions = {
  files: { disk: 'ok' },
  serveEnv: (dir) => ({
    NODE_OPTIONS: `--import ${import.meta.resolve('tsx')} --import ${new URL('broken-disk.ts', import.meta.url).href}`,
    BROKEN_DISK: join(dir, 'disk'),
  }),
};

export const faults: readonly Fault[] = [
  {
    name: 'none',
    what: 'nothing goes wrong',
    seconds: 2,
    strike: async () => {
      await wait(2_000);
      return nothing;
    },
  },
  {
    name: 'kill',
    what: 'the sink is killed (SIGKILL) and started again',
    seconds: 2,
    strike: (scene) => sinkAway(scene, 100 + scene.chance() * 700),
  },
  {
    name: 'stop-4s',
    what: 'the sink stands still (SIGSTOP) for 4 s',
    seconds: 4,
    strike: (scene) => sinkStill(scene, 4_000),
  },
  {
    name: 'stop-4s-kill',
    what: 'the sink stands still for 4 s, is killed and started again',
    seconds: 6,
    strike: async (scene) => {
      scene.house.service().signal('SIGSTOP');
      await wait(4_000);
      return sinkAway(scene, 0);
    },
  },
  {
    name: 'stop-30s',
    what: 'the sink stands still for 30 s',
    seconds: 30,
    strike: (scene) => sinkStill(scene, 30_000),
  },
  {
    name: 'down-3min',
    what: 'there is no sink for 3 minutes',
    seconds: 180,
    strike: (scene) => sinkAway(scene, 180_000),
  },
  {
    name: 'envoy-kill',
    what: 'Envoy is killed (SIGKILL) and started again',
    seconds: 3,
    strike: async ({ house }) => {
      const envoy = house.envoy();
      process.kill(envoy.pid, 'SIGKILL');
      const envoyDied = Date.now();
      await envoy.exited;
      await house.startEnvoy();
      return { envoyDied };
    },
  },
  {
    name: 'envoy-stop',
    what: 'Envoy, started by envoy/run, is stopped in order (SIGTERM) and started again',
    seconds: 6,
    prepare: async (house) => {
      await house.envoy().stop();
      return { run: await startRunScript(house, nodeId) };
    },
    strike: async ({ house, prepared: { run } }) => {
      run?.signal('SIGTERM');
      await run?.ended;
      await house.startEnvoy();
      return nothing;
    },
  },
  {
    name: 'push',
    what: 'the policy changes every half second',
    seconds: 4,
    house: futureHost,
    strike: async ({ house }) => {
      await pushes(house, 8);
      return nothing;
    },
  },
  {
    name: 'kill-push',
    what: 'the sink is killed and started again while the policy changes',
    seconds: 5,
    house: futureHost,
    strike: async (scene) => {
      await pushes(scene.house, 2);
      const struck = await sinkAway(scene, 100 + scene.chance() * 700);
      await pushes(scene.house, 2);
      return struck;
    },
  },
  {
    name: 'disk-full',
    what: 'the disk of the sink is full for 5 s',
    seconds: 5,
    privileged: true,
    house: {
      before: async (dir) => {
        const folder = join(dir, 'data');
        await mkdir(folder);
        const disk = mountDisk(folder, '256m');
        return () => {
          disk.unmount();
        };
      },
    },
    strike: async ({ house }) => {
      const filled = await fillDisk(join(house.dir, 'data'));
      await wait(5_000);
      await filled.empty();
      return nothing;
    },
  },
  {
    name: 'disk-slow',
    what: 'each fdatasync takes 300 ms more for 5 s',
    seconds: 5,
    house: breakableDisk,
    strike: (scene) => diskBroken(scene, 'slow 300', 5_000),
  },
  {
    name: 'disk-fails',
    what: 'each fdatasync fails (EIO) for 5 s',
    seconds: 5,
    house: breakableDisk,
    strike: (scene) => diskBroken(scene, 'fail', 5_000),
  },
  {
    name: 'cut',
    what: 'packets between Envoy and the sink vanish for 10 s',
    seconds: 10,
    privileged: true,
    strike: async () => {
      const cut = cutNetwork(sinkPort);
      await wait(10_000);
      cut.mend();
      return nothing;
    },
  },
];

/** Where the sink of a house listens. */
const sinkPort = 18_000;

async function diskBroken({ house }: Scene, order: string, ms: number): Promise<Struck> {
  await house.writeFile('disk', order);
  await wait(ms);
  await house.writeFile('disk', 'ok');
  return nothing;
}

async function sinkAway({ house }: Scene, ms: number): Promise<Struck> {
  const service = house.service();
  service.signal('SIGKILL');
  await service.ended;
  await wait(ms);
  await house.startService();
  return nothing;
}

async function sinkStill({ house }: Scene, ms: number): Promise<Struck> {
  const service = house.service();
  service.signal('SIGSTOP');
  await wait(ms);
  service.signal('SIGCONT');
  return nothing;
}

/** Changes that every door of the node feels: one host more on the list, then one less. */
async function pushes(house: House, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await house.reload((policy) => {
      policy.console.also = policy.console.also.length === 0 ? [changingHost] : [];
    });
    await wait(500);
  }
}
