import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contents } from '../control/xds/model.ts';
import type { Command, Report } from './server-process.ts';

/** A discovery server in a process of its own. */
export interface ServerProcess {
  readonly port: number;
  /** From now on the nodes whose ids begin with `key` and a hyphen shall have this. */
  publish(key: string, contents: Contents): void;
  /** What the server has come to, after everything that was published so far, and after a collection. */
  look(): Promise<Report>;
  /** What it wrote to stderr: nothing, unless it is ill. */
  readonly complaints: () => string;
  /** Rejects if it has ended by itself. */
  stop(): Promise<void>;
}

export async function startServer(): Promise<ServerProcess> {
  const program = fileURLToPath(new URL('server-process.ts', import.meta.url));
  const child = fork(program, { execArgv: ['--expose-gc', '--import', import.meta.resolve('tsx')], stdio: 'pipe' });
  let complaints = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  const waiting = new Map<
    number,
    { readonly resolve: (report: Report) => void; readonly reject: (error: Error) => void }
  >();
  let ended: string | undefined;
  let looks = 0;
  child.on('message', (report: Report) => {
    waiting.get(report.look)?.resolve(report);
    waiting.delete(report.look);
  });
  const exit = new Promise<void>((exited) => {
    child.once('exit', (code, signal) => {
      ended = `the server ended: ${code ?? signal ?? ''}\n${complaints}`;
      for (const { reject } of waiting.values()) reject(new Error(ended));
      exited();
    });
  });
  const reported = (look: number): Promise<Report> =>
    new Promise((resolve, reject) => {
      if (ended === undefined) waiting.set(look, { resolve, reject });
      else reject(new Error(ended));
    });
  const tell = (command: Command): void => {
    assert.equal(ended, undefined);
    child.send(command);
  };
  const { port } = await reported(looks);
  return {
    port,
    publish: (key, contents) => {
      tell({ do: 'publish', key, contents });
    },
    look: () => {
      looks += 1;
      tell({ do: 'look', look: looks });
      return reported(looks);
    },
    complaints: () => complaints,
    stop: async () => {
      assert.equal(ended, undefined);
      child.disconnect();
      await exit;
    },
  };
}
