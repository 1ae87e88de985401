import { execFileSync, spawn } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ended, listening } from './child.ts';
import { machine } from './machine.ts';
import { median } from './median.ts';

/**
 * A discovery server with S streams, one connection each: how long until all have their resources, how long until the last has a change, what CPU and
 * memory that takes. `sekisho/xds` beside go-control-plane (its linear cache, the fastest it has) and the ceiling, a grpc-js server that writes
 * ready-made bytes and knows nothing. All get the same load in turn, in one run; the ratios are what counts.
 * Usage: npm run bench -- xds [rounds] [S,S,…] [delta,sotw] [updates]
 */
const root = path.resolve(import.meta.dirname, '..');
const tools = path.join(root, '.bench');
const [, , roundsArg = '3', sizesArg = '100,1000,5000', variantsArg = 'delta,sotw', updatesArg = '5'] = process.argv;
const rounds = Number(roundsArg);
const sizes = sizesArg.split(',').map(Number);
const variants = variantsArg.split(',');

const discovery = '127.0.0.1:18500';
const admin = '127.0.0.1:18501';

/** What starts each server for `size` nodes. */
const servers = {
  sekisho: (): string[] => [process.execPath, '--import', 'tsx', 'bench/xds-target.ts'],
  gcpLinear: (size: number): string[] => {
    return [`${tools}/gcpbench`, '-addr', discovery, '-admin', admin, '-nodes', String(size), '-mode', 'linear'];
  },
  ceiling: (): string[] => [process.execPath, '.bench/ceiling/null.mjs', '18500', '18501'],
};

type ServerName = keyof typeof servers;
const names = Object.keys(servers) as ServerName[];

/** What xdsload reports of one run; MB and KB are its own, times are in milliseconds, CPU in seconds. */
interface Run {
  readonly storm_ms: number;
  readonly cpu_storm_s: number;
  readonly rss_before_MB: number;
  readonly rss_connected_MB: number;
  readonly ready: number;
  readonly updates: readonly { readonly Max: number; readonly SrvCPU: number; readonly Got: number }[];
}

interface Figures {
  readonly stormMs: number;
  readonly stormCpuSeconds: number;
  /** Until the last of all streams had a change. */
  readonly lastUpdatedMs: number;
  readonly cpuMicrosecondsPerPush: number;
  readonly kibPerStream: number;
  /** Streams that did not get all their resources, and changes that did not arrive. */
  readonly missed: number;
}

async function main(): Promise<void> {
  build();
  const results = [];
  for (const size of sizes) {
    for (const variant of variants) {
      const runs: Record<ServerName, Run[]> = { sekisho: [], gcpLinear: [], ceiling: [] };
      for (let round = 1; round <= rounds; round += 1) {
        for (const name of names) runs[name].push(await measure(name, size, variant));
        say(
          `${size} streams, ${variant}, round ${round} of ${rounds}: ${names.map((name) => line(name, runs[name])).join(', ')}`,
        );
      }
      results.push(compare(size, variant, runs));
    }
  }
  const what = `Discovery for S streams, 100 clusters and endpoint sets, 10 listeners and route configurations; medians of ${rounds} rounds of ${updatesArg} changes`;
  const file = path.join(root, 'bench/results/xds.json');
  writeFileSync(file, `${JSON.stringify({ what, ...machine(root), results }, null, 2)}\n`);
  for (const { streams, variant, toGcpLinear, toCeiling } of results) {
    say(
      `${streams} ${variant}: last updated after ${toGcpLinear.lastUpdatedMs} of go-control-plane's time, ${toCeiling.lastUpdatedMs} of the ceiling's; CPU ${toGcpLinear.cpuMicrosecondsPerPush}, memory ${toGcpLinear.kibPerStream}, storm ${toGcpLinear.stormMs}`,
    );
  }
  say('bench/results/xds.json');
}

function build(): void {
  const peers = path.join(root, 'bench/peers/xds');
  mkdirSync(tools, { recursive: true });
  const go = (output: string, what: string): void => {
    execFileSync('go', ['build', '-o', path.join(tools, output), what], { cwd: peers, stdio: 'inherit' });
  };
  go('gcpbench', './server');
  go('xdsload', './xdsload');
  execFileSync(path.join(tools, 'gcpbench'), ['-dump', path.join(tools, 'bytes')], { stdio: 'ignore' });
  // Beside our node_modules, so that it finds grpc-js.
  cpSync(path.join(peers, 'ceiling'), path.join(tools, 'ceiling'), { recursive: true });
}

async function measure(name: ServerName, size: number, variant: string): Promise<Run> {
  const [command = '', ...args] = servers[name](size);
  const log = openSync(path.join(tools, `server-${name}.log`), 'w');
  const server = spawn(command, args, { cwd: root, stdio: ['ignore', log, log] });
  closeSync(log);
  try {
    await listening(discovery);
    const load = [
      '-json',
      '-addr',
      discovery,
      '-s',
      String(size),
      `-delta=${variant === 'delta'}`,
      '-pid',
      String(server.pid),
    ];
    const updates = ['-trigger-url', `http://${admin}/update`, '-updates', updatesArg];
    const output = execFileSync(path.join(tools, 'xdsload'), [...load, ...updates], {
      encoding: 'utf8',
      timeout: 300_000,
    });
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Run;
  } finally {
    await ended(server);
  }
}

function figures(size: number, runs: readonly Run[]): Figures {
  const updates = runs.flatMap((run) => run.updates);
  const missed = [...runs.map(({ ready }) => ready), ...updates.map(({ Got }) => Got)].map((got) => size - got);
  return {
    stormMs: rounded(median(runs.map((run) => run.storm_ms))),
    stormCpuSeconds: rounded(median(runs.map((run) => run.cpu_storm_s))),
    lastUpdatedMs: rounded(median(updates.map(({ Max }) => Max))),
    cpuMicrosecondsPerPush: rounded((median(updates.map(({ SrvCPU }) => SrvCPU)) * 1e6) / size),
    kibPerStream: rounded((median(runs.map((run) => run.rss_connected_MB - run.rss_before_MB)) * 1024) / size),
    missed: missed.reduce((sum, one) => sum + one, 0),
  };
}

function compare(size: number, variant: string, runs: Record<ServerName, readonly Run[]>) {
  const sekisho = figures(size, runs.sekisho);
  const gcpLinear = figures(size, runs.gcpLinear);
  const ceiling = figures(size, runs.ceiling);
  const to = (other: Figures) => ({
    stormMs: rounded(sekisho.stormMs / other.stormMs),
    stormCpuSeconds: rounded(sekisho.stormCpuSeconds / other.stormCpuSeconds),
    lastUpdatedMs: rounded(sekisho.lastUpdatedMs / other.lastUpdatedMs),
    cpuMicrosecondsPerPush: rounded(sekisho.cpuMicrosecondsPerPush / other.cpuMicrosecondsPerPush),
    kibPerStream: rounded(sekisho.kibPerStream / other.kibPerStream),
  });
  return { streams: size, variant, sekisho, gcpLinear, ceiling, toGcpLinear: to(gcpLinear), toCeiling: to(ceiling) };
}

function line(name: ServerName, runs: readonly Run[]): string {
  const run = runs.at(-1);
  const last = median((run?.updates ?? []).map(({ Max }) => Max));
  return `${name} storm ${rounded(run?.storm_ms ?? Number.NaN)} ms, last updated ${rounded(last)} ms`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main();
