import { SekishoError } from '../../base/errors.ts';
import type { Publisher } from '../../control/xds/publisher.ts';
import { rawService } from '../../wire/services.ts';
import type { Answer, AnyCall, StreamCall, UnaryCall } from './call.types.ts';
import { clientStatusResponse } from './client-status-response.ts';
import type { GrpcService } from './grpc-service.types.ts';
import { statusOfRefusal } from './status.ts';

export interface ClientStatusOptions {
  /** Whose streams are told of. */
  readonly publisher: Publisher;
  /** Throws what the call shall be refused with. Without it everybody is answered. */
  readonly identify?: (call: Pick<AnyCall, 'getAuthContext'>) => unknown;
  readonly failed?: (error: SekishoError, peer: string) => void;
  readonly limits?: Partial<ClientStatusLimits>;
}

export interface ClientStatusLimits {
  /** Bytes of one response. What gRPC clients take unless told otherwise is 4 MiB. */
  readonly responseBytes: number;
  /** Calls at a time. Each may hold two responses. */
  readonly calls: number;
}

const defaultLimits: ClientStatusLimits = { responseBytes: 4 * 1024 * 1024, calls: 16 };

export interface ClientStatusService extends GrpcService {
  /** Ends the streams and takes no more calls. May be called twice. */
  close(): void;
}

/**
 * envoy.service.status.v3.ClientStatusDiscoveryService: how each node that is connected stands with each of its resources.
 * A request has one response, as a client could not tell which of several is the last; what does not fit into it is refused with a way to ask for less.
 */
export function clientStatusService(options: ClientStatusOptions): ClientStatusService {
  const { publisher, identify, failed } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const open = new Set<object>();
  const streams = new Set<StreamCall>();
  let closed = false;

  function begin(call: StreamCall | UnaryCall): void {
    if (closed)
      throw new SekishoError('server_unreachable', 'Sekisho is stopping; come back when it has started again.');
    identify?.(call);
    if (open.size >= limits.calls) {
      throw new SekishoError('limit_exceeded', `There are ${limits.calls} calls like this already; end some of them.`);
    }
    open.add(call);
  }

  function refusal(caught: unknown, call: StreamCall | UnaryCall): ReturnType<typeof statusOfRefusal> {
    const error = SekishoError.from(caught);
    if (error.code !== 'server_unreachable') failed?.(error, call.getPeer());
    return statusOfRefusal(error);
  }

  async function fetch(call: UnaryCall, answer: Answer): Promise<void> {
    try {
      begin(call);
      answer(null, await clientStatusResponse(call.request, publisher, limits));
    } catch (caught) {
      answer(refusal(caught, call));
    } finally {
      open.delete(call);
    }
  }

  function stream(call: StreamCall): void {
    const forget = (): void => {
      open.delete(call);
      streams.delete(call);
    };
    const refuse = (caught: unknown): void => {
      forget();
      if (!call.cancelled) call.emit('error', refusal(caught, call));
    };
    const finish = (): void => {
      forget();
      call.end();
    };
    let isAnswering = false;
    let hasAskedAll = false;
    // One request at a time, and the next when the response to it has left: what else is asked waits with gRPC, whose window is small.
    const answer = async (request: Buffer): Promise<void> => {
      isAnswering = true;
      call.pause();
      const response = await clientStatusResponse(request, publisher, limits);
      isAnswering = false;
      if (!open.has(call)) return;
      if (call.write(response)) call.resume();
      else call.once('drain', () => call.resume());
      if (hasAskedAll) finish();
    };
    call.on('cancelled', forget);
    call.on('error', forget);
    call.on('close', forget);
    call.on('end', () => {
      hasAskedAll = true;
      if (!isAnswering) finish();
    });
    try {
      begin(call);
      streams.add(call);
    } catch (caught) {
      refuse(caught);
    }
    call.on('data', (request: Buffer) => {
      if (open.has(call)) answer(request).catch(refuse);
    });
  }

  return {
    definition: rawService('envoy.service.status.v3.ClientStatusDiscoveryService'),
    implementation: {
      FetchClientStatus: (call: UnaryCall, answer: Answer) => void fetch(call, answer),
      StreamClientStatus: stream,
    },
    close: () => {
      closed = true;
      for (const call of streams) {
        open.delete(call);
        call.end();
      }
      streams.clear();
    },
  };
}
