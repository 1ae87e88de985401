import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';

import { realDisk } from '../../../src/base/disk.ts';
import { type Corruption, openJournal } from '../../../src/sink/journal/journal.ts';
import { readJournal } from '../../../src/sink/journal/reader.ts';

// The process that is killed: appends without end and prints how many frames are acknowledged, one write for each group.
const payloadBytes = 700;
const appender = `
  import { writeSync } from 'node:fs';
  import { realDisk } from './src/base/disk.ts';
  import { openJournal } from './src/sink/journal/journal.ts';
  const journal = await openJournal({ dir: process.argv[1], disk: realDisk, segmentBytes: 300_000, batchBytes: 30_000 });
  const limit = Number(process.argv[2]);
  const frames = Number(process.argv[3]);
  for (let i = 0; i < 8; i++) void appendForLong();
  async function appendForLong() {
    while (journal.nextIndex < limit) {
      const payloads = Array.from({ length: frames }, () => Buffer.alloc(${payloadBytes}, 'x'));
      const first = await journal.append(payloads);
      writeSync(1, 'ACK ' + (first + payloads.length) + '\\n');
    }
  }
`;

const nodeArguments = ['--import', 'tsx', '--input-type=module', '--eval', appender];

test('a process killed under load leaves every frame that it acknowledged, and the next one goes on behind them', async (t) => {
  const dir = folder(t);
  let stored = 0;
  for (let kills = 0; kills < 3; kills++) {
    const acknowledged = await killWhenBusy(t, dir, stored + 3000);
    stored = await recoverAndRead(dir);
    assert.ok(stored >= acknowledged, `${acknowledged} acknowledged, ${stored} found`);
  }
});

const strace = '/usr/bin/strace';

test(
  'no acknowledgement is written before the fdatasync that covers it has returned',
  { skip: existsSync(strace) ? false : 'SKIPPED: without strace the order of system calls is not checked' },
  async (t) => {
    const dir = folder(t);
    const trace = join(dir, 'trace');
    const options = ['-f', '-y', '-s', '16', '-e', 'trace=fdatasync,pwrite64,write', '-o', trace];
    const command = [process.execPath, ...nodeArguments, join(dir, 'journal'), '200', '3'];
    const child = start(t, strace, [...options, ...command], 'ignore');
    const [status] = (await once(child, 'exit')) as [number | null];
    assert.equal(status, 0);

    const acknowledgements = checkTrace(readFileSync(trace, 'utf8'));
    assert.ok(acknowledgements > 50, `${acknowledgements} acknowledgements in the trace`);
  },
);

test('the check of the trace finds an acknowledgement that comes too early', () => {
  const written = `7 pwrite64(21</j/0.seg>, "x"..., ${24 + 708}, 56) = ${24 + 708}`;
  const acknowledged = '6 write(1</dev/null>, "ACK 1\\n", 6) = 6';
  const synced = ['7 fdatasync(21</j/0.seg> <unfinished ...>', '7 <... fdatasync resumed>) = 0'];
  assert.equal(checkTrace([written, ...synced, acknowledged].join('\n')), 1);
  assert.throws(() => checkTrace([written, acknowledged, ...synced].join('\n')), assert.AssertionError);
  assert.throws(() => checkTrace([written, synced[0], acknowledged, synced[1]].join('\n')), assert.AssertionError);
});

/** Goes through the system calls in their order and asserts that what is acknowledged had been written before a sync that returned. */
function checkTrace(text: string): number {
  let [acknowledgements, written, synced] = [0, 0, 0];
  const syncing = new Map<string, number>();
  for (const line of text.split('\n')) {
    const thread = line.split(' ')[0] ?? '';
    // All frames are of one size and headers are smaller, so the size of a write tells how many frames are in it.
    const write = /pwrite64\(\d+<[^>]*\.seg[^>]*>, .*, (\d+), \d+/.exec(line);
    if (write !== null) written += Math.floor(Number(write[1]) / (payloadBytes + 8));
    if (line.includes('fdatasync(')) syncing.set(thread, written);
    if (/fdatasync(\(| resumed).* = 0$/.test(line)) synced = syncing.get(thread) ?? synced;
    const acknowledged = /write\(1<.*"ACK (\d+)\\n"/.exec(line);
    if (acknowledged === null) continue;
    acknowledgements += 1;
    assert.ok(Number(acknowledged[1]) <= synced, `${synced} frames synced: ${line}`);
  }
  return acknowledgements;
}

/** Lets a process append to the journal until it has acknowledged `frames` frames in all, kills it, and returns what it said last. */
async function killWhenBusy(t: TestContext, dir: string, frames: number): Promise<number> {
  const child = start(t, process.execPath, [...nodeArguments, join(dir, 'journal'), 'Infinity', '20'], 'pipe');
  assert.ok(child.stdout);
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    // Of concurrent appends the later one may speak first.
    acknowledged = Math.max(acknowledged, Number(line.slice('ACK '.length)));
    if (acknowledged >= frames) child.kill('SIGKILL');
  }
  assert.ok(acknowledged >= frames, 'it ended by itself');
  return acknowledged;
}

/** Opens as the next process does, and counts the frames that any reader finds. */
async function recoverAndRead(dir: string): Promise<number> {
  const corrupt = (damage: Corruption): void => {
    assert.fail(`damage after a kill: ${JSON.stringify(damage)}`);
  };
  const journal = await openJournal({ dir: join(dir, 'journal'), disk: realDisk, observer: { corrupt } });
  let found = 0;
  for await (const frame of readJournal({ dir: join(dir, 'journal'), disk: realDisk, onCorrupt: corrupt })) {
    assert.equal(frame.index, found);
    assert.ok(frame.payload.equals(Buffer.alloc(payloadBytes, 'x')));
    found += 1;
  }
  assert.equal(found, journal.nextIndex);
  await journal.close();
  return found;
}

function start(t: TestContext, program: string, args: string[], stdout: 'pipe' | 'ignore'): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', stdout, 'inherit'], timeout: 60_000, killSignal: 'SIGKILL' });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sekisho-journal-'));
  t.after(() => {
    rmSync(dir, { recursive: true });
  });
  return dir;
}
