import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog, type Log } from '../../../src/base/log.ts';
import { startEnvoy, type RunningEnvoy, type StartEnvoyOptions } from '../../../src/edge/envoy/start-envoy.ts';
import { validateConfig } from '../../../src/edge/envoy/validate-config.ts';
import { eventually, findEnvoy, get } from '../../support/envoy.ts';

const anyPort = { admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } } };
const idle = { text: JSON.stringify(anyPort) };

test('it resolves when the admin answers, with the port that the system chose, the node id and the epoch', async (t) => {
  const envoy = await start(t, { bootstrap: idle, nodeId: 'egress-7', cluster: 'tokyo', epoch: 1795495959209 });
  const info = JSON.parse((await get(`http://${envoy.adminAddress}/server_info`)).body) as {
    node: { id: string; cluster: string; metadata: unknown };
  };
  const { id, cluster, metadata } = info.node;
  assert.deepEqual(
    { id, cluster, metadata },
    { id: 'egress-7', cluster: 'tokyo', metadata: { 'sekisho.epoch': '1795495959209' } },
  );
  assert.deepEqual(await envoy.stop(), { code: 0, signal: undefined });
  assert.deepEqual(await envoy.stop(), { code: 0, signal: undefined });
});

test('a bootstrap may be a file, and its text is written where no other user reads it', async (t) => {
  const folder = await temporary(t);
  const file = join(folder, 'given.json');
  await writeFile(file, idle.text);
  await start(t, { bootstrap: { file }, workDir: folder, nodeId: 'a' });
  await start(t, { bootstrap: idle, workDir: folder, nodeId: 'b' });
  assert.equal((await stat(join(folder, 'b.bootstrap.yaml'))).mode & 0o777, 0o600);
});

test('an Envoy that hangs is killed after the grace', async (t) => {
  const envoy = await start(t, { bootstrap: idle });
  // Only an Envoy that is up handles signals itself.
  await eventually('Envoy is live', async () => (await get(`http://${envoy.adminAddress}/ready`)).status === 200);
  process.kill(envoy.pid, 'SIGSTOP');
  assert.deepEqual(await envoy.stop({ graceMs: 50 }), { code: undefined, signal: 'SIGKILL' });
});

test('exited tells of an Envoy that ended by itself', async (t) => {
  const envoy = await start(t, { bootstrap: idle });
  process.kill(envoy.pid, 'SIGKILL');
  assert.deepEqual(await envoy.exited, { code: undefined, signal: 'SIGKILL' });
});

const refused: [string, Partial<StartEnvoyOptions>, RegExp][] = [
  ['a bootstrap that Envoy refuses', { bootstrap: { text: 'no_such_field: 1' } }, /no_such_field/],
  ['a bootstrap without admin', { bootstrap: { text: '{}' }, startMs: 1500 }, /admin/],
  ['a binary that is not there', { bootstrap: idle, path: '/nonexistent/envoy' }, /nonexistent/],
];
for (const [name, options, named] of refused) {
  test(`${name} is envoy_failed, and says why`, async (t) => {
    await assert.rejects(start(t, options), (caught: Error & { code: string }) => {
      assert.equal(caught.code, 'envoy_failed');
      assert.match(caught.message, named);
      return true;
    });
  });
}

test('what Envoy says goes to the log at its level, without its own head', async (t) => {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const log: Log = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), child: () => log };
  const envoy = await start(t, { bootstrap: idle, log });
  // An answer means that Envoy runs; a signal before that ends it without a word.
  await get(`http://${envoy.adminAddress}/ready`);
  await envoy.stop();
  const [first = ''] = lines;
  assert.match(first, /^warn: There is no configured limit/);
  // What it says once it was told to stop is no warning to anybody.
  assert.ok(lines.includes('debug: caught ENVOY_SIGTERM'), lines.join('\n'));
});

test('Envoy does not outlive a process that is killed', async (t) => {
  const folder = await temporary(t);
  const { path } = await findEnvoy();
  const owner = fileURLToPath(new URL('envoy-owner.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', owner, path, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const pid = Number(await new Promise<string>((line) => createInterface({ input: child.stdout }).once('line', line)));
  assert.ok(isAlive(pid));
  child.kill('SIGKILL');
  await eventually('Envoy is gone', () => Promise.resolve(!isAlive(pid)));
});

test("validateConfig gives Envoy's own words, and nothing for a configuration that it accepts", async (t) => {
  const folder = await temporary(t);
  const { path } = await findEnvoy();
  const opinion = async (text: string): Promise<string | undefined> => {
    const configFile = join(folder, 'config.yaml');
    await writeFile(configFile, text);
    return validateConfig({ path, configFile });
  };
  assert.equal(await opinion(idle.text), undefined);
  assert.match((await opinion('static_resources: {clusterz: []}')) ?? '', /clusterz/);
  assert.match((await opinion('a: [')) ?? '', /line 1|line 2/);
});

async function start(t: TestContext, options: Partial<StartEnvoyOptions>): Promise<RunningEnvoy> {
  const envoy = await startEnvoy({
    path: (await findEnvoy()).path,
    bootstrap: idle,
    nodeId: 'egress-1',
    cluster: 'test',
    workDir: options.workDir ?? (await temporary(t)),
    log: silentLog,
    ...options,
  });
  t.after(() => envoy.stop({ graceMs: 0 }));
  return envoy;
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
