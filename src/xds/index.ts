/** `sekisho/xds`: the discovery server of Sekisho for other control planes. Everything that is exported here is public. */
export { discoveryServices, type DiscoveryServices } from '../edge/grpc/discovery/services.ts';
export type { DiscoveryOptions } from '../edge/grpc/discovery/session.types.ts';
export type { DiscoveryLimits } from '../edge/grpc/discovery/open-streams.ts';
export {
  clientStatusService,
  type ClientStatusLimits,
  type ClientStatusOptions,
  type ClientStatusService,
} from '../edge/grpc/client-status.ts';
export type { Caller } from '../edge/grpc/caller.ts';
export type { Answer, Handler, StreamCall, UnaryCall } from '../edge/grpc/call.types.ts';
export type { GrpcService } from '../edge/grpc/grpc-service.types.ts';
export { Publisher, type Resolve } from '../control/xds/publisher.ts';
export {
  makeSnapshot,
  type ExplicitVersions,
  type Resource,
  type ResourceInput,
  type Snapshot,
} from '../control/xds/snapshot.ts';
export type { XdsEvent, XdsObserver } from '../control/xds/events.types.ts';
export type { TypeUrl } from '../control/xds/type-urls.ts';
export type { NodeInfo } from '../wire/node-info.ts';
export type { TypedJson } from '../wire/proto-json.ts';
export { SekishoError, type ErrorCode } from '../base/errors.ts';
export { grpcStreams, type GrpcStreamsOptions, type RefusedCall } from '../edge/grpc/http2/grpc-streams.ts';
export { resource } from './resource.ts';
