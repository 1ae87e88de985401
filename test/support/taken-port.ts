import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port on which something listens already, so that an Envoy refuses a listener there; ends with the process at the latest. */
export interface TakenPort {
  /** `ADDRESS:PORT`, as a policy says it. */
  readonly listen: string;
  /** Resolves when the port is free. */
  readonly free: () => Promise<void>;
}

export async function takePort(address: string): Promise<TakenPort> {
  const server = createServer().unref();
  server.listen(0, address);
  await once(server, 'listening');
  const at = server.address();
  assert.ok(typeof at === 'object' && at !== null);
  return {
    listen: `${address}:${at.port}`,
    free: async () => {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
