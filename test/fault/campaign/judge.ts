import type { NamedRecord } from '../../../src/sink/record/name.ts';
import { loadPath, type SentRequest } from './load.ts';

export type Level = 'stream' | 'receipt' | 'gate';

/** What there is to know of one fault once everything has come to rest. */
export interface Evidence {
  readonly sent: ReadonlyMap<number, SentRequest>;
  /** The numbers of the requests that the upstream saw. */
  readonly upstream: ReadonlySet<number>;
  readonly records: readonly NamedRecord[];
  /** Where Envoy died without a farewell: when, milliseconds since 1970. */
  readonly envoyDied?: number;
}

/** How one fault ended, as numbers, and every promise that it broke, as a sentence. */
export interface Verdict {
  readonly sent: number;
  readonly answered: number;
  /** Of those answered: by 5xx. */
  readonly turnedAway: number;
  readonly upstream: number;
  readonly outcomes: number;
  readonly intents: number;
  /** Answered, or seen by the upstream, and without an outcome. */
  readonly missing: number;
  /** Outcomes beyond the first of a request. */
  readonly twice: number;
  /** Seen by the upstream without an intent. */
  readonly unannounced: number;
  readonly broken: readonly string[];
}

/** Envoy's loggers send once a second; so much later what it held has left. */
const flushMs = 2_500;

/** Holds what a level promises against what was found. */
export function judge(level: Level, evidence: Evidence): Verdict {
  const outcomes = countsOf(evidence.records, 'http');
  const intents = countsOf(evidence.records, 'intent');
  const answered = [...evidence.sent].filter(([, { fate }]) => fate.kind === 'answered');
  const handled = new Set([...answered.map(([number]) => number), ...evidence.upstream]);
  const missing = [...handled].filter((number) => !outcomes.has(number));
  const twice = [...outcomes.values()].reduce((sum, count) => sum + count - 1, 0);
  const unannounced = [...evidence.upstream].filter((number) => !intents.has(number));
  const early = missing.filter((number) => !diedWithEnvoy(evidence, number));
  const broken = [
    ...(level !== 'stream' && early.length > 0
      ? [`${early.length} requests have no outcome, such as n=${early[0] ?? ''}`]
      : []),
    ...(twice > 0 ? [`${twice} outcomes are stored twice`] : []),
    ...(level === 'gate' && unannounced.length > 0
      ? [`${unannounced.length} requests were at the upstream without an intent, such as n=${unannounced[0] ?? ''}`]
      : []),
  ];
  return {
    sent: evidence.sent.size,
    answered: answered.length,
    turnedAway: answered.filter(([, { fate }]) => fate.kind === 'answered' && fate.status >= 500).length,
    upstream: evidence.upstream.size,
    outcomes: outcomes.size,
    intents: intents.size,
    missing: missing.length,
    twice,
    unannounced: level === 'gate' ? unannounced.length : 0,
    broken,
  };
}

/** An Envoy that dies takes its last flush interval with it; what it had answered before is on record. */
function diedWithEnvoy({ sent, envoyDied }: Evidence, number: number): boolean {
  const at = sent.get(number)?.at ?? Number.POSITIVE_INFINITY;
  return envoyDied !== undefined && at > envoyDied - flushMs;
}

/** How often each request of the load is on record, by its number. */
export function countsOf(records: readonly NamedRecord[], kind: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const record of records) {
    if (record['sekisho.kind'] !== kind || record['url.path'] !== loadPath) continue;
    const number = numberIn(String(record['url.query']));
    if (number !== undefined) counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return counts;
}

/** The number of a request, in its query. */
export function numberIn(query: string): number | undefined {
  const found = /^n=(\d+)$/.exec(query)?.[1];
  return found === undefined ? undefined : Number(found);
}
