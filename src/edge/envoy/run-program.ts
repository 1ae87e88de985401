import { spawn } from 'node:child_process';

export interface ProgramResult {
  /** Exit code; undefined when a signal ended it, ours after the timeout included. */
  readonly code: number | undefined;
  /** The last 64 KiB of what it said on either stream, mixed as it came. */
  readonly output: string;
}

const keptBytes = 65_536;

/** Runs a program to its end, at most `timeoutMs`. Rejects with what the operating system said when it cannot be started. */
export function runProgram(path: string, args: readonly string[], timeoutMs: number): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    // Not spawn's own `timeout`: that timer outlives a program that could not be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let kept = Buffer.alloc(0);
    const keep = (bytes: Buffer): void => {
      kept = Buffer.concat([kept, bytes]).subarray(-keptBytes);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (caught) => {
      clearTimeout(timer);
      reject(caught);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? undefined, output: kept.toString('utf8') });
    });
  });
}
