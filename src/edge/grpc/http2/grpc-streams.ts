import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { RawMethod } from '../../../wire/raw-method.ts';
import type { Handler, Status } from '../call.types.ts';
import type { GrpcService } from '../grpc-service.types.ts';
import { statusOf } from '../status.ts';
import { trailersOf } from './headers.ts';
import { Http2Call } from './http2-call.ts';

/** A call that gRPC itself ended, before or beside our handlers: a message over the limit, one that cannot be unpacked. */
export interface RefusedCall {
  readonly method: string;
  readonly peer: string;
  readonly code: number;
  readonly why: string;
}

export interface GrpcStreamsOptions {
  /** Bytes of one message that comes; a larger one ends its call with RESOURCE_EXHAUSTED. Default 4 MiB. */
  readonly maxMessageBytes?: number;
  readonly refused?: (call: RefusedCall) => void;
}

const defaultMessageBytes = 4 * 1024 * 1024;

/**
 * Serves gRPC calls to these services: a listener for the `stream` events of a server, or of a session, of `node:http2`. What is no gRPC gets 415, what none of
 * the services has gets UNIMPLEMENTED.
 */
export function grpcStreams(
  services: readonly GrpcService[],
  options: GrpcStreamsOptions = {},
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void {
  const { maxMessageBytes = defaultMessageBytes } = options;
  const methods = new Map<string, (call: Http2Call) => void>();
  for (const { definition, implementation } of services) {
    for (const [name, method] of Object.entries(definition)) {
      const handler = implementation[name];
      if (handler) methods.set(method.path, serving(method, handler));
    }
  }
  return (stream, headers) => {
    // What goes wrong with a stream ends it, and its call hears that.
    stream.on('error', () => undefined);
    if (stream.destroyed || stream.closed) return;
    if (!grpcContent.test(headers['content-type'] ?? '')) {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    const path = headers[':path'] ?? '';
    const serve = methods.get(path);
    if (!serve) {
      const details = `The server does not implement the method ${path.slice(0, 200)}`;
      const head = { ':status': 200, 'content-type': 'application/grpc+proto' };
      stream.respond({ ...head, ...trailersOf({ code: status.UNIMPLEMENTED, details }) }, { endStream: true });
      return;
    }
    const refused = ({ code, details }: Status, peer: string): void => {
      options.refused?.({ method: path, peer, code, why: details });
    };
    serve(new Http2Call(stream, headers, { maxMessageBytes, refused }));
  };
}

/** Also with a codec (`+proto`) or parameters, but not gRPC-Web, which looks otherwise inside. */
const grpcContent = /^application\/grpc($|[+;])/;

function serving(method: RawMethod, handler: Handler): (call: Http2Call) => void {
  const begin = (call: Http2Call): void => {
    try {
      handler(call, (failed, message) => {
        if (failed) {
          call.finish(failed);
          return;
        }
        if (message) call.write(message);
        call.end();
      });
    } catch (caught) {
      call.refuse(statusOf(caught));
    }
  };
  return method.requestStream
    ? begin
    : (call) => {
        whenAsked(call, begin);
      };
}

/** A method with one request is called when the caller has said it, and no more. */
function whenAsked(call: Http2Call, begin: (call: Http2Call) => void): void {
  let request: Buffer | undefined;
  call.on('data', (message) => {
    if (request === undefined) request = message;
    else call.refuse({ code: status.UNIMPLEMENTED, details: 'The method takes one request message; two came' });
  });
  call.on('end', () => {
    if (request === undefined) {
      call.refuse({ code: status.UNIMPLEMENTED, details: 'The method takes one request message; none came' });
      return;
    }
    call.request = request;
    begin(call);
  });
}
