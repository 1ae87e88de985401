import type { Gap } from '../../wire/gap.ts';
import { rfc3339 } from './rfc3339.ts';

/** Names of what a record of the kind `gap` says, and where each comes from; '' and undefined are absent. */
export const gapColumns: readonly (readonly [
  name: string,
  valueOf: (gap: Gap) => string | number | boolean | undefined,
])[] = [
  ['sekisho.gap.state', ({ state }) => state],
  ['sekisho.gap.missing', ({ missing }) => missing],
  ['sekisho.gap.at_least', ({ atLeast }) => atLeast || undefined],
  ['sekisho.gap.cause', ({ cause }) => cause],
  ['sekisho.gap.from', ({ from }) => time(from)],
  ['sekisho.gap.to', ({ to }) => time(to)],
  ['sekisho.gap.handled', ({ handled }) => handled],
  ['sekisho.gap.stored', ({ stored }) => stored],
  ['sekisho.gap.opened', ({ opened }) => time(opened)],
];

function time(milliseconds: number): string | undefined {
  return milliseconds === 0 ? undefined : rfc3339(BigInt(milliseconds) * 1_000_000n);
}
