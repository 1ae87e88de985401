import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { alsMessage, consoleRequest, httpEntry } from '../test/sink/record/entries.ts';
import { ended } from './child.ts';
import { machine } from './machine.ts';
import { spawnSekisho, type Sekisho } from './spawn-sekisho.ts';

/**
 * Ten readers tail a journal of a million records from different cursors, and an eleventh never reads, while the sink takes 20,000 records a
 * second: is the order kept, is nothing missed, does memory stay flat?
 * Usage: npm run bench -- tail [records] [records a second] [seconds]
 */
const root = path.resolve(import.meta.dirname, '..');
const records = Number(process.argv[2] ?? 1_000_000);
const perSecond = Number(process.argv[3] ?? 20_000);
const seconds = Number(process.argv[4] ?? 30);
const tails = 10;
const perMessage = 20;

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sekisho-bench-'));
  const sink = await startSekisho(folder);
  try {
    const loader = openLoader(sink.address);
    await loader.send(records, Infinity);
    await stored(sink, records);
    say(`${records} records are stored`);
    const samples: Sample[] = [];
    const sampling = sample(sink, samples);
    const last = records + perSecond * seconds;
    const consumers = startConsumers(sink.address, last);
    const began = performance.now();
    await loader.send(last - records, perSecond);
    const took = (performance.now() - began) / 1000;
    await stored(sink, last);
    const told = await consumers;
    sampling.abort();
    loader.close();
    report({ told, samples, taken: (last - records) / took, last });
  } finally {
    await ended(sink.process);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Told {
  readonly what: string;
  readonly seconds: number;
  readonly rssMiB: number;
  readonly readings: readonly { readonly from: number; readonly next: number; readonly disorder: number }[];
}

interface Sample {
  readonly second: number;
  readonly rssMiB: number;
  readonly cpuSeconds: number;
}

function report(found: { told: readonly Told[]; samples: readonly Sample[]; taken: number; last: number }): void {
  const { told, samples, taken, last } = found;
  const done = told.find(({ what }) => what === 'done');
  const readings = done?.readings ?? [];
  const rss = samples.map(({ rssMiB }) => rssMiB);
  const half = Math.floor(rss.length / 2);
  const span = (samples.at(-1)?.second ?? 0) - (samples[0]?.second ?? 0);
  const result = {
    what: `${tails} tails from different cursors of ${records} records, one reader that never reads, ${perSecond} records a second coming`,
    ...machine(root),
    records: last,
    delivered: readings.reduce((sum, { from, next }) => sum + next - from, 0),
    disorder: readings.reduce((sum, { disorder }) => sum + disorder, 0),
    missing: readings.reduce((sum, { next }) => sum + last - next, 0) + (tails - readings.length) * last,
    takenPerSecond: Math.round(taken),
    secondsUntilCaughtUp: told.find(({ what }) => what === 'caught up')?.seconds,
    secondsUntilDone: done?.seconds,
    sink: {
      rssMiBAtFirst: rss[0],
      rssMiBMostInFirstHalf: Math.max(...rss.slice(0, half)),
      rssMiBMostInSecondHalf: Math.max(...rss.slice(half)),
      cpuShareOfOneCore: Number(
        (((samples.at(-1)?.cpuSeconds ?? 0) - (samples[0]?.cpuSeconds ?? 0)) / span).toFixed(2),
      ),
    },
    readersRssMiB: done?.rssMiB,
    limitedBy: 'loader, sink and readers share the cores of one machine',
  };
  const file = path.join(root, 'bench/results/tail.json');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  say(JSON.stringify(result, null, 2));
  if (result.disorder + result.missing > 0) process.exitCode = 1;
}

async function startConsumers(address: string, last: number): Promise<Told[]> {
  const script = path.join(root, 'bench/tail-consumers.ts');
  const args = ['--import', 'tsx', script, address, ...[tails, records, last].map(String)];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const told: Told[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const one = JSON.parse(line) as Told;
    told.push(one);
    say(`${one.what} after ${one.seconds} s`);
  }
  return told;
}

/** Sends access-log messages as fast as the sink reads them, or so many records a second. */
function openLoader(address: string) {
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const method = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
  const call = client.makeClientStreamRequest<Buffer, Buffer>(method, same, same, () => undefined);
  const http = Array.from({ length: perMessage }, (_, n) => httpEntry(consoleRequest({ path: `/ec2/home?n=${n}` })));
  const message = alsMessage({ http });
  call.write(alsMessage({ identifier: { node: { id: 'envoy-1' }, log_name: 'office/http' } }));
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      call.once('drain', () => {
        resolve();
      });
    });
  return {
    send: async (count: number, rate: number): Promise<void> => {
      const began = performance.now();
      for (let sent = 0; sent < count; sent += perMessage) {
        if (!call.write(message)) await drained();
        const early = (sent / rate) * 1000 - (performance.now() - began);
        if (early > 5) await pause(early);
      }
    },
    close: () => {
      call.end();
      client.close();
    },
  };
}

async function startSekisho(folder: string): Promise<Sekisho> {
  const sink = await spawnSekisho(folder, '--log-level', 'warn');
  const deadline = Date.now() + 10_000;
  while ((await metric(sink, 'sekisho_journal_next_index').catch(() => undefined)) === undefined) {
    if (Date.now() > deadline) throw new Error('the sink does not start');
    await pause(50);
  }
  return sink;
}

async function stored(sink: Sekisho, count: number): Promise<void> {
  while (((await metric(sink, 'sekisho_journal_next_index')) ?? 0) < count) await pause(50);
}

async function metric({ admin }: Sekisho, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

/** Memory and processor time of the sink, twice a second until it is aborted. */
function sample({ process: { pid = 0 } }: Sekisho, into: Sample[]): AbortController {
  const stop = new AbortController();
  const take = (): void => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    into.push({
      second: performance.now() / 1000,
      rssMiB: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
      cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100,
    });
  };
  const timer = setInterval(take, 500);
  stop.signal.addEventListener('abort', () => {
    clearInterval(timer);
  });
  take();
  return stop;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
