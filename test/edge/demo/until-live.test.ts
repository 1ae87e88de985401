import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it, type TestContext } from 'node:test';
import { freePorts } from '../../../src/edge/demo/free-ports.ts';
import { untilLive } from '../../../src/edge/demo/until-live.ts';
import type { EnvoyExit, RunningEnvoy } from '../../../src/edge/envoy/start-envoy.ts';

it('waits until Envoy says that it is live', async (t) => {
  const answers = [503, 503, 200];
  const admin = await adminWith(t, () => answers.shift() ?? 200);
  await untilLive(envoy(admin));
  assert.deepEqual(answers, []);
});

it('gives up at once when Envoy has ended, whether its admin was ever there or not', async (t) => {
  const ended = Promise.resolve({ code: 1, signal: undefined });
  const { nobody } = await freePorts({ nobody: 0 });
  for (const address of [await adminWith(t, () => 503), `127.0.0.1:${nobody}`]) {
    await assert.rejects(untilLive(envoy(address, ended)), { code: 'envoy_failed' });
  }
});

async function adminWith(t: TestContext, status: () => number): Promise<string> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/ready' ? status() : 404;
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Envoy as far as its admin goes. */
function envoy(adminAddress: string, exited: Promise<EnvoyExit> = new Promise(() => undefined)): RunningEnvoy {
  return { pid: 0, adminAddress, exited, stop: () => exited };
}
