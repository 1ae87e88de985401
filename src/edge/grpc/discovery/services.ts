import { delta } from '../../../control/xds/delta.ts';
import { sotw } from '../../../control/xds/sotw.ts';
import { XdsStream } from '../../../control/xds/stream.ts';
import { decodeDeltaRequest } from '../../../wire/delta-discovery.ts';
import { rawService } from '../../../wire/services.ts';
import { decodeSotwRequest } from '../../../wire/sotw-discovery.ts';
import type { GrpcService } from '../grpc-service.types.ts';
import { defaultDiscoveryLimits, OpenStreams } from './open-streams.ts';
import { serviceTable } from './service-table.ts';
import { serveCall } from './serve-call.ts';
import type { Call, DiscoveryOptions, Session } from './session.types.ts';
import { StreamStarts } from './stream-starts.ts';

export interface DiscoveryServices {
  readonly services: readonly GrpcService[];
  /** Ends all streams once what is under way has been written, and takes no more. May be called twice. */
  close(): void;
}

/**
 * The discovery services of Envoy's API, aggregated and one by one, in both variants: requests and responses pass as bytes between gRPC and the
 * streams of control/xds.
 */
export function discoveryServices(options: DiscoveryOptions): DiscoveryServices {
  const limits = { ...defaultDiscoveryLimits, ...options.limits };
  const open = new OpenStreams(limits);
  const starts = new StreamStarts(limits.startsPerSecond);
  const session: Session = { ...options, limits, open, starts, isClosed: () => closed };
  let closed = false;

  const services = serviceTable.map(({ service, type, ...methods }): GrpcService => {
    const one = type === undefined ? {} : { type };
    return {
      definition: rawService(service),
      implementation: {
        [methods.sotw]: (call: Call) => {
          serveCall(call, session, one, decodeSotwRequest, (stream) => new XdsStream(sotw, stream));
        },
        [methods.delta]: (call: Call) => {
          serveCall(call, session, one, decodeDeltaRequest, (stream) => new XdsStream(delta, stream));
        },
      },
    };
  });
  return {
    services,
    close: () => {
      closed = true;
      starts.close();
      open.close();
    },
  };
}
