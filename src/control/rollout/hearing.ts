import { addTraffic, lessTraffic, noTraffic } from './health.ts';
import type { CanaryFacts, Traffic } from './rollout.types.ts';
import { readSighting, type Sighting } from './sighting.ts';

/** What all other control planes have seen of the change that is under way. */
export interface Heard {
  readonly canaries: readonly CanaryFacts[];
  readonly reporting: boolean;
  readonly behind: number;
  /** What they have counted since the last time. */
  readonly traffic: Traffic;
  readonly refusals: readonly { readonly node: string; readonly text: string }[];
}

export const nothingHeard: Heard = { canaries: [], reporting: false, behind: 0, traffic: noTraffic, refusals: [] };

/** Takes the notes of the other control planes together. A note that does not change for a while is by one that is gone, and its nodes are elsewhere by now. */
export class Hearing {
  readonly #known = new Map<string, { readonly text: string; readonly since: number; readonly sighting?: Sighting }>();

  /** `now` is in milliseconds of a clock that nobody sets. */
  hear(notes: ReadonlyMap<string, string>, change: string, now: number): Heard {
    const all: Heard[] = [];
    for (const id of [...this.#known.keys()]) if (!notes.has(id)) this.#known.delete(id);
    for (const [id, text] of notes) {
      const before = this.#known.get(id);
      const sighting = readSighting(text);
      const since = before?.text === text ? before.since : now;
      this.#known.set(id, { text, since, ...(sighting && { sighting }) });
      if (sighting?.change !== change || now - since >= silentMs) continue;
      const { canaries, reporting, behind, refusal } = sighting;
      all.push({
        canaries,
        reporting,
        behind,
        // Of one whom nobody heard before, the holder before us may have counted some: these are not counted twice.
        traffic: before === undefined ? noTraffic : lessTraffic(sighting.traffic, countedOf(before.sighting, change)),
        refusals: refusal === null ? [] : [refusal],
      });
    }
    return all.reduce(together, nothingHeard);
  }
}

/** How canary nodes stand to whom they are connected to: to us, or else to another control plane. */
export function withElsewhere(own: readonly CanaryFacts[], { canaries }: Heard): CanaryFacts[] {
  const elsewhere = new Map(canaries.map((one) => [one.id, one]));
  const known = own.map((one) => (one.connected ? one : (elsewhere.get(one.id) ?? one)));
  const ids = new Set(own.map(({ id }) => id));
  return [...known, ...[...elsewhere.values()].filter(({ id }) => !ids.has(id))];
}

function countedOf(before: Sighting | undefined, change: string): Traffic {
  return before?.change === change ? before.traffic : noTraffic;
}

function together(a: Heard, b: Heard): Heard {
  return {
    canaries: [...a.canaries, ...b.canaries],
    reporting: a.reporting || b.reporting,
    behind: a.behind + b.behind,
    traffic: addTraffic(a.traffic, b.traffic),
    refusals: [...a.refusals, ...b.refusals],
  };
}

/** Notes come every second; a shared file system may show them some seconds late. */
const silentMs = 10_000;
