import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { atEnd } from '../support/serve.ts';

/** `skip` of a test that mounts file systems: a reason where this user may not; where CI=true nothing is skipped. */
export function unlessMounting(): string | false {
  if (process.env['CI'] === 'true') return false;
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]).status === 0;
  if (mounted) execFileSync('umount', [folder]);
  rmdirSync(folder);
  return mounted ? false : 'SKIPPED: only root can mount the small disks that this test fills';
}

/** `skip` of a test that makes network namespaces. */
export function unlessNamespaces(): string | false {
  if (process.env['CI'] === 'true') return false;
  const name = namespaceName('try');
  const made = spawnSync('ip', ['netns', 'add', name]).status === 0;
  if (made) execFileSync('ip', ['netns', 'delete', name]);
  return made
    ? false
    : 'SKIPPED: only root can make the network namespaces in which this test has addresses off loopback';
}

/** Mounts a disk of its own in this folder until the test is over. */
export function mountTmpfs(t: TestContext, folder: string, options: string): { remount(options: string): void } {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  atEnd(t, () => {
    execFileSync('umount', [folder]);
  });
  return {
    remount: (changed) => {
      execFileSync('mount', ['-o', `remount,${changed}`, folder]);
    },
  };
}

export interface Namespaces {
  /** What begins a command line that shall run there. */
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly serverAddress: string;
}

/** Two network namespaces with a cable between them and nothing else, until the test is over. */
export function twoNamespaces(t: TestContext): Namespaces {
  const [server, client] = [namespaceName('s'), namespaceName('c')];
  const ip = (...args: string[]): void => {
    execFileSync('ip', args);
  };
  for (const name of [server, client]) {
    ip('netns', 'add', name);
    atEnd(t, () => {
      ip('netns', 'delete', name);
    });
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  ip('-n', server, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', client);
  for (const [name, address] of [
    [server, '192.0.2.1/24'],
    [client, '192.0.2.2/24'],
  ] as const) {
    ip('-n', name, 'address', 'add', address, 'dev', 'cable');
    ip('-n', name, 'link', 'set', 'cable', 'up');
  }
  const into = (name: string): string[] => ['ip', 'netns', 'exec', name];
  return { server: into(server), client: into(client), serverAddress: '192.0.2.1' };
}

function namespaceName(which: string): string {
  return `sekisho-${process.pid}-${which}`;
}
