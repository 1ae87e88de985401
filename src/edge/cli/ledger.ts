import type { LedgerJson } from '../../sink/ledger/ledger.types.ts';
import { renderLedger } from '../../sink/ledger/ledger-table.ts';
import { askService } from './ask-service.ts';
import { answer, exitCodes } from './print.ts';

/** `sekisho ledger`: asks the running service. Exit 1 while a gap is open, or something keeps the ledger from saying that none is. */
export async function ledger(options: {
  readonly admin: string;
  readonly node?: string;
  readonly output: string;
}): Promise<number> {
  const all = await askService<LedgerJson>(options.admin, '/ledger');
  const epochs = all.epochs.filter(({ node }) => options.node === undefined || node === options.node);
  const healthy = epochs.every(({ gaps, findings }) => gaps.length + findings.length === 0);
  const found: LedgerJson = { healthy, epochs };
  answer(options.output === 'json' ? JSON.stringify(found, null, 2) : renderLedger(found));
  return healthy ? exitCodes.good : exitCodes.badNews;
}
