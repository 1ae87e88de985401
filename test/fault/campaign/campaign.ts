import { setTimeout as wait } from 'node:timers/promises';
import type { House } from '../../support/house.ts';
import type { Fault } from './faults.ts';
import { countsOf, judge, type Evidence, type Level, type Verdict } from './judge.ts';
import { startLoad } from './load.ts';
import { UpstreamTally } from './upstream-tally.ts';

export interface Round {
  readonly fault: Fault;
  readonly level: Level;
  readonly perSecond: number;
  /** The first number of its requests; no two rounds in one house may share any. */
  readonly first: number;
  readonly chance: () => number;
}

/** A record may wait for as long as Envoy's longest back-off, which is 10 s, and then for its turn. */
const patienceMs = 25_000;
/** Where records may be lost there is no telling how many come: so long after the last one, none does. */
const quietMs = 5_000;

/** One fault at a random instant of bounded work, and what is to be said of it when everything has come to rest. */
export async function playRound(house: House, { fault, level, perSecond, first, chance }: Round): Promise<Verdict> {
  const prepared = (await fault.prepare?.(house)) ?? {};
  const tally = new UpstreamTally(house.standIn);
  const from = house.records.length;
  const load = startLoad(house, perSecond, first);
  try {
    await wait(500 + chance() * 1_500);
    const struck = await fault.strike({ house, chance, prepared });
    await wait(500 + chance() * 1_000);
    const sent = await load.stop();
    tally.look();
    const evidence: Evidence = { sent, upstream: tally.numbers, records: [], ...struck };
    await settled(house, level, evidence, from);
    return judge(level, { ...evidence, records: house.records.slice(from) });
  } finally {
    await load.stop();
    tally.close();
  }
}

/** Waits until every request that was handled has its outcome, or until none comes any more. */
async function settled(house: House, level: Level, { sent, upstream }: Evidence, from: number): Promise<void> {
  const wanted = new Set(upstream);
  for (const [number, { fate }] of sent) if (fate.kind === 'answered') wanted.add(number);
  const patience = level === 'stream' ? quietMs : patienceMs;
  let [seen, since] = [-1, performance.now()];
  while (performance.now() - since < patience) {
    const found = countsOf(house.records.slice(from), 'http');
    if ([...wanted].every((number) => found.has(number))) return;
    if (found.size !== seen) [seen, since] = [found.size, performance.now()];
    await wait(200);
  }
}
