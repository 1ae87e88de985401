import { SekishoError } from '../../base/errors.ts';
import { readCounters, type Counters } from '../../sink/ledger/counters.ts';
import { rawService } from '../../wire/services.ts';
import type { Answer, ReadableCall } from './call.types.ts';
import type { Caller } from './caller.ts';
import type { GrpcService } from './grpc-service.types.ts';
import { statusOf } from './status.ts';

/** Envoy reads nothing from the answer. */
const emptyResponse = Buffer.alloc(0);

/** envoy.service.metrics.v3.MetricsService: what Envoys count, for the ledger. A message is read and let go before the next one. */
export function metricsService(options: {
  readonly identify: (call: ReadableCall) => Caller;
  readonly admits: (node: string) => boolean;
  readonly take: (node: string, epoch: number, counters: Counters) => void;
  readonly failed: (caught: unknown, peer: string) => void;
}): GrpcService {
  function streamMetrics(call: ReadableCall, answer: Answer): void {
    let answered = false;
    let envoy: Counters['envoy'];
    const fail = (caught: unknown): void => {
      if (answered) return;
      answered = true;
      options.failed(caught, call.getPeer());
      answer(statusOf(caught));
      call.resume();
    };
    let caller: Caller;
    try {
      caller = options.identify(call);
    } catch (caught) {
      fail(caught);
      return;
    }
    call.on('data', (message: Buffer) => {
      if (answered) return;
      try {
        const counters = readCounters(message);
        envoy = known(envoy, counters.envoy, caller);
        if (!options.admits(envoy.node)) throw unknown(envoy.node);
        options.take(envoy.node, envoy.epoch, counters);
      } catch (caught) {
        fail(caught);
      }
    });
    call.on('end', () => {
      if (answered) return;
      answered = true;
      answer(null, emptyResponse);
    });
    call.on('error', fail);
  }

  return {
    definition: rawService('envoy.service.metrics.v3.MetricsService'),
    implementation: { StreamMetrics: streamMetrics },
  };
}

type Envoy = NonNullable<Counters['envoy']>;

/** As for access logs: the first message says who it is, the certificate proves it, and that never changes. */
function known(before: Envoy | undefined, said: Envoy | undefined, caller: Caller): Envoy {
  const envoy = said ?? before;
  if (envoy === undefined || envoy.node === '') {
    throw new SekishoError(
      'record_malformed',
      'The first message of a metrics stream does not name its node: start Envoy with a node id.',
    );
  }
  const proven = caller.kind === 'certificate' ? caller.node : (before?.node ?? envoy.node);
  if (envoy.node === proven) return envoy;
  throw new SekishoError(
    'identity_mismatch',
    `A metrics stream says that it comes from node ${JSON.stringify(envoy.node)}, but it belongs to ${proven}. Start Envoy with the node id that its certificate names.`,
    { facts: { claimed: envoy.node, proven } },
  );
}

function unknown(node: string): SekishoError {
  return new SekishoError(
    'node_unknown',
    `Node ${JSON.stringify(node)} sends metrics, but the policy has no such node. Add it under fleet.nodes, or stop that Envoy.`,
    { facts: { node } },
  );
}
