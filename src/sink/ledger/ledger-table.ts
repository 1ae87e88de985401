import { printable } from '../query/printable.ts';
import type { EpochJson, GapJson, LedgerJson } from './ledger.types.ts';

const columns = ['NODE', 'SINCE', 'STATE', 'LOG', 'HANDLED', 'STORED', 'MISSING'] as const;

/** The ledger as lines: a row for each log of each run of a node; below them what is wrong. */
export function renderLedger({ epochs }: LedgerJson): string {
  if (epochs.length === 0) return 'No Envoy has counted anything yet.\n';
  const rows = epochs.flatMap(rowsOf);
  const widths = columns.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  const wrong = epochs.flatMap((epoch) => [
    ...epoch.gaps.map((gap) => `! ${epoch.node} ${gapLine(gap)}`),
    ...epoch.findings.map(({ code, text }) => `! ${epoch.node} ${code}: ${text}`),
  ]);
  return [line(columns), ...rows.map(line), ...wrong].map((text) => `${printable(text).trimEnd()}\n`).join('');
}

function rowsOf({ node, epoch, state, logs, gaps }: EpochJson): string[][] {
  const missing = (log: string): string => {
    const gap = gaps.find((one) => one.log === log);
    if (gap) return String(gap.missing);
    // Nobody knows what a process did that ended without a word.
    return gaps.some((one) => one.log === '') ? '≥ 0' : '0';
  };
  const start = [node, seconds(epoch), state];
  if (logs.length === 0) return [[...start, '-', '-', '-', '-']];
  return logs.map(({ log, handled, stored }) => [
    ...[...start, log, handled === null ? '-' : String(handled), String(stored)],
    handled === null ? '-' : missing(log),
  ]);
}

function gapLine({ log, missing, atLeast, cause, from, opened }: GapJson): string {
  const what = `${atLeast ? 'at least ' : ''}${missing} missing`;
  const since = from === null ? 'since it began' : `since ${seconds(from)}`;
  return `${log === '' ? '(all logs)' : log}: ${what} ${since}, noticed ${seconds(opened)}: ${causes[cause]}`;
}

const causes: Readonly<Record<GapJson['cause'], string>> = {
  sink_restarted: 'the sink was restarted',
  envoy_ended: 'the Envoy ended without a farewell, and what it did last nobody counted',
  unknown: 'cause unknown',
};

function seconds(time: string | null): string {
  return time?.replace(/\.\d+Z$/, 'Z') ?? '-';
}
