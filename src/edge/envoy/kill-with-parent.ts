import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Kills a process when this one ends, in whatever way: a shell waits at the end of a pipe that only we hold, and the kernel closes
 * the pipe even after SIGKILL. `release` once the process has ended, before its number can belong to another.
 */
export function killWithParent(pid: number): { release(): void } {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -KILL "$1"', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a shell there is no guard; the owner's stop() still works.
  guard.on('error', () => undefined);
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return {
    release: () => {
      guard.kill('SIGKILL');
    },
  };
}
