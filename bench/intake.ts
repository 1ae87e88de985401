import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ended, listening } from './child.ts';
import { machine } from './machine.ts';
import { median } from './median.ts';
import { freePort, spawnSekisho } from './spawn-sekisho.ts';

/**
 * CPU that a sink spends on an access-log entry: Sekisho (slice, redact, CRC, fdatasync) beside alsnull, a Go server that decodes each message and
 * throws it away. Both get the same load in turn, in one run, after one that is not counted; the ratio of the medians is what counts.
 * Usage: npm run bench -- [rounds] [entries]
 */
const root = path.resolve(import.meta.dirname, '..');
const tools = path.join(root, '.bench');
const rounds = Number(process.argv[2] ?? 5);
const entries = Number(process.argv[3] ?? 200_000);

interface Sink {
  readonly address: string;
  readonly process: ChildProcess;
}

interface Sample {
  readonly cpuMicroseconds: number;
  readonly entriesPerSecond: number;
}

async function main(): Promise<void> {
  mkdirSync(tools, { recursive: true });
  execFileSync('go', ['build', '-o', `${tools}/`, './alsload', './alsnull'], {
    cwd: path.join(root, 'bench/peers/intake'),
    stdio: 'inherit',
  });
  const samples = { alsnull: [] as Sample[], sekisho: [] as Sample[] };
  for (let round = 1; round <= rounds; round += 1) {
    samples.alsnull.push(await measure(startAlsnull));
    samples.sekisho.push(await measure(startSekisho));
    say(`round ${round}: alsnull ${last(samples.alsnull)}, sekisho ${last(samples.sekisho)}`);
  }
  const cpu = (of: readonly Sample[]): number => median(of.map((sample) => sample.cpuMicroseconds));
  const result = {
    what: 'CPU per access-log entry, batch 20, 4 streams',
    ...machine(root),
    rounds,
    entries,
    alsnull: { cpuMicrosecondsPerEntry: cpu(samples.alsnull), samples: samples.alsnull },
    sekisho: { cpuMicrosecondsPerEntry: cpu(samples.sekisho), samples: samples.sekisho },
    ratio: Number((cpu(samples.sekisho) / cpu(samples.alsnull)).toFixed(3)),
  };
  const file = path.join(root, 'bench/results/intake.json');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  say(`sekisho ${result.sekisho.cpuMicrosecondsPerEntry} µs, alsnull ${result.alsnull.cpuMicrosecondsPerEntry} µs`);
  say(`ratio ${result.ratio} (bench/results/intake.json)`);
}

async function measure(start: (folder: string) => Promise<Sink>): Promise<Sample> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sekisho-bench-'));
  const sink = await start(folder);
  try {
    const load = ['-addr', sink.address, '-pid', String(sink.process.pid), '-n', String(entries), '-batch', '20'];
    const run = () => execFileSync(path.join(tools, 'alsload'), load, { encoding: 'utf8', timeout: 120_000 });
    // Once uncounted: a sink runs for months, and what a start costs (compilers, first memory) is no cost of an entry.
    run();
    const line = run();
    return {
      cpuMicroseconds: numberAfter(line, 'sink_cpu_us/entry='),
      entriesPerSecond: numberAfter(line, 'entries/s='),
    };
  } finally {
    await ended(sink.process);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startAlsnull(): Promise<Sink> {
  const address = `127.0.0.1:${await freePort()}`;
  const process = spawn(path.join(tools, 'alsnull'), [address], { stdio: 'ignore' });
  await listening(address);
  return { address, process };
}

async function startSekisho(folder: string): Promise<Sink> {
  const sink = await spawnSekisho(folder);
  await listening(sink.address);
  return sink;
}

function numberAfter(line: string, name: string): number {
  return Number(line.slice(line.indexOf(name) + name.length).split(/\s/)[0]);
}

function last(samples: readonly Sample[]): string {
  const sample = samples.at(-1);
  return `${sample?.cpuMicroseconds ?? 0} µs (${sample?.entriesPerSecond ?? 0}/s)`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
