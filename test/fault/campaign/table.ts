import type { Verdict } from './judge.ts';

/** What is known of one fault over all its rounds. */
export interface Row {
  readonly fault: string;
  readonly rounds: number;
  readonly sums: Omit<Verdict, 'broken'>;
  readonly broken: readonly string[];
}

const columns = {
  sent: 'sent',
  answered: 'answered',
  turnedAway: 'of these 5xx',
  upstream: 'at the upstream',
  outcomes: 'outcomes',
  intents: 'intents',
  missing: 'no outcome',
  twice: 'twice',
  unannounced: 'no intent',
} as const satisfies Readonly<Record<keyof Omit<Verdict, 'broken'>, string>>;

const keys = Object.keys(columns) as (keyof typeof columns)[];

/** Adds one more round to what is known of its fault. */
export function added(row: Row | undefined, fault: string, { broken, ...verdict }: Verdict): Row {
  const sums = { ...verdict };
  for (const key of keys) sums[key] += row?.sums[key] ?? 0;
  return { fault, rounds: (row?.rounds ?? 0) + 1, sums, broken: [...(row?.broken ?? []), ...broken] };
}

/** All rows as a Markdown table, ready for docs/faults.md. */
export function markdown(rows: readonly Row[]): string {
  const head = ['fault', 'rounds', ...keys.map((key) => columns[key]), 'promise'];
  const lines = rows.map(({ fault, rounds, sums, broken }) => [
    fault,
    String(rounds),
    ...keys.map((key) => String(sums[key])),
    broken.length === 0 ? 'kept' : 'broken',
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
