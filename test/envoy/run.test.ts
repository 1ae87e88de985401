import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, findEnvoy, get, heldUpstream, ownLoopback, staticBootstrap } from '../support/envoy.ts';

const script = (name: string): string => fileURLToPath(new URL(`../../envoy/${name}`, import.meta.url));

test('a request that is under way when the signal comes is answered, while new connections are refused', async (t) => {
  const envoy = await running(t, {});
  const slow = get(`${envoy.door}/held`);
  await envoy.upstream.arrived();

  envoy.signal('SIGTERM');
  await eventually('new connections are refused', () => refuses(envoy.door));
  envoy.upstream.answer();

  const answer = await slow;
  assert.deepEqual(answer, { status: 200, body: 'at last', closes: true });
  assert.equal(await envoy.ended, 0);
});

test('an Envoy without connections stops after one flush interval, not after the whole drain', async (t) => {
  const envoy = await running(t, { SEKISHO_DRAIN_SECONDS: '60', SEKISHO_FLUSH_SECONDS: '0.5' });
  const began = Date.now();
  envoy.signal('SIGTERM');
  assert.equal(await envoy.ended, 0);
  const took = Date.now() - began;
  assert.ok(took >= 500, `the access loggers had their flush interval (${took} ms)`);
  assert.ok(took < 10_000, `it did not wait for nobody (${took} ms)`);
});

test('idle connections are closed, so that they hold up nothing', async (t) => {
  const envoy = await running(t, { SEKISHO_DRAIN_SECONDS: '60' });
  const idle = await idleConnection(envoy.address);
  const began = Date.now();
  envoy.signal('SIGTERM');
  await idle.closed;
  assert.equal(await envoy.ended, 0);
  assert.ok(Date.now() - began < 30_000);
});

test('a request that never ends is cut after SEKISHO_DRAIN_SECONDS', async (t) => {
  const envoy = await running(t, { SEKISHO_DRAIN_SECONDS: '1', SEKISHO_FLUSH_SECONDS: '0.1' });
  const endless = assert.rejects(get(`${envoy.door}/held`), { code: 'ECONNRESET' });
  await envoy.upstream.arrived();
  const began = Date.now();
  envoy.signal('SIGTERM');
  assert.equal(await envoy.ended, 0);
  await endless;
  const took = Date.now() - began;
  assert.ok(took >= 1000 && took < 10_000, `took ${took} ms`);
});

test('a second signal stops it at once', async (t) => {
  const envoy = await running(t, { SEKISHO_DRAIN_SECONDS: '300', SEKISHO_FLUSH_SECONDS: '300' });
  const endless = assert.rejects(get(`${envoy.door}/held`), { code: 'ECONNRESET' });
  await envoy.upstream.arrived();
  envoy.signal('SIGTERM');
  await eventually('new connections are refused', () => refuses(envoy.door));
  envoy.signal('SIGTERM');
  assert.equal(await envoy.ended, 0);
  await endless;
});

test('a second signal also ends the wait for the last records', async (t) => {
  const envoy = await running(t, { SEKISHO_FLUSH_SECONDS: '300' });
  envoy.signal('SIGTERM');
  await eventually('new connections are refused', () => refuses(envoy.door));
  envoy.signal('SIGINT');
  assert.equal(await envoy.ended, 0);
});

test('Envoy that hangs is killed five seconds after it was asked to stop', async (t) => {
  const envoy = await running(t, { SEKISHO_DRAIN_SECONDS: '0', SEKISHO_FLUSH_SECONDS: '0.1' });
  const pid = Number(/process (\d+)/.exec(envoy.said())?.[1]);
  process.kill(pid, 'SIGSTOP');
  envoy.signal('SIGTERM');
  assert.equal(await envoy.ended, 128 + 9);
});

test('the node id and the epoch are merged into the node of the bootstrap', async (t) => {
  const before = Date.now();
  const envoy = await running(t, {});
  const info = JSON.parse((await get(`${envoy.admin}/server_info`)).body) as {
    node: { id: string; metadata: Record<string, string> };
  };
  assert.equal(info.node.id, 'egress-1');
  assert.equal(info.node.metadata['from'], 'bootstrap');
  const epoch = Number(info.node.metadata['sekisho.epoch']);
  assert.ok(epoch >= before && epoch <= Date.now(), `epoch ${epoch}`);
});

test('the exit code of an Envoy that ends by itself is passed on, and nothing is left behind', async (t) => {
  const folder = await temporary(t);
  const file = join(folder, 'bootstrap.yaml');
  await writeFile(file, 'no_such_field: 1');
  const child = await launch(t, { SEKISHO_BOOTSTRAP: file, TMPDIR: folder });
  assert.equal(await child.ended, 1);
  assert.deepEqual(await readdir(folder), ['bootstrap.yaml']);
});

const wrongUse: [string, Record<string, string>][] = [
  ['no node id', { SEKISHO_NODE: '' }],
  ['a bootstrap that is not there', { SEKISHO_BOOTSTRAP: '/nonexistent/bootstrap.yaml' }],
  ['an Envoy that is not there', { SEKISHO_ENVOY: '/nonexistent/envoy', SEKISHO_BOOTSTRAP: '/dev/null' }],
  ['a drain that is no number', { SEKISHO_DRAIN_SECONDS: 'soon', SEKISHO_BOOTSTRAP: '/dev/null' }],
];
for (const [name, env] of wrongUse) {
  test(`${name} is wrong use`, async (t) => {
    const child = await launch(t, env);
    assert.equal(await child.ended, 2);
    assert.match(child.said(), /^sekisho: .*SEKISHO_/);
  });
}

test('the health check is good while Envoy serves, and bad without one', async (t) => {
  const envoy = await running(t, {});
  assert.equal(await ready(envoy.address), 0);
  envoy.signal('SIGTERM');
  await envoy.ended;
  assert.equal(await ready(envoy.address), 1);
});

interface Launched {
  signal(name: NodeJS.Signals): void;
  said(): string;
  readonly ended: Promise<number | null>;
}

interface Running extends Launched {
  readonly address: string;
  readonly door: string;
  readonly admin: string;
  readonly upstream: Awaited<ReturnType<typeof heldUpstream>>;
}

async function running(t: TestContext, env: Record<string, string>): Promise<Running> {
  const address = ownLoopback();
  const upstream = await heldUpstream(address);
  t.after(() => upstream.close());
  const file = join(await temporary(t), 'bootstrap.json');
  await writeFile(file, JSON.stringify(staticBootstrap(address, upstream.port)));
  const launched = await launch(t, { SEKISHO_BOOTSTRAP: file, SEKISHO_ENVOY_ADMIN: `${address}:9901`, ...env });
  const admin = `http://${address}:9901`;
  const isReady = async (): Promise<boolean> => (await get(`${admin}/ready`).catch(() => undefined))?.status === 200;
  await eventually('Envoy is ready', isReady);
  return { ...launched, address, door: `http://${address}:10000`, admin, upstream };
}

async function launch(t: TestContext, env: Record<string, string>): Promise<Launched> {
  const { path } = await findEnvoy();
  const child = spawn(script('run'), ['--concurrency', '1', '--log-level', 'error'], {
    env: { PATH: process.env['PATH'], SEKISHO_NODE: 'egress-1', SEKISHO_ENVOY: path, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  t.after(async () => {
    // Two signals, so that a test that failed half-way leaves nothing running.
    child.kill('SIGTERM');
    child.kill('SIGINT');
    await ended;
  });
  return { signal: (name) => void child.kill(name), said: () => said, ended };
}

async function ready(address: string): Promise<number | null> {
  const child = spawn(script('ready'), {
    env: { ...process.env, SEKISHO_ENVOY_ADMIN: `${address}:9901` },
    stdio: 'ignore',
  });
  return new Promise((done) => child.once('close', done));
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function refuses(url: string): Promise<boolean> {
  try {
    await get(url);
    return false;
  } catch (caught) {
    return caught instanceof Error && 'code' in caught && caught.code === 'ECONNREFUSED';
  }
}

/** A connection with one request behind it and none before it, as browsers keep them. */
async function idleConnection(address: string): Promise<{ closed: Promise<void> }> {
  const socket = connect(10000, address);
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await new Promise((answered) => socket.once('data', answered));
  return {
    closed: new Promise((closed) =>
      socket.once('close', () => {
        closed();
      }),
    ),
  };
}
