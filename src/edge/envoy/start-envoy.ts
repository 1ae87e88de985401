import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { realDisk, type Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { envoyLine } from './envoy-line.ts';
import { killWithParent } from './kill-with-parent.ts';

export interface StartEnvoyOptions {
  readonly path: string;
  /** The bootstrap: a file, or its text (YAML or JSON), which is then written into `workDir`. It must have an `admin` address. */
  readonly bootstrap: { readonly file: string } | { readonly text: string };
  readonly nodeId: string;
  readonly cluster: string;
  /** An existing folder for what this Envoy writes, and its current directory. */
  readonly workDir: string;
  readonly log: Log;
  /** Worker threads: 1 unless told. */
  readonly concurrency?: number;
  /** Milliseconds since 1970 at which this run of the node began: `sekisho.epoch` in its metadata. */
  readonly epoch?: number;
  /** Envoy's own levels; `warning` unless told. */
  readonly logLevel?: 'debug' | 'info' | 'warning' | 'error';
  /** Further arguments of Envoy. */
  readonly args?: readonly string[];
  /** How long it may take until its admin answers: 15 s unless told. */
  readonly startMs?: number;
  readonly disk?: Disk;
}

export interface EnvoyExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface RunningEnvoy {
  readonly pid: number;
  /** host:port of its admin, with the port that the system chose where the bootstrap says 0. */
  readonly adminAddress: string;
  /** Resolves when the process has ended, never rejects. */
  readonly exited: Promise<EnvoyExit>;
  /** SIGTERM, and SIGKILL after `graceMs` (5 s unless told). May be called twice; resolves when the process has ended. */
  stop(options?: { readonly graceMs?: number }): Promise<EnvoyExit>;
}

/**
 * Starts an Envoy and resolves when its admin listens. It does not outlive this process, however this process ends. It does not drain:
 * that is envoy/run, for Envoys with people behind them. Throws `envoy_failed` with the last lines it said.
 */
export async function startEnvoy(options: StartEnvoyOptions): Promise<RunningEnvoy> {
  const { nodeId, disk = realDisk } = options;
  const workDir = resolve(options.workDir);
  const addressFile = join(workDir, `${nodeId}.admin-address`);
  await disk.remove(addressFile);
  const file =
    'file' in options.bootstrap ? resolve(options.bootstrap.file) : join(workDir, `${nodeId}.bootstrap.yaml`);
  if ('text' in options.bootstrap) await disk.writeFileAtomic(file, options.bootstrap.text, 0o600);

  const child = spawn(options.path, argumentsOf(options, file, addressFile), {
    cwd: workDir,
    stdio: ['ignore', 'ignore', 'pipe'],
    // A session of its own: Ctrl-C is for us to act on, and a stopped Envoy is not hung up on.
    detached: true,
  });
  const { lastLines, quiet } = follow(child, options.log);
  const exited = exitOf(child);
  if (child.pid === undefined) {
    const { cause } = await exited;
    throw failed(`${options.path} cannot be started`, nodeId, lastLines, cause);
  }
  const guard = killWithParent(child.pid);
  void exited.then(() => {
    guard.release();
  });
  const stop = stopper(child, exited, quiet);
  try {
    const adminAddress = await admin(disk, addressFile, exited, options.startMs ?? 15_000);
    return { pid: child.pid, adminAddress, exited, stop };
  } catch (caught) {
    await stop({ graceMs: 0 });
    throw failed(caught instanceof Error ? caught.message : String(caught), nodeId, lastLines);
  }
}

function argumentsOf(options: StartEnvoyOptions, file: string, addressFile: string): string[] {
  const overlay = { node: { metadata: { 'sekisho.epoch': String(options.epoch) } } };
  return [
    ...['-c', file, '--service-node', options.nodeId, '--service-cluster', options.cluster],
    ...(options.epoch === undefined ? [] : ['--config-yaml', JSON.stringify(overlay)]),
    ...['--admin-address-path', addressFile, '--concurrency', String(options.concurrency ?? 1)],
    // Several Envoys on one machine would meet in the shared memory of hot restart.
    ...['--disable-hot-restart', '--log-level', options.logLevel ?? 'warning', ...(options.args ?? [])],
  ];
}

/** Passes on what Envoy says and keeps the last of it for an error. After `quiet`, what it says is of interest to nobody but debuggers. */
function follow(child: ChildProcess, log: Log): { readonly lastLines: string[]; readonly quiet: () => void } {
  const lastLines: string[] = [];
  let isQuiet = false;
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const { level, text } = envoyLine(line);
      log[isQuiet ? 'debug' : level](text);
      lastLines.push(text.slice(0, 2000));
      if (lastLines.length > 10) lastLines.shift();
    });
  }
  const quiet = (): void => {
    isQuiet = true;
  };
  return { lastLines, quiet };
}

interface Ended extends EnvoyExit {
  /** What the operating system said, when the process could not be started. */
  readonly cause?: unknown;
}

function exitOf(child: ChildProcess): Promise<Ended> {
  return new Promise((done) => {
    child.once('error', (cause) => {
      if (child.pid === undefined) done({ code: undefined, signal: undefined, cause });
    });
    // `close`, not `exit`: by then its last words have been read.
    child.once('close', (code, signal) => {
      done({ code: code ?? undefined, signal: signal ?? undefined });
    });
  });
}

function stopper(child: ChildProcess, exited: Promise<EnvoyExit>, quiet: () => void): RunningEnvoy['stop'] {
  return async ({ graceMs = 5000 } = {}) => {
    // Its farewell is full of warnings: the signal that we send, the streams that it closes.
    quiet();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  };
}

/** The address that Envoy writes into a file once its admin listens. */
async function admin(disk: Disk, file: string, exited: Promise<EnvoyExit>, startMs: number): Promise<string> {
  let watch: { close(): void } | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((done, fail) => {
      const look = async (): Promise<void> => {
        if ((await disk.stat(file)) === undefined) return;
        const text = (await disk.readFile(file)).toString('utf8');
        if (/:\d+$/.test(text)) done(text);
      };
      watch = disk.watch(file, () => void look().catch(fail));
      void look().catch(fail);
      void exited.then(({ code, signal }) => {
        fail(new Error(`Envoy ended at once (${signal ?? `exit code ${code ?? 'unknown'}`})`));
      });
      timer = setTimeout(() => {
        fail(
          new Error(`Envoy's admin did not come up within ${startMs} ms: does the bootstrap have an admin address?`),
        );
      }, startMs);
    });
  } finally {
    clearTimeout(timer);
    watch?.close();
  }
}

function failed(reason: string, nodeId: string, lastLines: readonly string[], cause?: unknown): SekishoError {
  const said = lastLines.length === 0 ? '' : `; it said: ${lastLines.join(' | ')}`;
  return new SekishoError('envoy_failed', `${reason}${said}`, { facts: { node: nodeId }, cause });
}
