import type { SocketAddress } from '../../policy/policy.types.ts';
import { openDoorkeeper, type Arrival, type ServerCredentials } from './doorkeeper.ts';
import type { GrpcService } from './grpc-service.types.ts';
import { healthService } from './health.ts';
import { grpcStreams, type RefusedCall } from './http2/grpc-streams.ts';
import { Sessions } from './http2/sessions.ts';

export interface GrpcServer {
  readonly port: number;
  renew(credentials: ServerCredentials): void;
  /** gRPC health (grpc.health.v1) of the whole server. */
  setServing(serving: boolean): void;
  /** Takes nothing new, gives running calls `graceMs`, then ends them. May be called twice. */
  close(graceMs: number): Promise<void>;
}

/** Opens the gRPC address with these services. */
export async function startGrpcServer(options: {
  readonly listen: SocketAddress;
  readonly credentials: ServerCredentials;
  readonly services: readonly GrpcService[];
  readonly arrived: (what: Arrival, remote: string, why?: string) => void;
  readonly refused: (call: RefusedCall) => void;
}): Promise<GrpcServer> {
  const health = healthService();
  const sessions = new Sessions(grpcStreams([...options.services, health], { refused: options.refused }));
  const doorkeeper = await openDoorkeeper({
    listen: options.listen,
    credentials: options.credentials,
    admit: (socket) => {
      sessions.add(socket);
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
      health.setServing(serving);
    },
    close: (graceMs) => (closing ??= close(graceMs)),
  };

  async function close(graceMs: number): Promise<void> {
    health.setServing(false);
    const stopped = doorkeeper.close();
    await sessions.close(graceMs);
    await stopped;
  }
}
