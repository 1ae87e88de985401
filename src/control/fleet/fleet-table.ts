import { printable } from '../printable.ts';
import { rolloutLines } from '../rollout/rollout-lines.ts';
import type { RolloutJson } from '../rollout/rollout.types.ts';
import type { FleetJson, NodeJson } from './fleet.types.ts';

const columns = ['NODE', 'ENVOY', 'STATE', 'SINCE', 'WANTED', 'RUNNING', 'RUNNING SINCE', 'IDENTITY'] as const;

/** The fleet as lines of at most `width` characters: a row for each node, its findings below it. */
export function renderFleetTable(fleet: FleetJson & { readonly rollout?: RolloutJson | null }, width: number): string {
  const rollout = fleet.rollout == null ? [] : ['', ...rolloutLines(fleet.rollout)];
  return [...nodeLines(fleet), ...rollout].map((text) => `${fit(printable(text).trimEnd(), width)}\n`).join('');
}

function nodeLines(fleet: FleetJson): string[] {
  if (fleet.nodes.length === 0) return ['No node has come yet, and the policy names none.'];
  const rows = fleet.nodes.map(row);
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((cells) => (cells[index] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ');
  return [line(columns), ...fleet.nodes.flatMap((node, index) => [line(rows[index] ?? []), ...findings(node)])];
}

function row(node: NodeJson): string[] {
  const { id, envoy, connectedSince, lastSeen, target, running, runningSince, identity } = node;
  const since = connectedSince ?? lastSeen;
  return [
    id,
    envoy ?? '-',
    state(node),
    seconds(since),
    short(target),
    short(running),
    seconds(runningSince),
    identity ?? '-',
  ];
}

function state({ connected, inStep, lastSeen, types }: NodeJson): string {
  if (lastSeen === null) return 'never seen';
  if (!connected) return 'left';
  if (types.some(({ nack }) => nack !== null)) return 'refused';
  return inStep ? 'in step' : 'behind';
}

function findings(node: NodeJson): string[] {
  return node.findings.map(({ code, text }) => `  ${code}: ${text}`);
}

function seconds(time: string | null): string {
  return time?.replace(/\.\d+Z$/, 'Z') ?? '-';
}

/** As much of a version as tells two apart. */
function short(version: string | null): string {
  return version?.slice(0, 8) ?? '-';
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
