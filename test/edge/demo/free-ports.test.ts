import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { it } from 'node:test';
import { freePorts } from '../../../src/edge/demo/free-ports.ts';

it('gives the port that is wanted where it is free', async () => {
  const { free } = await freePorts({ free: 0 });
  assert.deepEqual(await freePorts({ wanted: free }), { wanted: free });
});

it('gives another one, on which one can listen, where the wanted one is taken', async (t) => {
  const taken = await listening(0);
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const { given } = await freePorts({ given: port });
  assert.notEqual(given, port);
  const second = await listening(given);
  t.after(() => second.close());
  assert.equal((second.address() as AddressInfo).port, given);
});

it('gives no port twice, also where one is wanted twice', async () => {
  const { wanted } = await freePorts({ wanted: 0 });
  const any = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`any ${index}`, 0]));
  const chosen = await freePorts({ one: wanted, other: wanted, ...any });
  assert.equal(chosen.one, wanted);
  assert.equal(new Set(Object.values(chosen)).size, 502);
});

async function listening(port: number): Promise<Server> {
  const server = createServer();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}
