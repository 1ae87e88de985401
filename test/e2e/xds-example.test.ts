import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog } from '../../src/base/log.ts';
import { startEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import { eventually, findEnvoy, get, ownLoopback } from '../support/envoy.ts';
import { startProgram, type Program } from '../support/sekisho.ts';
import { atEnd, temporary } from '../support/serve.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));

test('examples/xds-server.mjs leads an Envoy to the addresses of its file; killed and started again, it sends it no resource twice', async (t) => {
  const address = ownLoopback();
  const file = join(await temporary(t), 'backends.txt');
  const [red, blue] = [await startBackend(t, address, 'red'), await startBackend(t, address, 'blue')];
  await writeFile(file, `${red}\n`);
  let server = startServer(t, address, file);
  await said(server, /^listening/);
  await startExampleEnvoy(t, address);
  await eventually('red answers', async () => (await ask(address)) === 'red');

  await writeFile(file, `${blue}\n`);
  await eventually('blue answers', async () => (await ask(address)) === 'blue');
  await said(server, /^one is sent ClusterLoadAssignment: 1 new, 0 removed$/, 2);

  // What is no address does not come as far as an Envoy, what only an Envoy knows to be none is refused by it, and both change nothing.
  await writeFile(file, 'nonsense\n');
  await said(server, /backends\.txt is not used: /);
  await writeFile(file, 'backend.example:80\n');
  await said(server, /^one refused ClusterLoadAssignment: .*malformed IP address/);
  assert.equal(await ask(address), 'blue');
  await writeFile(file, `${blue}\n`);
  const version = await lastVersion(server);

  server.signal('SIGKILL');
  await server.ended;
  assert.equal(await ask(address), 'blue');
  server = startServer(t, address, file);
  await said(server, new RegExp(`^one runs ${version}$`));
  assert.deepEqual(
    server.stdout.filter((line) => /[1-9]\d* (?:new|removed)/.test(line)),
    [],
  );
  await writeFile(file, `${red}\n`);
  await eventually('red answers', async () => (await ask(address)) === 'red');

  server.signal('SIGTERM');
  assert.equal(await server.ended, 0);
  assert.deepEqual(server.stderr, []);
});

/** The example as it stands, but for where it listens. */
function startServer(t: TestContext, address: string, file: string): Program {
  const env = { LISTEN: `${address}:18000`, DOOR: `${address}:10000` };
  const server = startProgram([process.execPath, join(examples, 'xds-server.mjs'), file], { env });
  atEnd(t, () => {
    server.signal('SIGKILL');
  });
  return server;
}

async function startExampleEnvoy(t: TestContext, address: string): Promise<void> {
  const text = (await readFile(join(examples, 'xds-envoy.yaml'), 'utf8')).replaceAll('127.0.0.1', address);
  const envoy = await startEnvoy({
    path: (await findEnvoy()).path,
    bootstrap: { text },
    nodeId: 'one',
    cluster: 'example',
    workDir: await temporary(t),
    log: silentLog,
  });
  atEnd(t, () => envoy.stop());
}

async function startBackend(t: TestContext, address: string, says: string): Promise<string> {
  const server = createServer((_request, response) => response.end(says)).listen(0, address);
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((listening) => server.once('listening', listening));
  const at = server.address();
  assert.ok(typeof at === 'object' && at !== null);
  return `${address}:${at.port}`;
}

async function ask(address: string): Promise<string | undefined> {
  const answer = await get(`http://${address}:10000/`).catch(() => undefined);
  return answer?.status === 200 ? answer.body : undefined;
}

function said(server: Program, line: RegExp, times = 1): Promise<void> {
  const found = (): boolean => server.stdout.filter((one) => line.test(one)).length >= times;
  return eventually(String(line), () => Promise.resolve(found())).catch((caught: unknown) => {
    throw new Error([...server.stdout, ...server.stderr].join('\n'), { cause: caught });
  });
}

/** The version that the Envoy runs after everything that was said to it. */
async function lastVersion(server: Program): Promise<string> {
  await said(server, /^one runs /, 3);
  return server.stdout.findLast((line) => line.startsWith('one runs '))?.replace('one runs ', '') ?? '';
}
