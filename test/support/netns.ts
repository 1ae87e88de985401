import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { createInterface } from 'node:readline';
import { endOf, startModule, startProgram, type Program, type Ran } from './sekisho.ts';

const needed = ['unshare', 'nsenter', 'setpriv', 'ip', 'nft', 'curl', 'mount'];

/** What a test in network namespaces passes as `skip`: false, or why it cannot be run. Where CI=true it fails instead. */
export const skipNamespaces: string | false = (() => {
  if (process.env['CI'] === 'true') return false;
  if (process.getuid?.() !== 0) return 'network namespaces are made by root alone';
  const missing = needed.filter((name) => spawnSync('which', [name]).status !== 0);
  return missing.length === 0 ? false : `not installed here: ${missing.join(', ')}`;
})();

/**
 * A network of its own, in which nothing leads out, and mounts of its own. It ends with its holder, a process that ends with
 * this one, however that ends: nothing of it is left behind.
 */
export interface Namespace {
  readonly pid: number;
  /** Starts a program inside; absolute paths only, for the working folder is lost on the way in. */
  start(argv: readonly string[], how?: Inside): Program;
  /** Runs a TypeScript file inside. */
  startModule(file: string, args: readonly string[], how?: Inside): Program;
  /** Runs a program inside to its end. */
  run(argv: readonly string[], how?: Inside): Promise<Ran>;
  /** The same, for a command that must succeed; gives what it printed. */
  must(...argv: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export interface Inside {
  /** Under this uid; root unless told. */
  readonly uid?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly said?: (line: string) => void;
}

export async function openNamespace(): Promise<Namespace> {
  const holder = spawn('unshare', ['--net', '--mount', 'sh', '-c', 'echo made; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'close');
  await once(createInterface({ input: holder.stdout }), 'line', { signal: AbortSignal.timeout(10_000) });
  const pid = holder.pid ?? 0;
  const started: Program[] = [];
  const entering = ({ uid, ...rest }: Inside) => ({
    ...rest,
    through: [
      ...['nsenter', `--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`, '--'],
      ...(uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']),
    ],
  });
  const kept = (program: Program): Program => {
    started.push(program);
    return program;
  };
  const one: Namespace = {
    pid,
    start: (argv, how = {}) => kept(startProgram(argv, entering(how))),
    startModule: (file, args, how = {}) => kept(startModule(file, args, entering(how))),
    run: async (argv, how = {}) => endOf(startProgram(argv, entering(how))),
    must: async (...argv) => {
      const { code, stdout, stderr } = await one.run(argv);
      if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${String(code)}: ${stdout}${stderr}`);
      return stdout;
    },
    close: async () => {
      for (const program of started.splice(0).reverse()) {
        program.signal('SIGTERM');
        await program.ended;
      }
      holder.stdin.end();
      await ended;
    },
  };
  await one.must('ip', 'link', 'set', 'lo', 'up');
  return one;
}

/** Two namespaces with a cable between them; each has its addresses, and looks for everybody else's on the other side. */
export async function cable(
  [one, ones]: readonly [Namespace, readonly string[]],
  [other, others]: readonly [Namespace, readonly string[]],
): Promise<void> {
  const far = ['peer', 'name', 'eth0', 'netns', `/proc/${other.pid}/ns/net`];
  await one.must('ip', 'link', 'add', 'eth0', 'type', 'veth', ...far);
  for (const [end, addresses] of [
    [one, ones],
    [other, others],
  ] as const) {
    for (const address of addresses)
      await end.must('ip', 'addr', 'add', `${address}/${isIPv4(address) ? 32 : 128}`, 'dev', 'eth0', 'nodad');
    await end.must('ip', 'link', 'set', 'eth0', 'up');
    await end.must('ip', '-4', 'route', 'add', 'default', 'dev', 'eth0');
    await end.must('ip', '-6', 'route', 'add', 'default', 'dev', 'eth0');
  }
}
