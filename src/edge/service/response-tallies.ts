import type { Metrics } from '../../base/metrics.ts';
import type { XdsEvent } from '../../control/xds/events.types.ts';
import { isFamiliar, shortType, type TypeUrl } from '../../control/xds/type-urls.ts';

const results = ['sent', 'acked', 'nacked'] as const;

type Response = Extract<XdsEvent, { readonly kind: (typeof results)[number] }>;
type Tally = Record<(typeof results)[number] | 'bytes', number>;

/**
 * Counts discovery responses, their bytes and their answers by type. There is one for each stream whenever something changes: then it is an addition, and
 * the labels are put to it when the metrics are read.
 */
export function responseTallies(metrics: Metrics): (event: Response) => void {
  const tallies = new Map<TypeUrl, Tally>();
  metrics.countersOf(
    {
      name: 'sekisho_xds_responses_total',
      help: 'Discovery responses, by type and what became of them.',
      labels: ['type', 'result'],
    },
    () =>
      [...tallies].flatMap(([type, tally]) =>
        results.map((result) => [{ type: shortType(type), result }, tally[result]] as const),
      ),
  );
  metrics.countersOf(
    {
      name: 'sekisho_xds_response_bytes_total',
      help: 'Bytes of the discovery responses that were sent, by type.',
      labels: ['type'],
    },
    () => [...tallies].map(([type, { bytes }]) => [{ type: shortType(type) }, bytes] as const),
  );
  return (event) => {
    const type = isFamiliar(event.type) ? event.type : others;
    let tally = tallies.get(type);
    if (!tally) tallies.set(type, (tally = { sent: 0, acked: 0, nacked: 0, bytes: 0 }));
    tally[event.kind] += 1;
    if (event.kind === 'sent') tally.bytes += event.bytes;
  };
}

/** A client may ask for any type; each label would be kept for ever. */
const others: TypeUrl = 'other';
