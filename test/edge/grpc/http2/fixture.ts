import { connect, createServer, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import type { TestContext } from 'node:test';
import type { Answer, StreamCall, UnaryCall } from '../../../../src/edge/grpc/call.types.ts';
import type { GrpcService } from '../../../../src/edge/grpc/grpc-service.types.ts';
import { grpcStreams, type RefusedCall } from '../../../../src/edge/grpc/http2/grpc-streams.ts';
import { MessageReader } from '../../../../src/edge/grpc/http2/messages.ts';
import { rawMethod } from '../../../../src/wire/raw-method.ts';
import { endingOf, listening } from '../../../support/http2-server.ts';

/** Bytes of the largest message that these servers take. */
export const limit = 1000;

export interface Wire {
  readonly port: number;
  readonly client: ClientHttp2Session;
  readonly refused: RefusedCall[];
  /** Calls of the stream method, as its handler got them. */
  readonly calls: StreamCall[];
  /** What the handlers heard of the ends of calls. */
  readonly heard: string[];
}

/** A server whose methods say what they hear, and a client of it that speaks plain HTTP/2. */
export async function startWire(t: TestContext, serve?: (call: StreamCall) => void): Promise<Wire> {
  const refused: RefusedCall[] = [];
  const calls: StreamCall[] = [];
  const heard: string[] = [];
  const echo = (call: StreamCall): void => {
    call.on('data', (message) => call.write(message));
    call.on('end', () => call.end());
  };
  const service: GrpcService = {
    definition: {
      Echo: rawMethod('/test.Wire/Echo', { requestStream: true, responseStream: true }),
      Once: rawMethod('/test.Wire/Once', { requestStream: false, responseStream: false }),
      Fail: rawMethod('/test.Wire/Fail', { requestStream: false, responseStream: false }),
      Throw: rawMethod('/test.Wire/Throw', { requestStream: false, responseStream: false }),
      Nobody: rawMethod('/test.Wire/Nobody', { requestStream: false, responseStream: false }),
    },
    implementation: {
      Echo: (call: StreamCall) => {
        calls.push(call);
        call.on('cancelled', () => heard.push('cancelled'));
        call.on('close', () => heard.push('close'));
        (serve ?? echo)(call);
      },
      Once: ({ request, metadata }: UnaryCall, answer: Answer) => {
        answer(null, Buffer.concat([request, ...metadata.get('extra-bin').map((value) => Buffer.from(value))]));
      },
      Fail: (_call: UnaryCall, answer: Answer) => {
        answer({ code: 9, details: 'not 100%\n関所 \ud800' });
      },
      Throw: () => {
        throw new TypeError('secret');
      },
    },
  };
  const server = createServer();
  server.on('stream', grpcStreams([service], { maxMessageBytes: limit, refused: (call) => refused.push(call) }));
  const end = endingOf(server);
  const port = await listening(server);
  const client = connect(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  t.after(() => {
    client.destroy();
    end();
  });
  return { port, client, refused, calls, heard };
}

/** A message with its prefix. */
export function frame(bytes: Buffer | string, compressed = 0): Buffer {
  const message = Buffer.from(bytes);
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** How a call was answered. */
export interface Answered {
  readonly http: number | undefined;
  readonly messages: readonly string[];
  readonly status: string | undefined;
  readonly message: string | undefined;
}

/** Makes a call: each chunk is a DATA frame of its own, and then the caller has said its last, unless it stays. */
export async function call(
  { client }: Pick<Wire, 'client'>,
  path: string,
  chunks: readonly Buffer[],
  options: { readonly headers?: Record<string, string>; readonly stays?: boolean } = {},
): Promise<Answered> {
  const stream = client.request({
    ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
    ...options.headers,
  });
  const reader = new MessageReader(1_000_000);
  const messages: string[] = [];
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (headers) => {
    head = headers;
  });
  stream.on('trailers', (headers: IncomingHttpHeaders) => {
    trailers = headers;
    // Whoever stays has heard how it ended.
    if (options.stays) stream.close();
  });
  stream.on('data', (chunk: Buffer) => {
    for (const { bytes } of reader.read(chunk)) messages.push(bytes.toString());
  });
  stream.on('error', () => undefined);
  stream.on('end', () => {
    if (options.stays) stream.close();
  });
  for (const chunk of chunks) {
    await new Promise<void>((written) =>
      stream.write(chunk, () => {
        written();
      }),
    );
  }
  if (!options.stays) stream.end();
  await new Promise((closed) => stream.once('close', closed));
  const said = { ...head, ...trailers };
  const http = head[':status'];
  return {
    http: http === undefined ? undefined : Number(http),
    messages,
    status: said['grpc-status'] as string | undefined,
    message: said['grpc-message'] as string | undefined,
  };
}
