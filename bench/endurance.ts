import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { endure, type Look } from '../test/conformance/endure.ts';
import { machine } from './machine.ts';

/**
 * A day of one change a second, made faster: 86,400 random changes while 200 clients follow over real gRPC. Does the server's memory stay flat, and does every
 * client hold in the end what was published last?
 * Usage: npm run bench -- endurance [changes] [clients] [changes a second]
 */
const root = path.resolve(import.meta.dirname, '..');
const changes = Number(process.argv[2] ?? 86_400);
const clients = Number(process.argv[3] ?? 200);
const changesPerSecond = Number(process.argv[4] ?? 300);
const groups = 8;
/** What nodes held that left is remembered for minutes: who leaves seldom makes that look like growth for as long. */
const changesPerReconnect = 10;
const seed = 20_261_125;
const looks = 48;
/** More bytes alive in the second half than in the first are a leak: V8's own ups and downs are smaller. */
const growth = 4 * 1024 * 1024;

async function main(): Promise<void> {
  say('changes   alive MiB   RSS MiB   CPU s   responses');
  const began = performance.now();
  const outcome = await endure({
    ...{ changes, clients, groups, changesPerSecond, changesPerReconnect, seed, looks },
    progress: show,
  });
  const alive = outcome.looks.map(({ heap }) => heap);
  const half = Math.floor(alive.length / 2);
  const mostInFirstHalf = Math.max(...alive.slice(0, half));
  const mostInSecondHalf = Math.max(...alive.slice(half));
  const last = outcome.looks.at(-1);
  const result = {
    what: `${changes} random changes in ${groups} groups of nodes, followed by ${clients} clients over gRPC, half of them in each variant`,
    ...machine(root),
    seed,
    changesPerSecond: Math.round(changes / ((performance.now() - began) / 1000)),
    reconnects: outcome.reconnects,
    streamsOpen: last?.streams,
    responses: last?.sent,
    nacked: last?.nacked,
    clientsWithTheSnapshot: clients - outcome.wrong.length,
    clientsWithAnotherState: outcome.wrong,
    streamsBroken: outcome.broken,
    server: {
      aliveMiBMostInFirstHalf: mib(mostInFirstHalf),
      aliveMiBMostInSecondHalf: mib(mostInSecondHalf),
      cpuSeconds: Math.round((last?.cpuMicroseconds ?? 0) / 1e6),
      over: outcome.looks.map((look) => ({ changes: look.changes, aliveMiB: mib(look.heap), rssMiB: mib(look.rss) })),
    },
    limitedBy: 'the rate of the changes is given; server and clients share the cores of one machine',
  };
  const file = path.join(root, 'bench/results/endurance.json');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  say(JSON.stringify({ ...result, server: { ...result.server, over: `see ${path.relative(root, file)}` } }, null, 2));
  say(outcome.wrong.length === 0 ? 'every client holds the snapshot' : `${outcome.wrong.length} clients do not`);
  if (outcome.complaints !== '') say(outcome.complaints);
  const isFlat = mostInSecondHalf - mostInFirstHalf < growth;
  if (outcome.wrong.length + outcome.broken.length > 0 || outcome.complaints !== '' || !isFlat) process.exitCode = 1;
}

function show({ changes: made, heap, rss, cpuMicroseconds, sent }: Look): void {
  const columns = [made, mib(heap), mib(rss), Math.round(cpuMicroseconds / 1e6), sent];
  say(columns.map((value, at) => String(value).padStart([7, 12, 10, 8, 12][at] ?? 0)).join(''));
}

function mib(bytes: number): number {
  return Number((bytes / 1024 / 1024).toFixed(1));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
