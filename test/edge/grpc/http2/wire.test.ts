import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { Publisher } from '../../../../src/control/xds/publisher.ts';
import { clusterType } from '../../../../src/control/xds/type-urls.ts';
import { discoveryServices } from '../../../../src/edge/grpc/discovery/services.ts';
import { eventually } from '../../../support/envoy.ts';
import { dial, discoveryRequest, envoyNode, openAds } from '../../../support/serve.ts';
import { call, frame, limit, startWire, type Answered } from './fixture.ts';

const echo = '/test.Wire/Echo';
const once = '/test.Wire/Once';
const ok = { http: 200, status: String(status.OK), message: undefined };
const two = Buffer.concat([frame('one'), frame('two')]);
const gzip = { 'grpc-encoding': 'gzip' };
const tooLong = Buffer.alloc(limit + 1);

interface Case {
  readonly path?: string;
  readonly chunks: readonly Buffer[];
  readonly headers?: Record<string, string>;
  readonly stays?: boolean;
  readonly answer: Partial<Answered>;
  /** Whether the owner of the server is told. */
  readonly isTold?: boolean;
}

const cases: Readonly<Record<string, Case>> = {
  'a message in a frame of its own': { chunks: [frame('one')], answer: { ...ok, messages: ['one'] } },
  'two messages in one frame, which come in their order': {
    chunks: [two],
    answer: { ...ok, messages: ['one', 'two'] },
  },
  'an empty message': { chunks: [frame('')], answer: { ...ok, messages: [''] } },
  'no message at all': { chunks: [], answer: { ...ok, messages: [] } },
  'a message of a byte a frame': {
    chunks: Array.from(frame('one'), (byte) => Buffer.from([byte])),
    answer: { ...ok, messages: ['one'] },
  },
  'a message that is as long as may be': {
    chunks: [frame(tooLong.subarray(1))],
    answer: { ...ok, messages: [tooLong.subarray(1).toString()] },
  },
  'a message that is longer, which is refused by its prefix': {
    chunks: [frame(tooLong).subarray(0, 5)],
    stays: true,
    answer: { http: 200, status: String(status.RESOURCE_EXHAUSTED) },
    isTold: true,
  },
  'a message that is longer after others, which are answered': {
    chunks: [frame('one'), frame(tooLong)],
    answer: { status: String(status.RESOURCE_EXHAUSTED), messages: ['one'] },
    isTold: true,
  },
  gzip: { chunks: [frame(gzipSync('one'), 1)], headers: gzip, answer: { ...ok, messages: ['one'] } },
  deflate: {
    chunks: [frame(deflateSync('one'), 1)],
    headers: { 'grpc-encoding': 'deflate' },
    answer: { ...ok, messages: ['one'] },
  },
  'gzip and plain in turn, which keep their order': {
    chunks: [Buffer.concat([frame(gzipSync('one'), 1), frame('two'), frame(gzipSync('three'), 1), frame('four')])],
    headers: gzip,
    answer: { ...ok, messages: ['one', 'two', 'three', 'four'] },
  },
  'gzip that unpacks to more than may be': {
    chunks: [frame(gzipSync(tooLong), 1)],
    headers: gzip,
    answer: { status: String(status.RESOURCE_EXHAUSTED), messages: [] },
    isTold: true,
  },
  'gzip that is none': {
    chunks: [frame('one', 1)],
    headers: gzip,
    answer: { status: String(status.INTERNAL) },
    isTold: true,
  },
  'a compression that nobody announced': {
    chunks: [frame('one', 1)],
    answer: { status: String(status.INTERNAL) },
    isTold: true,
  },
  'a compression that nobody knows': {
    chunks: [frame('one', 1)],
    headers: { 'grpc-encoding': 'snappy' },
    answer: { status: String(status.UNIMPLEMENTED) },
    isTold: true,
  },
  'a request that ends within a message': {
    chunks: [frame('one').subarray(0, 6)],
    answer: { status: String(status.INTERNAL) },
    isTold: true,
  },
  'a method that nobody has': {
    path: '/test.Wire/Other',
    chunks: [],
    answer: { status: String(status.UNIMPLEMENTED) },
  },
  'a method without a handler': {
    path: '/test.Wire/Nobody',
    chunks: [frame('one')],
    answer: { status: String(status.UNIMPLEMENTED) },
  },
  'no gRPC at all': {
    chunks: [],
    headers: { 'content-type': 'application/json' },
    answer: { http: 415, status: undefined },
  },
  'gRPC-Web': {
    chunks: [],
    headers: { 'content-type': 'application/grpc-web' },
    answer: { http: 415, status: undefined },
  },
  'gRPC with a codec': {
    chunks: [frame('one')],
    headers: { 'content-type': 'application/grpc+proto' },
    answer: { ...ok, messages: ['one'] },
  },
  'a deadline that passes': {
    chunks: [frame('one')],
    headers: { 'grpc-timeout': '20m' },
    stays: true,
    answer: { status: String(status.DEADLINE_EXCEEDED), messages: ['one'] },
    isTold: true,
  },
  'a deadline that nobody lives to see': {
    chunks: [frame('one')],
    headers: { 'grpc-timeout': '99999999H' },
    answer: { ...ok, messages: ['one'] },
  },
  'a deadline that is none': {
    chunks: [],
    headers: { 'grpc-timeout': 'soon' },
    stays: true,
    answer: { status: String(status.INTERNAL) },
    isTold: true,
  },
  'one request where one is wanted': { path: once, chunks: [frame('one')], answer: { ...ok, messages: ['one'] } },
  'two requests where one is wanted': {
    path: once,
    chunks: [two],
    answer: { status: String(status.UNIMPLEMENTED), messages: [] },
    isTold: true,
  },
  'no request where one is wanted': {
    path: once,
    chunks: [],
    answer: { status: String(status.UNIMPLEMENTED), messages: [] },
    isTold: true,
  },
  'metadata in bytes': {
    path: once,
    chunks: [frame('one ')],
    headers: { 'extra-bin': Buffer.from('two').toString('base64') },
    answer: { ...ok, messages: ['one two'] },
  },
  'a failure, whose words are encoded for a header': {
    path: '/test.Wire/Fail',
    chunks: [frame('')],
    answer: { status: '9', message: 'not 100%25%0A%E9%96%A2%E6%89%80 %EF%BF%BD' },
  },
  'a handler that throws, which keeps its inside to itself': {
    path: '/test.Wire/Throw',
    chunks: [frame('')],
    answer: { status: String(status.INTERNAL), message: 'internal error; the log has more' },
    isTold: true,
  },
};

for (const [what, { path = echo, chunks, headers, stays, answer, isTold = false }] of Object.entries(cases)) {
  test(`on the wire: ${what}`, async (t) => {
    const wire = await startWire(t);
    const got = await call(wire, path, chunks, { ...(headers && { headers }), ...(stays && { stays }) });
    assert.deepEqual(Object.fromEntries(Object.keys(answer).map((key) => [key, got[key as keyof Answered]])), answer);
    assert.deepEqual(
      wire.refused.map(({ method, code }) => [method, String(code)]),
      isTold ? [[path, got.status]] : [],
    );
  });
}

test('however messages are cut into frames, each comes whole and in its order', async (t) => {
  const wire = await startWire(t);
  const messages = fc.array(fc.string({ unit: 'binary-ascii', maxLength: 40 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(messages, fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 12 }), async (said, cuts) => {
      let rest = Buffer.concat(said.map((one) => frame(one)));
      const chunks: Buffer[] = [];
      for (const cut of cuts) {
        chunks.push(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      const { messages: got, status: ended } = await call(wire, echo, [...chunks, rest]);
      assert.deepEqual(got, said);
      assert.equal(ended, '0');
    }),
    { numRuns: 60 },
  );
});

test('a caller that resets its stream, or whose connection goes, is gone for the handler, once', async (t) => {
  const wire = await startWire(t);
  const request = { ':method': 'POST', ':path': echo, 'content-type': 'application/grpc' };
  const reset = wire.client.request(request);
  reset.on('error', () => undefined);
  reset.write(frame('one'));
  reset.once('data', () => {
    setImmediate(() => {
      reset.close(8);
    });
  });
  await eventually('the reset is heard', () => Promise.resolve(wire.heard.length >= 2));
  const lost = wire.client.request(request);
  lost.on('error', () => undefined);
  lost.write(frame('one'));
  lost.once('data', () => {
    wire.client.destroy();
  });
  await eventually('the loss is heard', () => Promise.resolve(wire.heard.length >= 4));
  assert.deepEqual(wire.heard, ['cancelled', 'close', 'cancelled', 'close']);
  assert.ok(wire.calls.every(({ cancelled }) => cancelled));
  assert.equal(wire.calls[0]?.write(Buffer.from('late')), false);
});

test('a caller that does not read is waited for, with little in memory', async (t) => {
  const message = Buffer.alloc(16 * 1024);
  let written = 0;
  let drains = 0;
  const wire = await startWire(t, (one) => {
    const fill = (): void => {
      do written += message.length;
      while (one.write(message));
    };
    one.on('drain', () => {
      drains += 1;
      if (written < 4 * 1024 * 1024) fill();
      else one.end();
    });
    one.on('data', () => undefined);
    fill();
  });
  const stream = wire.client.request({ ':method': 'POST', ':path': echo, 'content-type': 'application/grpc' });
  stream.write(frame('one'));
  await new Promise((responded) => stream.once('response', responded));
  // Another call has come and gone in the meantime.
  await call(wire, once, [frame('one')]);
  assert.ok(written < 1024 * 1024, `${written} bytes`);
  assert.equal(drains, 0);
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await new Promise((ended) => stream.once('end', ended));
  assert.ok(received > written && written >= 4 * 1024 * 1024);
});

test('a handler that pauses hears nothing more, and its caller can say no more than fits into the window', async (t) => {
  const heard: number[] = [];
  const wire = await startWire(t, (one) => {
    one.on('data', (message) => {
      heard.push(message.length);
      if (heard.length === 2) one.pause();
    });
    one.on('end', () => one.end());
  });
  const stream = wire.client.request({ ':method': 'POST', ':path': echo, 'content-type': 'application/grpc' });
  stream.on('error', () => undefined);
  let sent = 0;
  const messages = 500;
  const whole = frame(Buffer.alloc(limit));
  for (let index = 0; index < messages; index += 1) {
    stream.write(whole, () => {
      sent += 1;
    });
  }
  stream.end();
  await eventually('two are heard', () => Promise.resolve(heard.length === 2));
  await call(wire, once, [frame('one')]);
  assert.equal(heard.length, 2);
  assert.ok(sent < messages);
  const closed = new Promise((over) => stream.once('close', over));
  stream.resume();
  wire.calls[0]?.resume();
  await closed;
  assert.equal(heard.length, messages);
});

test('a grpc-js server takes the same services', async (t) => {
  const { services } = discoveryServices({ publisher: new Publisher({ resolve: () => undefined }) });
  const server = new Server();
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  t.after(() => {
    server.forceShutdown();
  });
  const ads = openAds(dial(t, `127.0.0.1:${port}`));
  ads.call.write(discoveryRequest({ node: envoyNode('stranger'), type_url: clusterType }));
  assert.equal((await ads.ended).code, status.NOT_FOUND);
});
