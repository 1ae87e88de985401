import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import { SekishoError } from '../../base/errors.ts';
import { DeltaStream } from '../../control/xds/delta-stream.ts';
import type { XdsObserver } from '../../control/xds/events.types.ts';
import type { Publisher } from '../../control/xds/publisher.ts';
import { secretType, type TypeUrl } from '../../control/xds/type-urls.ts';
import { decodeDeltaRequest, type NodeInfo } from '../../wire/discovery.ts';
import { rawService } from '../../wire/services.ts';
import type { Caller } from './caller.ts';
import { defaultAdsLimits, OpenStreams, type AdsLimits } from './open-streams.ts';
import type { GrpcService } from './server.ts';
import { statusOf } from './status.ts';

type Call = ServerDuplexStream<Buffer, Buffer>;

export interface AdsService extends GrpcService {
  /** Ends all streams once what is under way has been written, and takes no more. May be called twice. */
  close(): void;
}

/** Secrets never go over plain text, not even where it stays on this host. */
const withheldFromLoopback: ReadonlySet<TypeUrl> = new Set([secretType]);

/**
 * envoy.service.discovery.v3.AggregatedDiscoveryService, its delta variant: requests and responses pass as bytes between gRPC and the
 * streams of control/xds. The other variant is not implemented, and gRPC says so by itself.
 */
export function adsService(options: {
  readonly publisher: Publisher;
  readonly identify: (call: Call) => Caller;
  readonly observe: XdsObserver;
  readonly limits?: AdsLimits;
}): AdsService {
  const { publisher, identify, observe, limits = defaultAdsLimits } = options;
  const open = new OpenStreams(limits);
  let closed = false;

  function deltaAggregatedResources(call: Call): void {
    const peer = call.getPeer();
    let node: string | undefined;
    let stream: DeltaStream | undefined;
    const streamOfCall = { finish, refuse };

    try {
      stream = begin();
    } catch (caught) {
      refuse(SekishoError.from(caught));
    }
    call.on('data', (bytes: Buffer) => {
      receive(bytes);
    });
    call.on('drain', () => stream?.drained());
    call.on('end', finish);
    call.on('cancelled', forget);
    call.on('error', forget);
    call.on('close', forget);

    function begin(): DeltaStream {
      if (closed)
        throw new SekishoError('server_unreachable', 'Sekisho is stopping; come back when it has started again.');
      const caller = identify(call);
      open.add(streamOfCall);
      return new DeltaStream({
        publisher,
        peer,
        identity: caller.kind,
        transport: { send: (bytes) => call.write(bytes), refuse },
        admit: (info) => {
          checkName(info);
          checkIdentity(caller, info);
          node = info.id;
          open.addToNode(streamOfCall, info.id);
        },
        withheld: caller.kind === 'loopback' ? withheldFromLoopback : new Set(),
        observe,
      });
    }

    function receive(bytes: Buffer): void {
      if (!stream) return; // What comes after a refusal is read and dropped, so that the status can reach the other end.
      try {
        checkSize(bytes, limits);
        stream.receive(decodeDeltaRequest(bytes));
      } catch (caught) {
        refuse(SekishoError.from(caught));
      }
    }

    function refuse(error: SekishoError): void {
      forget();
      observe({ kind: 'refused', peer, error, ...(node !== undefined && { node }) });
      call.emit('error', statusOfRefusal(error));
    }

    function finish(): void {
      forget();
      call.end();
    }

    function forget(): void {
      stream?.end();
      stream = undefined;
      open.remove(streamOfCall, node);
    }
  }

  return {
    definition: rawService('envoy.service.discovery.v3.AggregatedDiscoveryService'),
    implementation: { DeltaAggregatedResources: deltaAggregatedResources },
    close: () => {
      closed = true;
      open.finishAll();
    },
  };
}

/** As long as the records of a node may say: what is longer is kept nowhere, not even to complain of it. */
const longestName = 255;

function checkName({ id }: NodeInfo): void {
  if (id.length <= longestName) return;
  throw new SekishoError(
    'request_malformed',
    `A node id has ${id.length} characters; at most ${longestName} are read.`,
  );
}

/** A certificate speaks for its own node only; a process of this host may speak for any. */
function checkIdentity(caller: Caller, { id }: NodeInfo): void {
  if (caller.kind === 'loopback' || caller.node === id) return;
  throw new SekishoError(
    'identity_mismatch',
    `The node says that it is "${id}", its certificate says "${caller.node}"; start Envoy with the node id of its certificate.`,
    { facts: { said: id, certificate: caller.node } },
  );
}

function checkSize(bytes: Buffer, { requestBytes }: AdsLimits): void {
  if (bytes.length <= requestBytes) return;
  throw new SekishoError(
    'limit_exceeded',
    `A discovery request has ${bytes.length} bytes; at most ${requestBytes} are read.`,
    {
      facts: { bytes: bytes.length, limit: requestBytes },
    },
  );
}

function statusOfRefusal(error: SekishoError): ReturnType<typeof statusOf> {
  // Envoy comes back by itself after this.
  if (error.code === 'server_unreachable') return { code: status.UNAVAILABLE, details: error.message };
  return statusOf(error);
}
