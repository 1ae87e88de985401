import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { status, type Client, type ServiceError } from '@grpc/grpc-js';
import { systemClock } from '../../../src/base/clock.ts';
import { callerOf } from '../../../src/edge/grpc/caller.ts';
import { alsService } from '../../../src/edge/grpc/als.ts';
import { receiptsService } from '../../../src/edge/grpc/receipts.ts';
import { startGrpcServer } from '../../../src/edge/grpc/server.ts';
import { alsStream } from '../../../src/sink/intake/als.ts';
import { recallEntries } from '../../../src/sink/intake/recall-entries.ts';
import { receiptsIntake } from '../../../src/sink/intake/receipts.ts';
import { SeenEntries } from '../../../src/sink/intake/seen-entries.ts';
import { openJournal, type Journal } from '../../../src/sink/journal/journal.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { logsService } from '../../../src/wire/otlp-logs.ts';
import { SekishoError } from '../../../src/base/errors.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { alsMessage, httpEntry } from '../../sink/record/entries.ts';
import { otlpMessage } from '../../sink/intake/otlp.ts';
import { eventually } from '../../support/envoy.ts';
import { dial, openAls } from '../../support/serve.ts';
import { HungDisk, sharedPki } from './fixture.ts';

const pki = await sharedPki();
const credentials = await pki.server();
const egress1 = await pki.client('node', 'egress-1');
const rules = redactionRules();

interface Sink {
  readonly journal: Journal;
  readonly to: string;
  readonly failed: string[];
}

/** A sink that takes both copies, as `sekisho serve` puts it together; with what it remembers from the journal. */
async function openSink(
  t: TestContext,
  disk: FaultyDisk,
  options: { queueBytes?: number; waitingBytes?: number } = {},
): Promise<Sink> {
  const { queueBytes, waitingBytes } = options;
  const journal = await openJournal({ dir: '/journal', disk, ...(queueBytes !== undefined && { queueBytes }) });
  const seen = new SeenEntries();
  await recallEntries({ dir: '/journal', disk, into: seen });
  const nothing = () => undefined;
  const observer = { message: nothing, redacted: nothing, incomplete: nothing, suppressed: nothing, refused: nothing };
  const entryRules = {
    rules: () => rules,
    clock: systemClock,
    refusals: { admits: () => true },
    observer,
    seen: () => seen,
  };
  const failed: string[] = [];
  const failure = (caught: unknown) => void failed.push(SekishoError.from(caught).code);
  const server = await startGrpcServer({
    listen: { host: '127.0.0.1', port: 0 },
    credentials,
    services: [
      alsService({
        journal,
        identify: (call) => callerOf(call, 'tokyo'),
        open: (identity) => alsStream({ ...entryRules, identity }),
        failed: failure,
      }),
      receiptsService({
        journal,
        identify: (call) => callerOf(call, 'tokyo'),
        intake: receiptsIntake({ ...entryRules, admits: (node) => node !== 'egress-9' }),
        failed: failure,
        ...(waitingBytes !== undefined && { waitingBytes }),
      }),
    ],
    arrived: nothing,
    refused: nothing,
  });
  t.after(async () => {
    await server.close(50);
    await journal.close();
  });
  return { journal, to: `127.0.0.1:${server.port}`, failed };
}

const record = (id: string) => ({
  layout: 'http' as const,
  time: 1_000_000_000_000_000_000n,
  texts: { stream_id: id, access_log_type: 'DownstreamEnd' },
});
const message = (...ids: string[]) => otlpMessage({ records: ids.map(record) });
const entry = (id: string) =>
  httpEntry({
    common_properties: { stream_id: id, access_log_type: 'DownstreamEnd', start_time: { seconds: 1_000_000_000 } },
  });

interface Sent {
  state: 'waiting' | 'answered' | status;
  readonly done: Promise<unknown>;
}

function send(client: Client, bytes: Buffer): Sent {
  const sent: { state: Sent['state']; done: Promise<unknown> } = { state: 'waiting', done: Promise.resolve() };
  const same = (one: Buffer): Buffer => one;
  sent.done = new Promise<void>((resolve) => {
    client.makeUnaryRequest<Buffer, Buffer>(
      logsService.Export.path,
      same,
      same,
      bytes,
      (error: ServiceError | null) => {
        sent.state = error?.code ?? 'answered';
        resolve();
      },
    );
  });
  return sent;
}

/** A call that the same server answered, so that everything that was sent on the connection before has been looked at. */
async function roundTrip(client: Client): Promise<void> {
  await send(client, Buffer.from('garbage')).done;
}

test('receipts are answered only when they are on disk, and after a restart their copies are known', async (t) => {
  const disk = new HungDisk();
  const sink = await openSink(t, disk);
  disk.gate.shut();
  const client = dial(t, sink.to, egress1);
  const sent = send(client, message('a', 'b'));
  await eventually('waiting for the disk', () => Promise.resolve(sink.journal.queuedBytes > 0));
  await roundTrip(client);
  assert.equal(sent.state, 'waiting');
  assert.equal(sink.journal.nextIndex, 0);
  disk.gate.open();
  await sent.done;
  assert.equal(sent.state, 'answered');
  assert.equal(sink.journal.nextIndex, 2);

  await sink.journal.close();
  const next = await openSink(t, disk);
  const again = send(dial(t, next.to, egress1), message('a', 'b', 'c'));
  await again.done;
  assert.equal(again.state, 'answered');
  assert.equal(next.journal.nextIndex, 3);
});

test('a receipt whose other copy is still on its way to the disk waits for that', async (t) => {
  const disk = new HungDisk();
  const sink = await openSink(t, disk);
  disk.gate.shut();
  const client = dial(t, sink.to, egress1);
  const als = openAls(client);
  const identifier = { node: { id: 'egress-1' }, log_name: 'office/http' };
  als.call.write(alsMessage({ identifier, http: [entry('a')] }));
  await eventually('waiting for the disk', () => Promise.resolve(sink.journal.queuedBytes > 0));
  const queued = sink.journal.queuedBytes;
  const sent = send(client, message('a'));
  await roundTrip(client);
  assert.equal(sent.state, 'waiting');
  assert.equal(sink.journal.queuedBytes, queued, 'it is not stored twice');
  disk.gate.open();
  await sent.done;
  assert.equal(sent.state, 'answered');
  assert.equal(sink.journal.nextIndex, 1);
  als.call.end();
});

test('while the journal has no room receipts wait, and those for which there is no room either are refused for Envoy to send again', async (t) => {
  const disk = new HungDisk();
  const sink = await openSink(t, disk, { queueBytes: 1, waitingBytes: 4 * message('x1').length });
  disk.gate.shut();
  const client = dial(t, sink.to, egress1);
  const first = send(client, message('x0'));
  await eventually('no room', () => Promise.resolve(!sink.journal.hasRoom()));
  const waiting = send(client, message('x1'));
  const refused = send(client, message('x2'));
  await refused.done;
  assert.deepEqual([first.state, waiting.state, refused.state], ['waiting', 'waiting', status.RESOURCE_EXHAUSTED]);
  disk.gate.open();
  await Promise.all([first.done, waiting.done]);
  const again = send(client, message('x2'));
  await again.done;
  assert.deepEqual([first.state, waiting.state, again.state], ['answered', 'answered', 'answered']);
  assert.equal(sink.journal.nextIndex, 3);
});

test('a journal that closes answers UNAVAILABLE, so that Envoy sends it again', async (t) => {
  const disk = new FaultyDisk();
  const sink = await openSink(t, disk);
  disk.freeBytes = 100;
  const waiting = send(dial(t, sink.to, egress1), message('a'));
  await eventually('failing', () => Promise.resolve(sink.journal.failing !== undefined));
  await sink.journal.close();
  await waiting.done;
  assert.equal(waiting.state, status.UNAVAILABLE);
});

const bad: readonly [what: string, bytes: Buffer, code: status][] = [
  ['is no message', Buffer.from('garbage'), status.INVALID_ARGUMENT],
  ['does not say who sends', otlpMessage({ node: '', records: [record('a')] }), status.INVALID_ARGUMENT],
  ['is of another node', otlpMessage({ node: 'egress-2', records: [record('a')] }), status.PERMISSION_DENIED],
];
for (const [what, bytes, code] of bad) {
  test(`what ${what} is refused in a way that Envoy does not try again for ever`, async (t) => {
    const sink = await openSink(t, new FaultyDisk());
    const sent = send(dial(t, sink.to, egress1), bytes);
    await sent.done;
    assert.equal(sent.state, code);
    assert.equal(sink.failed.length, 1);
    assert.equal(sink.journal.nextIndex, 0);
  });
}
