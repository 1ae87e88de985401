import type { RawMethod } from '../../wire/raw-method.ts';
import type { Handler } from './call.types.ts';

/** One gRPC service with its handlers; `addService` of a grpc-js server takes both. */
export interface GrpcService {
  readonly definition: Readonly<Record<string, RawMethod>>;
  readonly implementation: Record<string, Handler>;
}
