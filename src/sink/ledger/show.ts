import { rfc3339 } from '../record/rfc3339.ts';
import type { EpochAccount } from './epoch-account.ts';
import type { EpochJson, GapJson, LedgerFinding, LedgerJson } from './ledger.types.ts';
import type { OpenGap } from './open-gap.ts';

/** An Envoy is silent when it missed so many milliseconds: six of its flush intervals. */
const silentMs = 30_000;
/** So long may entries come without counters before that is a finding. */
const uncountedMs = 60_000;
/** A clock may be off by so many milliseconds (PCI DSS 10.6). */
const clockMs = 5_000;

/** The accounts as JSON. `now`: by the sink's steady clock. */
export function ledgerJson(epochs: Iterable<EpochAccount>, now: number): LedgerJson {
  const shown = [...epochs].map((epoch) => epochJson(epoch, now));
  return { healthy: shown.every(({ gaps, findings }) => gaps.length + findings.length === 0), epochs: shown };
}

function epochJson(account: EpochAccount, now: number): EpochJson {
  const logs = [...account.logs.values()];
  return {
    node: account.node,
    epoch: timeOf(account.epoch),
    state: stateOf(account, now),
    counted: timeOf(account.counted),
    logs: logs.map(({ log, handled, stored }) => ({ log, handled: handled ?? null, stored })),
    gaps: [
      ...(account.gap ? [gapJson('', account.gap)] : []),
      ...logs.flatMap(({ log, gap }) => (gap ? [gapJson(log, gap)] : [])),
    ],
    findings: account.ended === undefined ? findings(account, now) : [],
  };
}

function stateOf({ ended, heard, counted, farewell }: EpochAccount, now: number): EpochJson['state'] {
  if (ended !== undefined) return 'ended';
  if (counted === 0) return 'uncounted';
  if (heard !== undefined && now - heard < silentMs) return 'running';
  return farewell ? 'ended' : 'silent';
}

function findings(account: EpochAccount, now: number): LedgerFinding[] {
  const { heard, firstEntry, counted, offset, farewell } = account;
  const found: LedgerFinding[] = [];
  if (counted === 0 && firstEntry !== undefined && now - firstEntry > uncountedMs) {
    const text =
      'it sends records and no counters, so nobody knows what is missing — write its bootstrap anew with sekisho bootstrap, and restart it';
    found.push({ code: 'uncounted', text });
  }
  if (heard !== undefined && now - heard >= silentMs && !farewell) {
    const seconds = Math.round((now - heard) / 1000);
    found.push({
      code: 'silent',
      text: `it has sent no counters for ${seconds} s — is it running, does it reach the sink?`,
    });
  }
  if (heard !== undefined && Math.abs(offset) > clockMs) {
    const text = `its clock is ${(Math.abs(offset) / 1000).toFixed(1)} s ${offset > 0 ? 'ahead of' : 'behind'} that of the sink — check NTP on both`;
    found.push({ code: 'clock', text });
  }
  for (const [prefix, requests] of account.unknown) {
    const text = `its connection manager ${prefix} handled ${requests} requests and has no logger of ours — who configured it?`;
    found.push({ code: 'unrecorded', text });
  }
  return found;
}

function gapJson(log: string, { missing, atLeast, cause, from, to, opened }: OpenGap): GapJson {
  return { log, missing, atLeast, cause, from: timeOf(from), to: timeOf(to), opened: timeOf(opened) ?? '' };
}

function timeOf(milliseconds: number): string | null {
  return (milliseconds > 0 && rfc3339(BigInt(Math.round(milliseconds)) * 1_000_000n)) || null;
}
