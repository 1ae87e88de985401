import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { decode, encode } from '../sink/record/entries.ts';
import { eventually, ownLoopback } from '../support/envoy.ts';
import { sections } from '../support/markdown.ts';
import { startProgram } from '../support/sekisho.ts';
import { atEnd } from '../support/serve.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const section = sections(await readFile(`${project}README.md`, 'utf8'), 2).get('The discovery server as a library');
const program = /^```js\n([^]*?)^```/m.exec(section ?? '')?.[1] ?? '';
const same = (bytes: Buffer): Buffer => bytes;

test('the program of README.md runs as it is printed, and a client gets the cluster that it publishes', async (t) => {
  const address = ownLoopback();
  assert.match(program, /'127\.0\.0\.1'/);
  const server = startProgram(
    [process.execPath, '--input-type=module', '--eval', program.replace('127.0.0.1', address)],
    { cwd: project },
  );
  atEnd(t, () => {
    server.signal('SIGKILL');
  });
  const client = new grpc.Client(`${address}:18000`, grpc.credentials.createInsecure());
  atEnd(t, () => {
    client.close();
  });
  const method = '/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters';
  const metadata = new grpc.Metadata({ waitForReady: true });
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(method, same, same, metadata);
  atEnd(t, () => {
    call.cancel();
  });
  call.on('error', () => undefined); // That of its end.
  call.write(encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', { node: { id: 'one', cluster: 'example' } }));
  const [bytes] = (await once(call, 'data', { signal: AbortSignal.timeout(20_000) })) as [Buffer];
  const { resources } = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes) as {
    resources: { name: string }[];
  };
  assert.deepEqual(
    resources.map(({ name }) => name),
    ['backends'],
  );
  await eventually('it has printed that', () => Promise.resolve(server.stdout.some((line) => /^sent /.test(line))));
  assert.deepEqual(server.stderr, []);
});
