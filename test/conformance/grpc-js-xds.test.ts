import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';
import { eventually } from '../support/envoy.ts';
import { bootstrapOf, nameIn, serviceAt, startBackend, whoPath } from './grpc-service.ts';
import { Rig } from './rig.ts';

const rig = await Rig.start();
const node = 'grpc-js';
// It is read once, when the first channel asks for it.
process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] = bootstrapOf(rig, node);
register();

const same = (bytes: Buffer): Buffer => bytes;

function ask(client: grpc.Client): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(whoPath, same, same, Buffer.alloc(0), options, (error, answer) => {
      if (error) reject(error);
      else resolve(answer ? nameIn(answer) : '');
    });
  });
}

test('grpc-js-xds resolves xds:///service and calls it; when its endpoints, or its cluster, change the calls follow and none fails', async (t) => {
  const [red, blue] = [await startBackend(t, 'red'), await startBackend(t, 'blue')];
  let snapshot = serviceAt([red]);
  rig.publisher.publish(node, snapshot);
  const client = new grpc.Client('xds:///service', grpc.credentials.createInsecure());
  t.after(() => {
    client.close();
  });
  assert.equal(await ask(client), 'red');

  const steps: readonly [what: string, ports: readonly number[], cluster: string, then: string][] = [
    ['other endpoints', [blue], 'backends', 'blue'],
    ['another cluster', [red], 'others', 'red'],
    ['the first cluster again', [blue], 'backends', 'blue'],
  ];
  for (const [what, ports, cluster, then] of steps) {
    snapshot = serviceAt(ports, { cluster, previous: snapshot });
    rig.publisher.publish(node, snapshot);
    // Each call must succeed; only who answers it changes.
    await eventually(what, async () => (await ask(client)) === then);
    await eventually('everything is acknowledged', () => Promise.resolve(settled() === snapshot.version));
  }
  assert.deepEqual(rig.eventsOf(node, 'nacked'), []);
});

function settled(): string | undefined {
  const last = rig.eventsOf(node, 'settled').at(-1);
  return last?.kind === 'settled' ? last.version : undefined;
}
