import type { Metrics } from '../../base/metrics.ts';
import type { LedgerJson } from '../../sink/ledger/ledger.types.ts';

/** The ledger as metrics, for alerts. */
export function ledgerMetrics(metrics: Metrics, read: () => LedgerJson): void {
  metrics.gaugesOf(
    {
      name: 'sekisho_ledger_missing',
      help: 'Outcomes that an Envoy counted and the journal does not hold, by node; of a run that ended without a farewell at least so many.',
      labels: ['node'],
    },
    () =>
      sums(read(), ({ gaps }) => gaps.filter(({ atLeast }) => !atLeast).reduce((sum, { missing }) => sum + missing, 0)),
  );
  metrics.gaugesOf({ name: 'sekisho_ledger_gaps', help: 'Open gaps, by node.', labels: ['node'] }, () =>
    sums(read(), ({ gaps }) => gaps.length),
  );
  metrics.gaugesOf(
    { name: 'sekisho_ledger_findings', help: 'Findings of the ledger, by node.', labels: ['node'] },
    () => sums(read(), ({ findings }) => findings.length),
  );
}

function sums(
  { epochs }: LedgerJson,
  of: (epoch: LedgerJson['epochs'][number]) => number,
): [labels: { node: string }, value: number][] {
  const nodes = new Map<string, number>();
  for (const epoch of epochs) nodes.set(epoch.node, (nodes.get(epoch.node) ?? 0) + of(epoch));
  return [...nodes].map(([node, value]) => [{ node }, value]);
}
