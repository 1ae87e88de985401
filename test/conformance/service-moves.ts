import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { eventually } from '../support/envoy.ts';
import { serviceAt, startBackend } from './grpc-service.ts';
import type { Rig } from './rig.ts';

const moves: readonly [what: string, backend: 'red' | 'blue', cluster: string][] = [
  ['other endpoints', 'blue', 'backends'],
  ['another cluster', 'red', 'others'],
  ['the first cluster again', 'blue', 'backends'],
];

/**
 * Moves `xds:///service` from backend to backend while a gRPC client of `node` calls it; `ask` makes one call and gives the name that answered. Fails unless the
 * calls follow, none fails on the way, and the client acknowledges everything.
 */
export async function assertFollows(t: TestContext, rig: Rig, node: string, ask: () => Promise<string>): Promise<void> {
  const ports = { red: await startBackend(t, 'red'), blue: await startBackend(t, 'blue') };
  let snapshot = serviceAt([ports.red]);
  rig.publisher.publish(node, snapshot);
  assert.equal(await ask(), 'red');

  for (const [what, backend, cluster] of moves) {
    snapshot = serviceAt([ports[backend]], { cluster, previous: snapshot });
    rig.publisher.publish(node, snapshot);
    await eventually(what, async () => {
      const answered = await ask();
      assert.ok(answered in ports, answered);
      return answered === backend;
    });
    await eventually('everything is acknowledged', () => Promise.resolve(settled(rig, node) === snapshot.version));
  }
  assert.deepEqual(rig.eventsOf(node, 'nacked'), []);
}

function settled(rig: Rig, node: string): string | undefined {
  const last = rig.eventsOf(node, 'settled').at(-1);
  return last?.kind === 'settled' ? last.version : undefined;
}
