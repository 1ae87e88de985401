import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { killWithParent } from '../../src/edge/envoy/kill-with-parent.ts';
import { eventually, findEnvoy } from './envoy.ts';

/** `sekisho …` as a process of its own. */
export interface Program {
  readonly pid: number;
  /** What it has said so far, line by line. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or undefined where a signal ended it; by then its last words have been read. */
  readonly ended: Promise<number | undefined>;
}

export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Is told every line of both streams. */
  readonly said?: (line: string) => void;
  /** What the command line is put behind, such as a program that enters a namespace. */
  readonly through?: readonly string[];
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts a command from the source, with the tests' own Envoy at hand. It does not outlive this process. */
export async function startSekisho(args: readonly string[], surroundings: Surroundings = {}): Promise<Program> {
  const { path: envoy } = await findEnvoy();
  return startModule(main, args, { ...surroundings, env: { SEKISHO_ENVOY: envoy, ...surroundings.env } });
}

/** Runs a TypeScript file as a process of its own. It does not outlive this process. */
export function startModule(file: string, args: readonly string[], surroundings: Surroundings = {}): Program {
  return startProgram([process.execPath, '--import', import.meta.resolve('tsx'), file, ...args], surroundings);
}

/** Starts any program. It does not outlive this process. */
export function startProgram(argv: readonly string[], { cwd, env, said, through = [] }: Surroundings = {}): Program {
  const { PATH, HOME, TMPDIR, NODE_V8_COVERAGE } = process.env;
  const [command = '', ...args] = [...through, ...argv];
  const child = spawn(command, args, {
    cwd,
    env: { PATH, HOME, TMPDIR, NODE_V8_COVERAGE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  for (const [input, lines] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      said?.(line);
    });
  }
  const ended = new Promise<number | undefined>((done) => {
    child.once('close', (code) => {
      done(code ?? undefined);
    });
  });
  if (child.pid === undefined) throw new Error(`${command} cannot be started`);
  const guard = killWithParent(child.pid);
  void ended.then(() => {
    guard.release();
  });
  return { pid: child.pid, stdout, stderr, ended, signal: (name) => void child.kill(name) };
}

/** Runs a command to its end. */
export async function sekisho(args: readonly string[], surroundings: Surroundings = {}): Promise<Ran> {
  return endOf(await startSekisho(args, surroundings));
}

/** What a program said and how it ended. */
export async function endOf(program: Program): Promise<Ran> {
  const code = await program.ended;
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  return { code, stdout: text(program.stdout), stderr: text(program.stderr) };
}

/** Waits for a line that fits, from the `from`th on. */
export async function line(lines: readonly string[], pattern: RegExp, from = 0): Promise<string> {
  const find = () => lines.slice(from).find((one) => pattern.test(one));
  await eventually(`a line with ${String(pattern)}`, () => Promise.resolve(find() !== undefined)).catch(
    (caught: unknown) => {
      throw new Error(`there is no line with ${String(pattern)} among:\n${lines.slice(from).join('\n')}`, {
        cause: caught,
      });
    },
  );
  return find() ?? '';
}
