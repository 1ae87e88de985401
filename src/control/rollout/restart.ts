import type { Disk } from '../../base/disk.types.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { keep, readAgain } from './kept-policy.ts';
import { stateInvalid, type KeptRollout } from './kept-rollout.ts';
import type { Revision } from './reach.ts';
import type { Rollout } from './rollout.ts';
import type { RolloutState } from './rollout.types.ts';

/** How a rollout stands, and the revisions that this names. */
export interface Standing {
  readonly state: RolloutState;
  readonly revisions: readonly Revision[];
}

/**
 * What to go on from by what was kept. Policies are built as if they stood in the file of `own`, and where this process listens is for that one to say; those that
 * are `known` already are taken as they are. Throws `state_invalid` where it does not tell what the fleet runs.
 */
export async function standingBy(
  kept: KeptRollout,
  own: Policy,
  known: readonly Revision[],
  build: (policy: Policy) => Promise<Revision>,
  disk: Pick<Disk, 'readFile'>,
): Promise<Standing> {
  const again = async (id: string): Promise<Revision> => {
    const one = known.find((revision) => revision.id === id);
    if (one !== undefined) return one;
    const policy = kept.policies[id];
    if (policy === undefined) throw stateInvalid('the policy is missing', undefined);
    try {
      const { server } = own;
      return { ...(await build({ ...(await readAgain(policy, own.file, disk)), server })), id };
    } catch (caught) {
      throw stateInvalid(SekishoError.from(caught).message, caught);
    }
  };
  const { state } = kept;
  const stable = await again(state.stable);
  // Without what was before, there is only no way back to it; without what was on trial, it is over.
  const previous = state.previous === null ? undefined : await again(state.previous).catch(() => undefined);
  const wanted = await again(state.wanted).catch(() => undefined);
  const over = wanted === undefined && ({ wanted: stable.id, phase: { kind: 'steady' } } as const);
  return {
    state: { ...state, previous: previous?.id ?? null, ...over },
    revisions: [previous ?? [], stable, wanted ?? []].flat(),
  };
}

/** What a restart has to know, and another control plane. */
export function toKeep({ state, revisions }: Pick<Rollout, 'state' | 'revisions'>): KeptRollout {
  const { phase } = state;
  // The soak goes on with the next look at the nodes.
  const still = phase.kind === 'trial' ? { ...phase, soakingAt: null } : phase;
  const ids = [state.wanted, state.stable, state.previous];
  const named = revisions.filter(({ id }) => ids.includes(id));
  return {
    state: { ...state, phase: still },
    policies: Object.fromEntries(named.map(({ id, policy }) => [id, keep(policy)])),
  };
}
