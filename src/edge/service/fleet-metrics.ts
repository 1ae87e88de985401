import type { ErrorCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { XdsEvent } from '../../control/xds/events.types.ts';
import { shortType } from '../../control/xds/type-urls.ts';
import { responseTallies } from './response-tallies.ts';

/** Counts what happens on the discovery streams, and logs what a person should know of. */
export function fleetObserver(metrics: Metrics, log: Log): (event: XdsEvent) => void {
  const streams = metrics.gauge({ name: 'sekisho_xds_streams', help: 'Open discovery streams.' });
  const tally = responseTallies(metrics);
  const refused = metrics.counter({
    name: 'sekisho_xds_refused_total',
    help: 'Discovery streams ended for a reason of ours, by error code.',
    labels: ['code'],
  });
  for (const code of identityCodes) refused.add({ code }, 0);
  let open = 0;
  streams.set({}, open);
  return (event) => {
    switch (event.kind) {
      case 'connected':
        streams.set({}, (open += 1));
        log.info('node connected', { node: event.node.id, envoy: event.node.version, peer: event.peer });
        break;
      case 'disconnected':
        streams.set({}, (open -= 1));
        log.info('node disconnected', { node: event.node.id, peer: event.peer });
        break;
      case 'sent':
      case 'acked':
        tally(event);
        break;
      case 'nacked':
        tally(event);
        log.error('a node refused what it was told; it goes on with what it had', {
          node: event.node.id,
          type: shortType(event.type),
          why: event.text,
        });
        break;
      case 'settled':
        log.info('node in step', { node: event.node.id, version: event.version });
        break;
      case 'refused':
        refused.add({ code: event.error.code });
        log.warn('a discovery stream was refused', { node: event.node, peer: event.peer, why: event.error.message });
        break;
      case 'targeted':
      case 'subscribed':
      case 'unknown-type':
      case 'withheld':
        log.debug(event.kind, { node: event.node.id });
        break;
    }
  };
}

/** How a stream ends whose node is not who it says, or nobody of the fleet: there from the start, so that a first one is seen to be one more. */
const identityCodes = ['identity_mismatch', 'node_unknown'] as const satisfies readonly ErrorCode[];
