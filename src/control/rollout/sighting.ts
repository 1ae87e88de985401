import * as z from 'zod';
import { addTraffic, noTraffic } from './health.ts';
import type { RolloutEvent, RolloutState, Traffic } from './rollout.types.ts';

/** What a control plane that does not decide has seen of a change at the nodes that came to it, for the one that decides. */
export type Sighting = z.infer<typeof schema>;

/** Which change is under way, the same in every process; undefined where none is. */
export function underWay({ wanted, phase }: RolloutState): string | undefined {
  return phase.kind === 'steady' ? undefined : `${wanted} since ${phase.since}, ${phase.kind}`;
}

/** A sighting with one more event in it. It is begun anew with each change. */
export function sighted(before: Sighting | undefined, change: string, event: RolloutEvent): Sighting {
  const seen = before?.change === change ? before : nothingOf(change);
  switch (event.kind) {
    case 'looked': {
      const { canaries, reporting, behind } = event;
      return {
        ...seen,
        looks: seen.looks + 1,
        canaries: canaries.filter(({ connected }) => connected),
        reporting,
        behind,
      };
    }
    case 'traffic':
      return { ...seen, traffic: addTraffic(seen.traffic, event.traffic) };
    case 'nacked':
      return { ...seen, refusal: seen.refusal ?? { node: event.node, text: event.text } };
    case 'wanted':
    case 'pause':
    case 'resume':
    case 'force':
    case 'rollback':
      return seen;
  }
}

/** Undefined for what is not whole, or not what this version writes. */
export function readSighting(text: string): Sighting | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function nothingOf(change: string): Sighting {
  return { change, looks: 0, canaries: [], reporting: false, behind: 0, traffic: noTraffic, refusal: null };
}

const count = z.number().nonnegative();
const counts = z.strictObject({ requests: count, serverErrors: count, denied: count });
const schema = z.strictObject({
  change: z.string(),
  /** Each look adds one, so that a process that lives never says the same twice. */
  looks: count,
  canaries: z.array(
    z.strictObject({ id: z.string(), connected: z.boolean(), lacks: z.string().exactOptional(), lateMs: z.number() }),
  ),
  reporting: z.boolean(),
  behind: count,
  /** Since the change began. */
  traffic: z.strictObject({ canary: counts, rest: counts }) satisfies z.ZodType<Traffic>,
  refusal: z.strictObject({ node: z.string(), text: z.string() }).nullable(),
});
