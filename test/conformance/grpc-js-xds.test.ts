import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';
import { bootstrapOf, nameIn, whoPath } from './grpc-service.ts';
import { Rig } from './rig.ts';
import { assertFollows } from './service-moves.ts';

const rig = await Rig.start();
const node = 'grpc-js';
// It is read once, when the first channel asks for it.
process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] = bootstrapOf(rig, node);
register();

const same = (bytes: Buffer): Buffer => bytes;

test('grpc-js-xds resolves xds:///service and calls it; when its endpoints, or its cluster, change the calls follow and none fails', async (t) => {
  const client = new grpc.Client('xds:///service', grpc.credentials.createInsecure());
  t.after(() => {
    client.close();
  });
  await assertFollows(t, rig, node, () => ask(client));
});

function ask(client: grpc.Client): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(whoPath, same, same, Buffer.alloc(0), options, (error, answer) => {
      if (error) reject(error);
      else resolve(answer ? nameIn(answer) : '');
    });
  });
}
