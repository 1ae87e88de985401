import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, findEnvoy } from './envoy.ts';
import type { FarSide } from './far-side.ts';
import { authority, region, type KeyPair } from './house.ts';
import type { Namespace } from './netns.ts';
import { line, sekisho, type Program } from './sekisho.ts';

/** Addresses of the far side. Nobody has them (RFC 5737, RFC 3849), and the namespaces are cut off from everything anyway. */
export const far = {
  console: '203.0.113.10',
  console6: '2001:db8::10',
  /** Not the console, though it has a certificate that says so. */
  foreign: '198.51.100.66',
  dns: '203.0.113.53',
  /** The DNS that a host asks by itself, where it has a resolv.conf that says so. */
  splitDns: '203.0.113.54',
} as const;

/** The host's own address, which is also what the fleet goes out with, and another one of which the policy knows by its doors alone. */
export const own = '51.44.71.80';
export const ownToo = '51.44.71.81';

/** Debian's nobody: Envoy runs as it, and no client of the tests does. */
export const envoyUid = 65534;

type Zone = Readonly<Record<string, readonly string[]>>;

export interface DoorHostOptions {
  /** As the policy has them, on the group `host`. */
  readonly doors: readonly object[];
  /** What the resolvers of the policy say. */
  readonly zone: Zone;
  /** What the host's own DNS says. */
  readonly splitZone?: Zone;
  /** Files of the host's own in place of the machine's, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

export async function startFarSide(
  side: Namespace,
  dir: string,
  hosts: readonly string[],
  { zone, splitZone = {} }: DoorHostOptions,
): Promise<Program> {
  const pair: KeyPair = await (await authority(join(dir, 'far'), hosts)).issue(hosts);
  const facts: FarSide = {
    servers: [far.console, far.console6, far.foreign].map((address) => ({ address, ...pair })),
    dns: [
      { address: far.dns, zone },
      { address: far.splitDns, zone: splitZone },
    ],
  };
  const file = join(dir, 'far-side.json');
  await writeFile(file, JSON.stringify(facts), { mode: 0o600 });
  const started = side.startModule(fileURLToPath(new URL('far-side.ts', import.meta.url)), [file]);
  await line(started.stdout, /ready/);
  return started;
}

export function policyWith(doors: readonly object[]): object {
  return {
    fleet: { name: 'tokyo', egress: [`${own}/32`], nodes: { host: { match: 'host-*', max: 5 } } },
    doors,
    console: { regions: [region], resolvers: [far.dns], trust: 'far/console-root.crt' },
    record: { assurance: 'stream' },
  };
}

export async function startService(host: Namespace, dir: string, policy: string): Promise<void> {
  const pki = ['-c', policy, '--pki', join(dir, 'pki'), '--offline', join(dir, 'offline')];
  for (const args of [
    ['ca', 'init', ...pki],
    ['ca', 'node', 'host-1', ...pki],
  ]) {
    const { code, stderr } = await sekisho(args);
    if (code !== 0) throw new Error(stderr);
  }
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const started = host.startModule(main, [
    ...['serve', '-c', policy, '--data', join(dir, 'data'), '--pki', join(dir, 'pki')],
  ]);
  await line(started.stderr, /"message":"serving"/);
}

export async function startEnvoy(host: Namespace, dir: string, policy: string): Promise<void> {
  const { path } = await findEnvoy();
  const pki = join(dir, 'pki', 'nodes', 'host-1');
  const { stdout } = await sekisho(['bootstrap', '-c', policy, '--node', 'host-1', '--node-pki', pki]);
  const bootstrap = join(pki, 'bootstrap.yaml');
  await writeFile(bootstrap, stdout);
  // Envoy's user reads what is its own, and passes through the folders above.
  await host.must('chown', '-R', String(envoyUid), pki);
  await host.must('chmod', 'o+x', dir, join(dir, 'pki'), join(dir, 'pki', 'nodes'));
  const env = { SEKISHO_NODE: 'host-1', SEKISHO_BOOTSTRAP: bootstrap, SEKISHO_ENVOY: path, SEKISHO_DRAIN_SECONDS: '0' };
  host.start([script('run'), '--concurrency', '1', '--log-level', 'warning'], { uid: envoyUid, env });
  await eventually('Envoy is live', async () => {
    const { code } = await host.run([script('ready')]);
    return code === 0;
  });
}

/** A script of envoy/. */
export function script(name: string): string {
  return fileURLToPath(new URL(`../../envoy/${name}`, import.meta.url));
}
