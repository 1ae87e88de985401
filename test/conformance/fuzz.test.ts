import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import fc from 'fast-check';
import type { Body, Contents } from '../control/xds/model.ts';
import { until } from './conversation.ts';
import { misconduct, type Misconduct } from './fuzzed-requests.ts';
import { HoldingClient } from './holding-client.ts';
import { kinds } from './kinds.ts';
import { heard, misbehave, type Ended } from './misbehave.ts';
import { startServer, type ServerProcess } from './start-server.ts';

const runs = Number(process.env['RUNS'] ?? 300);
/** Bytes by which V8 goes up and down: 8 MB, measured. In 300 runs clients say some 40 MB. */
const growth = 16 * 1024 * 1024;
/** Streams that never read. */
const deafAtMost = 32;
/** What chance may leave out: more names than a stream may have, more bytes than a message, and a node that is not of the fleet. */
const always = [
  [{ names: 300_000 }, 'fuzz-1'],
  [{ names: 600_000 }, 'fuzz-1'],
  [['A'], 'stranger'],
].map(([resource_names_subscribe, id]): Misconduct => {
  const fields = { type_url: kinds.EDS.type, response_nonce: '', node: { id }, resource_names_subscribe };
  return { variant: 'delta', service: 'ADS', acts: [{ act: 'say', fields, bend: undefined }], end: 'half-close' };
});
/** What a client has to expect that says such things. */
const expected = [
  grpc.status.OK,
  grpc.status.CANCELLED,
  grpc.status.INVALID_ARGUMENT,
  grpc.status.NOT_FOUND,
  grpc.status.RESOURCE_EXHAUSTED,
];

const names = ['A', 'B', 'toString'];

let server: ServerProcess;
const clients: grpc.Client[] = [];
before(async () => {
  server = await startServer();
});
after(async () => {
  for (const client of clients) client.close();
  await server.stop();
});

test('whatever clients say, and in whatever order, the process lives, other streams get each update, and memory does not grow', async () => {
  const shared = connect();
  let revision = 0;
  const publish = (): void => {
    revision += 1;
    server.publish('fuzz', contents(revision));
    server.publish('healthy', contents(revision));
  };
  publish();
  // On a connection of their own, and beside the streams of those who misbehave.
  const healthy = [connect(), shared].flatMap((client, at) =>
    (['sotw', 'delta'] as const).map((variant) => new HoldingClient(client, { variant, node: `healthy-${at}` })),
  );
  const served = (): boolean => healthy.every((client) => holds(client, revision));
  await until('the healthy have what there is', served);

  const deaf: Ended[] = [];
  const seen = new Map<grpc.status, number>();
  const heap: number[] = [];
  let run = 0;
  await fc.assert(
    fc.asyncProperty(misconduct, async (wrong) => {
      const ended = await misbehave(shared, wrong, publish);
      if (ended.status) {
        const { code, details } = ended.status;
        assert.ok(expected.includes(code), `${grpc.status[code]}: ${details}`);
        seen.set(code, (seen.get(code) ?? 0) + 1);
      } else deaf.push(ended);
      if (deaf.length > deafAtMost) await deaf.shift()?.leave();
      await until('the healthy have what there is', served);
      assert.deepEqual(
        healthy.flatMap(({ broken }) => broken),
        [],
      );
      if (++run % 50 > 0) return;
      // Streams may remember the names that they were told; nothing may outlive them.
      for (const one of deaf.splice(0)) await one.leave();
      await heard(shared);
      heap.push((await server.look()).heap);
    }),
    {
      numRuns: runs,
      examples: always.map((wrong) => [wrong]),
      includeErrorInReport: true,
      endOnFailure: true,
    },
  );

  for (const client of healthy) client.end();
  assert.equal(server.complaints(), '');
  // It came as far as to be answered, and as far as to be refused in each way.
  for (const code of expected) assert.ok((seen.get(code) ?? 0) > 0, grpc.status[code]);
  const [first = 0] = heap;
  const most = Math.max(...heap);
  assert.ok(most - first < growth, `MiB: ${heap.map((bytes) => Math.round(bytes / 1024 / 1024)).join(' ')}`);
});

function contents(revision: number): Contents {
  const each = (body: (name: string) => Partial<Body>): Record<string, Body> =>
    Object.fromEntries(names.map((name) => [name, { clusters: [], revision, ...body(name) }]));
  const plain = each(() => ({}));
  return {
    clusters: plain,
    endpoints: plain,
    listeners: each((name) => ({ route: name })),
    routes: each((name) => ({ clusters: [name] })),
    secrets: plain,
  };
}

function holds(client: HoldingClient, revision: number): boolean {
  const { clusters = {}, endpoints = {}, listeners = {}, routes = {} } = client.holds();
  return [clusters, endpoints, listeners, routes].every(
    (held) =>
      Object.keys(held).length === names.length && Object.values(held).every((body) => body.revision === revision),
  );
}

function connect(): grpc.Client {
  const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
  });
  clients.push(client);
  return client;
}
