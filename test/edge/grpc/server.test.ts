import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { status, type Client } from '@grpc/grpc-js';
import { SekishoError, errorCodes } from '../../../src/base/errors.ts';
import { statusOf } from '../../../src/edge/grpc/status.ts';
import { eventually } from '../../support/envoy.ts';
import { alsMessage, consoleRequest, httpEntry } from '../../sink/record/entries.ts';
import { dial, openAls } from '../../support/serve.ts';
import { HungDisk, sharedPki, startHouse } from './fixture.ts';

const pki = await sharedPki();
const credentials = await pki.server();
const egress1 = await pki.client('node', 'egress-1');
const message = alsMessage({
  identifier: { node: { id: 'egress-1' }, log_name: 'office' },
  http: [httpEntry(consoleRequest())],
});

const [serving, notServing] = [1, 2];

test('gRPC health says NOT_SERVING until told otherwise, and again when told so', async (t) => {
  const house = await startHouse(t, { credentials });
  const client = dial(t, house.to, egress1);
  assert.equal(await health(client), notServing);
  house.server.setServing(true);
  assert.equal(await health(client), serving);
  house.server.setServing(false);
  assert.equal(await health(client), notServing);
});

test('who watches the health is told of the end before the connection goes', async (t) => {
  const house = await startHouse(t, { credentials });
  house.server.setServing(true);
  const watch = dial(t, house.to, egress1).makeServerStreamRequest<Buffer, Buffer>(
    ...(['/grpc.health.v1.Health/Watch', same, same, Buffer.alloc(0)] as const),
  );
  const told: (number | undefined)[] = [];
  watch.on('data', (bytes: Buffer) => told.push(bytes[1]));
  watch.on('error', () => undefined);
  await eventually('told', () => Promise.resolve(told.length === 1));
  await house.server.close(200);
  assert.deepEqual(told, [serving, notServing]);
});

test('closing lets a running call come to its end and takes nobody new', async (t) => {
  const disk = new HungDisk();
  const house = await startHouse(t, { credentials, disk });
  disk.gate.shut();
  const als = openAls(dial(t, house.to, egress1));
  als.call.end(message);
  await eventually('waiting for the disk', () => Promise.resolve(house.journal.queuedBytes > 0));
  const closed = house.server.close(20_000);
  const late = openAls(dial(t, house.to, egress1));
  assert.equal((await late.ended)?.code, status.UNAVAILABLE);
  disk.gate.open();
  assert.equal(await als.ended, undefined);
  await closed;
});

test('closing cuts what does not end in time, even where the disk never answers, and may be asked for twice', async (t) => {
  const disk = new HungDisk();
  const house = await startHouse(t, { credentials, disk });
  disk.gate.shut();
  const als = openAls(dial(t, house.to, egress1));
  als.call.write(message);
  const silent = connect({ host: '127.0.0.1', port: house.server.port });
  silent.resume();
  await eventually('waiting for the disk', () => Promise.resolve(house.journal.queuedBytes > 0));
  const started = performance.now();
  await Promise.all([house.server.close(50), house.server.close(50), closed(silent)]);
  assert.ok(performance.now() - started < 5_000);
  assert.ok(await als.ended);
  disk.gate.open();
  await eventually('kept', () => Promise.resolve(house.journal.nextIndex === 1));
});

const internal: number = status.INTERNAL;

test('every error has a gRPC status, and only those that a caller causes or can wait for are not INTERNAL', () => {
  const told = Object.fromEntries(
    errorCodes
      .map((code) => [code, statusOf(new SekishoError(code, 'words')).code] as const)
      .filter(([, code]) => code !== internal),
  );
  assert.deepEqual(told, {
    identity_mismatch: status.PERMISSION_DENIED,
    node_unknown: status.NOT_FOUND,
    record_malformed: status.INVALID_ARGUMENT,
    request_malformed: status.INVALID_ARGUMENT,
    resource_invalid: status.INVALID_ARGUMENT,
    record_too_large: status.RESOURCE_EXHAUSTED,
    limit_exceeded: status.RESOURCE_EXHAUSTED,
    disk_full: status.UNAVAILABLE,
    disk_failed: status.UNAVAILABLE,
    journal_closed: status.UNAVAILABLE,
  });
});

test('an error that is none of ours keeps its inside to itself', () => {
  const { code, details } = statusOf(new TypeError('secret at line 7'));
  assert.equal(code, status.INTERNAL);
  assert.ok(!details.includes('secret'));
});

test('a long message is cut between characters to what a header can carry', () => {
  for (const character of ['x', 'é', '関', '🏯']) {
    const { details } = statusOf(new SekishoError('node_unknown', character.repeat(1_000_000)));
    assert.ok(encodeURI(details).length < 8_000);
    assert.ok(details.startsWith(character.repeat(500)));
  }
  assert.equal(statusOf(new SekishoError('node_unknown', '🏯'.repeat(500))).details, '🏯'.repeat(500));
});

const same = (bytes: Buffer): Buffer => bytes;

/** grpc.health.v1.HealthCheckResponse: its one field, a number. */
function health(client: Client): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', same, same, Buffer.alloc(0), (error, answer) => {
      if (error) reject(error);
      else resolve(answer?.[1]);
    });
  });
}

/** When it is gone, by whatever end. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) =>
    socket.once('close', () => {
      resolve();
    }),
  );
}
