import * as grpc from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { SocketAddress } from '../../policy/policy.types.ts';
import { openDoorkeeper, type Arrival, type ServerCredentials } from './doorkeeper.ts';

/** One gRPC service with its handlers. */
export interface GrpcService {
  readonly definition: grpc.ServiceDefinition;
  readonly implementation: grpc.UntypedServiceImplementation;
}

export interface GrpcServer {
  readonly port: number;
  renew(credentials: ServerCredentials): void;
  /** gRPC health (grpc.health.v1) of the whole server. */
  setServing(serving: boolean): void;
  /** Takes nothing new, gives running calls `graceMs`, then ends them. May be called twice. */
  close(graceMs: number): Promise<void>;
}

/** An access-log message or a discovery request is far smaller; a larger one is refused with RESOURCE_EXHAUSTED. */
const maxMessageBytes = 4 * 1024 * 1024;

/** A call that gRPC itself ended, before or beside our handlers: a message over the limit, one that cannot be unpacked. */
export interface RefusedCall {
  readonly method: string;
  readonly peer: string;
  readonly code: grpc.status;
  readonly why: string;
}

/** Opens the gRPC address with these services. */
export async function startGrpcServer(options: {
  readonly listen: SocketAddress;
  readonly credentials: ServerCredentials;
  readonly services: readonly GrpcService[];
  readonly arrived: (what: Arrival, remote: string, why?: string) => void;
  readonly refused: (call: RefusedCall) => void;
}): Promise<GrpcServer> {
  const server = new grpc.Server({
    interceptors: [tellingRefusals(options.refused)],
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_concurrent_streams': 1000,
    // A peer that vanished without a word is found within a minute.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc-node.max_session_memory': Number.MAX_SAFE_INTEGER,
  });
  for (const { definition, implementation } of options.services) server.addService(definition, implementation);
  const health = new HealthImplementation({ '': 'NOT_SERVING' });
  health.addToServer(server);
  // TLS ends in the doorkeeper, which counts who failed; to grpc-js every connection comes ready.
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const doorkeeper = await openDoorkeeper({
    listen: options.listen,
    credentials: options.credentials,
    admit: (socket) => {
      injector.injectConnection(socket);
    },
    arrived: options.arrived,
  });

  let closing: Promise<void> | undefined;
  return {
    port: doorkeeper.port,
    renew: (credentials) => {
      doorkeeper.renew(credentials);
    },
    setServing: (serving) => {
      health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING');
    },
    close: (graceMs) => (closing ??= close(graceMs)),
  };

  async function close(graceMs: number): Promise<void> {
    health.setStatus('', 'NOT_SERVING');
    const stopped = doorkeeper.close();
    injector.drain(graceMs);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        server.forceShutdown();
        resolve();
      }, graceMs);
      server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    injector.destroy();
    await stopped;
  }
}

/** gRPC refuses some calls without a word to us; what it says to the caller is overheard. */
function tellingRefusals(refused: (call: RefusedCall) => void): grpc.ServerInterceptor {
  return ({ path }, call) => {
    let ours = false;
    const send = call.sendStatus.bind(call);
    call.sendStatus = (status) => {
      if (!ours) refused({ method: path, peer: call.getPeer(), code: status.code, why: status.details });
      ours = true;
      send(status);
    };
    return new grpc.ServerInterceptingCall(call, {
      start: (next) => {
        next();
      },
      sendStatus: (status, next) => {
        ours = true;
        next(status);
      },
    });
  };
}
