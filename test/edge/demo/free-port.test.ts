import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { it } from 'node:test';
import { freePort } from '../../../src/edge/demo/free-port.ts';

it('gives the port that is wanted where it is free', async () => {
  const free = await freePort(0);
  assert.equal(await freePort(free), free);
});

it('gives another one, on which one can listen, where the wanted one is taken', async (t) => {
  const taken = await listening(0);
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const given = await freePort(port);
  assert.notEqual(given, port);
  const second = await listening(given);
  t.after(() => second.close());
  assert.equal((second.address() as AddressInfo).port, given);
});

async function listening(port: number): Promise<Server> {
  const server = createServer();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}
