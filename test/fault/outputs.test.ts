import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connectRecords } from '../../src/client/index.ts';
import { alsMessage, consoleRequest, httpEntry } from '../sink/record/entries.ts';
import { eventually } from '../support/envoy.ts';
import { dial, end, makeHome, openAls, startServe, type Home, type Served } from '../support/serve.ts';

const identifier = { node: { id: 'egress-1' }, log_name: 'office/http' };
const upTo = (to: number): number[] => Array.from({ length: to }, (_, index) => index);

/** A home whose policy has one output, and what came out of it. */
async function homeWithOutput(t: TestContext, rotate = '{ bytes: 65536, age: 1h }') {
  const home = await makeHome(t);
  const dir = join(home.folder, 'out');
  const before = await readFile(home.config, 'utf8');
  const outputs = `outputs: [{ kind: jsonl, dir: out, rotate: ${rotate} }]\n`;
  await appendFile(home.config, outputs);
  return {
    home,
    dir,
    withoutOutput: () => writeFile(home.config, before),
    withOutput: () => writeFile(home.config, before + outputs),
  };
}

/** Without a control plane, whose own records would stand between those that are sent here. */
function startSink(t: TestContext, home: Home): Promise<Served> {
  return startServe(t, home, { args: ['--roles', 'sink'] });
}

/** Sends so many entries and waits until the sink has taken them, or went away. */
async function send(t: TestContext, address: string, count: number, bytes = 10): Promise<void> {
  const als = openAls(dial(t, `${address}:18000`));
  for (let sent = 0; sent < count; sent += 20) {
    const http = upTo(Math.min(20, count - sent)).map((n) =>
      httpEntry(consoleRequest({ path: `/${sent + n}/${'x'.repeat(bytes)}` })),
    );
    als.call.write(alsMessage({ ...(sent === 0 && { identifier }), http }));
  }
  als.call.end();
  await als.ended;
}

/** The indices of every file, which must hold whole lines in order, the oldest file first. */
async function filesOf(dir: string): Promise<number[][]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.jsonl')).sort();
  return Promise.all(
    names.map(async (name) => {
      const lines = (await readFile(join(dir, name), 'utf8')).split('\n');
      assert.equal(lines.pop(), '', `${name} ends in a line that is not whole`);
      const found = lines.map((line) => (JSON.parse(line) as { 'sekisho.index': number })['sekisho.index']);
      assert.deepEqual(
        found,
        found.map((_, at) => (found[0] ?? 0) + at),
        name,
      );
      return found;
    }),
  );
}

function untilWritten(served: Served): Promise<void> {
  return eventually('nothing is behind', async () => (await served.metric('sekisho_output_lag_records')) === 0);
}

test('killed with an output under way, again and again: every record is in a file, in order, and none is there twice', async (t) => {
  const { home, dir } = await homeWithOutput(t);
  let stored = 0;
  for (let kills = 0; kills < 4; kills += 1) {
    const served = await startSink(t, home);
    const load = send(t, home.address, 4000);
    const enough = stored + 600 + kills * 200;
    await eventually('busy', async () => (await served.metric('sekisho_output_records_total')) > 200);
    await eventually('busy', async () => (await served.metric('sekisho_journal_next_index')) > enough);
    assert.equal(await end(served, 'SIGKILL'), 'SIGKILL');
    await load;
    stored = enough;
  }
  const served = await startSink(t, home);
  await untilWritten(served);
  const records = await served.metric('sekisho_journal_next_index');
  assert.equal(await end(served, 'SIGTERM'), 0);
  const files = await filesOf(dir);
  assert.ok(files.length > 5 && records > stored);
  assert.deepEqual(files.flat(), upTo(records));
});

test('a stop in peace leaves nothing to come, and a start adds nothing', async (t) => {
  const { home, dir } = await homeWithOutput(t, '{ age: 1h }');
  const served = await startSink(t, home);
  await send(t, home.address, 500);
  assert.equal(await end(served, 'SIGTERM'), 0);
  assert.deepEqual(await filesOf(dir), [upTo(500)]);
  const again = await startSink(t, home);
  await untilWritten(again);
  assert.equal(await end(again, 'SIGTERM'), 0);
  assert.deepEqual(await filesOf(dir), [upTo(500)]);
});

test('a folder that is taken away is told and made again; what comes then is in it, and the sink never waited', async (t) => {
  const { home, dir } = await homeWithOutput(t, '{ age: 1h }');
  const served = await startSink(t, home);
  await send(t, home.address, 20);
  await untilWritten(served);
  await rm(dir, { recursive: true });
  // Where it was, something stands that is no folder.
  await writeFile(dir, '');
  await send(t, home.address, 20);
  const told = await served.logged('an output fails');
  assert.equal(told.level, 'error');
  assert.equal((await served.readyz()).status, 200);
  assert.equal(await served.metric('sekisho_output_failing'), 1);
  assert.equal(await served.metric('sekisho_output_lag_records'), 20);
  await eventually('older', async () => (await served.metric('sekisho_output_lag_seconds')) > 0);
  await rm(dir);
  await served.logged('an output works again');
  await untilWritten(served);
  assert.equal(await served.metric('sekisho_output_lag_seconds'), 0);
  assert.equal(await served.metric('sekisho_output_failing'), 0);
  const [found] = await filesOf(dir);
  assert.deepEqual(
    found,
    upTo(20).map((n) => 20 + n),
  );
});

test('a folder that cannot be made is told at the start, and the sink stores without it', async (t) => {
  const { home, dir } = await homeWithOutput(t, '{ age: 1h }');
  await writeFile(dir, 'no folder');
  const served = await startSink(t, home);
  const told = await served.logged('an output fails');
  assert.equal(told.level, 'error');
  await send(t, home.address, 20);
  assert.equal((await served.readyz()).status, 200);
  assert.equal(await served.metric('sekisho_output_failing'), 1);
  assert.equal(await served.metric('sekisho_output_lag_records'), 20);
  await rm(dir);
  await untilWritten(served);
  assert.deepEqual(await filesOf(dir), [upTo(20)]);
  assert.equal(await end(served, 'SIGTERM'), 0);
});

test(
  'a full folder is told and waited for while the sink stays ready and stores; then nothing is missing',
  { skip: unlessMounting() },
  async (t) => {
    const { home, dir } = await homeWithOutput(t, '{ age: 1h }');
    const disk = smallDisk(dir, 'size=256k');
    try {
      const served = await startSink(t, home);
      await send(t, home.address, 400, 2000);
      assert.equal((await served.logged('an output fails'))['code'], 'disk_full');
      assert.equal((await served.readyz()).status, 200);
      await send(t, home.address, 400, 2000);
      assert.ok((await served.metric('sekisho_output_lag_records')) >= 400);
      disk.remount('size=64m');
      await served.logged('an output works again');
      await untilWritten(served);
      assert.deepEqual((await filesOf(dir)).flat(), upTo(800));
      assert.equal(served.lines.filter(({ message }) => message.includes('an output fails')).length, 1);
      assert.equal(await end(served, 'SIGTERM'), 0);
    } finally {
      disk.unmount();
    }
  },
);

test('a reload takes an output away, and brings it back where it was, while records come', async (t) => {
  const { home, dir, withOutput, withoutOutput } = await homeWithOutput(t, '{ age: 1h }');
  const served = await startSink(t, home);
  await send(t, home.address, 20);
  await untilWritten(served);
  let from = served.lines.length;
  await withoutOutput();
  await served.logged('policy reloaded', from);
  await eventually('no output', async () => (await served.metric('sekisho_output_lag_records', 'jsonl')) === 0);
  await send(t, home.address, 20);
  assert.deepEqual(await filesOf(dir), [upTo(20)]);
  from = served.lines.length;
  await withOutput();
  await served.logged('policy reloaded', from);
  await eventually('all of it', async () => (await filesOf(dir)).flat().length === 40);
  assert.deepEqual(await filesOf(dir), [upTo(40)]);
});

test('a tail outlives a kill of the sink: nothing is missing and nothing comes twice', async (t) => {
  const { home } = await homeWithOutput(t);
  const records = connectRecords({
    address: `${home.address}:18000`,
    tls: await home.pki.client('reader', 'audit'),
  });
  const found: number[] = [];
  const tail = (async () => {
    for await (const { index } of records.tail({ form: 'payload', from: 0 })) found.push(index);
  })();
  for (let kills = 0; kills < 2; kills += 1) {
    const served = await startSink(t, home);
    const before = found.length;
    const load = send(t, home.address, 2000);
    await eventually('busy', () => Promise.resolve(found.length > before + 300));
    assert.equal(await end(served, 'SIGKILL'), 'SIGKILL');
    await load;
  }
  const served = await startSink(t, home);
  await send(t, home.address, 100);
  const all = await served.metric('sekisho_journal_next_index');
  await eventually('all', () => Promise.resolve(found.length >= all));
  records.close();
  await tail;
  assert.deepEqual(found, upTo(all));
});

/** `skip`: a reason where this user may not mount file systems; where CI=true nothing is skipped. */
function unlessMounting(): string | false {
  if (process.env['CI'] === 'true' || process.getuid?.() === 0) return false;
  return 'SKIPPED: only root can mount the small disk that this test fills';
}

function smallDisk(folder: string, options: string) {
  mkdirSync(folder);
  const mount = (words: string): void => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', words, 'tmpfs', folder]);
  };
  mount(options);
  return {
    remount: (changed: string) => {
      mount(`remount,${changed}`);
    },
    // Lazily, for a service that a failed assertion left may still be using it.
    unmount: () => {
      execFileSync('umount', ['-l', folder]);
    },
  };
}
