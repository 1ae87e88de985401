import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { refusalsInStory } from '../../src/edge/demo/story.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { line, sekisho, startSekisho } from '../support/sekisho.ts';

test('demo --once --json exits 0 and prints the records that matter as lines of JSON, and nothing else', async () => {
  const { code, stdout, stderr } = await sekisho(['demo', '--once', '--json']);
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /✗/);
  const records = stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as NamedRecord);
  const indices = records.map((record) => Number(record['sekisho.index']));
  assert.ok(indices.every((index, at) => at === 0 || index > Number(indices[at - 1])));

  // Ordinary ends of connections are no refusals.
  assert.deepEqual([...new Set(records.map((record) => record['sekisho.kind']))], ['http']);
  const page = one(records, { 'http.request.method': 'GET', 'url.path': '/console/home' });
  const { 'sekisho.tunnel_id': tunnel, 'sekisho.stream_id': stream } = page;
  assert.ok(typeof tunnel === 'string' && tunnel !== stream);
  assert.deepEqual(
    pick(page, ['http.response.status_code', 'user.id', 'client.address', 'sekisho.door', 'sekisho.claimed_arn']),
    {
      'http.response.status_code': 200,
      'user.id': 'taro.yamada',
      'client.address': '127.0.0.1',
      'sekisho.door': 'office',
      'sekisho.claimed_arn': 'arn:aws:sts::123456789012:assumed-role/Admin/taro.yamada',
    },
  );
  const signIn = one(records, { 'http.request.method': 'POST', 'url.path': '/signin' });
  assert.equal(signIn['http.response.status_code'], 302);
  assert.doesNotMatch(stdout, /password|token=(?!REDACTED)|code=(?!REDACTED)|aws-creds|story-|stand-in-c/);
  const refused = records.filter((record) => record['sekisho.denied.reason'] === 'host');
  assert.equal(refused.length, refusalsInStory);
  assert.deepEqual(pick(refused[0] ?? {}, ['http.request.method', 'server.address', 'http.response.status_code']), {
    'http.request.method': 'CONNECT',
    'server.address': 'files.example.com',
    'http.response.status_code': 403,
  });
  one(records, { 'url.path': '/cloudshell/ws', 'http.response.status_code': 101 });
  one(records, { 'url.path': '/api/instances', 'network.protocol.version': '2', 'http.response.status_code': 200 });
});

test('demo --assurance gate shows of each request the intent, which was there before it left, and the outcome, joined by their id', async () => {
  const { code, stdout, stderr } = await sekisho(['demo', '--once', '--json', '--assurance', 'gate']);
  assert.equal(code, 0, stderr);
  const records = stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as NamedRecord);
  const of = (kind: string) => records.filter((record) => record['sekisho.kind'] === kind);
  const placesOf = (kind: string) =>
    new Map(of(kind).map((record) => [record['sekisho.stream_id'], Number(record['sekisho.index'])]));
  const [intents, outcomes] = [placesOf('intent'), placesOf('http')];
  assert.ok(intents.size >= 5, `${intents.size} intents`);
  for (const [id, place] of intents) {
    const outcome = outcomes.get(id);
    assert.ok(outcome !== undefined && place < outcome, `${String(id)} at ${place}, then at ${String(outcome)}`);
  }
  // What is refused leaves nothing.
  for (const record of of('http'))
    assert.equal(intents.has(record['sekisho.stream_id']), record['sekisho.denied.reason'] === undefined);
});

test('demo stays up, and the curl command that it prints gives a record on its screen and in the journal', async (t) => {
  const dir = await temporary(t);
  const demo = await startSekisho(['demo', '--json', '--dir', dir]);
  t.after(async () => {
    demo.signal('SIGKILL');
    await demo.ended;
  });
  await line(demo.stderr, /Everything stays up/);
  await line(demo.stderr, /Stop with Ctrl-C/);
  const shown = demo.stdout.length;
  const commands = demo.stderr.filter((text) => text.startsWith('  curl -x '));
  assert.equal(commands.length, 2);
  for (const command of commands) {
    const page = await shell(`${command.trim()} --silent --fail --show-error`);
    assert.match(page, /stand-in/);
  }
  const printed = JSON.parse(await line(demo.stdout, /"sekisho.log":"lab\/http"/, shown)) as NamedRecord;
  assert.deepEqual(pick(printed, ['url.path', 'http.response.status_code', 'user.id']), {
    'url.path': '/console/home',
    'http.response.status_code': 200,
    'user.id': undefined,
  });
  assert.match(String(printed['user_agent.original']), /^curl\//);
  const asTaro = JSON.parse(
    await line(demo.stdout, /"user_agent.original":"curl.*"office\/http"/, shown),
  ) as NamedRecord;
  assert.equal(asTaro['user.id'], 'taro.yamada');

  // The other commands that it prints, while it runs.
  const fleetCommand = demo.stderr.find((text) => text.includes('sekisho fleet')) ?? '';
  const fleet = await sekisho(fleetCommand.trim().split(' ').slice(2));
  assert.equal(fleet.code, 0, fleet.stdout + fleet.stderr);
  const recordsCommand = demo.stderr.find((text) => text.includes('sekisho records')) ?? '';
  const following = await startSekisho([...recordsCommand.trim().split(' ').slice(2), '-o', 'json']);
  assert.deepEqual(JSON.parse(await line(following.stdout, new RegExp(String(printed['sekisho.stream_id'])))), printed);
  following.signal('SIGINT');
  assert.equal(await following.ended, 0);

  demo.signal('SIGINT');
  assert.equal(await demo.ended, 0);
  const kept = await sekisho(['records', '--data', join(dir, 'data'), '-o', 'json']);
  assert.equal(kept.code, 0);
  const lines = kept.stdout.trimEnd().split('\n');
  assert.deepEqual(JSON.parse(lines[Number(printed['sekisho.index'])] ?? ''), printed);
  // Everything that was printed is there.
  for (const shownLine of demo.stdout) assert.ok(lines.includes(shownLine));
});

test('demo leaves no folder behind but the one it was given, and ends its Envoy', async (t) => {
  const TMPDIR = await temporary(t);
  const demo = await startSekisho(['demo'], { env: { TMPDIR } });
  await line(demo.stderr, /Stop with Ctrl-C/);
  const admin = /own administration is (http:\S+)\.$/.exec(await line(demo.stderr, /own administration/))?.[1] ?? '';
  const policy = /The policy is (\S+): change/.exec(await line(demo.stderr, /The policy is/))?.[1] ?? '';
  assert.ok(existsSync(policy));
  assert.equal((await fetch(`${admin}/ready`)).status, 200);
  demo.signal('SIGTERM');
  assert.equal(await demo.ended, 0);
  await assert.rejects(fetch(`${admin}/ready`));
  assert.ok(!existsSync(policy));
});

function one(records: readonly NamedRecord[], wanted: NamedRecord): NamedRecord {
  const [found, ...more] = records.filter(
    (record) =>
      String(record['sekisho.log']).endsWith('/http') &&
      Object.entries(wanted).every(([name, value]) => record[name] === value),
  );
  assert.ok(found, JSON.stringify(wanted));
  assert.equal(more.length, 0);
  return found;
}

function pick(record: NamedRecord, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, record[name]]));
}

/** As a person would: in a shell, with nothing set that concerns proxies. */
async function shell(command: string): Promise<string> {
  const child = execFile('/bin/sh', ['-c', command], { env: { PATH: process.env['PATH'] }, timeout: 20_000 });
  const chunks: string[] = [];
  child.stdout?.on('data', (chunk: string) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: string) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, chunks.join(''));
  return chunks.join('');
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
