import { execFileSync, spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { skipNamespaces } from '../../support/netns.ts';

/** Whether this process may cut its own network and mount small disks: as root, and in a network of its own, which `inOwnNetwork` gives it. */
export const mayBreakThings: string | false =
  skipNamespaces === false && process.env['CAMPAIGN_NETWORK'] !== 'own'
    ? 'not in a network of its own'
    : skipNamespaces;

/** Runs this program again in a network that has a loopback and nothing else, and gives its exit code; undefined where nobody may make one. */
export function inOwnNetwork(): number | undefined {
  if (skipNamespaces !== false || process.env['CAMPAIGN_NETWORK'] === 'own') return undefined;
  const script = 'ip link set lo up && exec "$@"';
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', ['--net', '--mount', 'sh', '-c', script, 'sh', ...again], {
    stdio: 'inherit',
    env: { ...process.env, CAMPAIGN_NETWORK: 'own' },
  });
  return status ?? 1;
}

/** Nothing reaches this port any more, and nobody is told: packets vanish. */
export function cutNetwork(port: number): { mend(): void } {
  const table = 'sekisho_campaign';
  const rule = (end: string): string => `add rule inet ${table} cut tcp ${end} ${port} drop`;
  nft(
    `add table inet ${table}`,
    `add chain inet ${table} cut { type filter hook input priority 0; }`,
    rule('dport'),
    rule('sport'),
  );
  return {
    mend: () => {
      nft(`delete table inet ${table}`);
    },
  };
}

function nft(...commands: string[]): void {
  execFileSync('nft', ['-f', '-'], { input: `${commands.join('\n')}\n` });
}

/** A small disk in this folder. */
export function mountDisk(folder: string, size: string): { unmount(): void } {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  return {
    unmount: () => {
      execFileSync('umount', [folder]);
    },
  };
}

/** Leaves no byte free on the disk of this folder. */
export async function fillDisk(folder: string): Promise<{ empty(): Promise<void> }> {
  const filler = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  await writeFile(filler, Buffer.alloc(bavail * bsize)).catch((caught: unknown) => {
    if (!(caught instanceof Error && 'code' in caught && caught.code === 'ENOSPC')) throw caught;
  });
  return { empty: () => rm(filler) };
}
