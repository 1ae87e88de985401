import type { Disk } from '../../base/disk.types.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { keep, readAgain } from './kept-policy.ts';
import { stateInvalid, type KeptRollout } from './kept-rollout.ts';
import { firstState } from './machine.ts';
import type { Revision } from './reach.ts';
import type { Rollout } from './rollout.ts';
import type { RolloutState } from './rollout.types.ts';

/**
 * The state to go on from by what was kept, and the revisions that it names; `wanted` is the policy of the file. Where nothing was kept, all nodes have that. Throws
 * `state_invalid` where it does not tell what the fleet runs.
 */
export async function standingBy(
  kept: KeptRollout | undefined,
  wanted: Revision,
  build: (policy: Policy) => Promise<Revision>,
  disk: Pick<Disk, 'readFile'>,
): Promise<{ state: RolloutState; revisions: Revision[] }> {
  if (kept === undefined || wanted.policy.rollout === undefined) {
    return { state: firstState(wanted.id), revisions: [wanted] };
  }
  const again = async (id: string): Promise<Revision> => {
    if (id === wanted.id) return wanted;
    const policy = kept.policies[id];
    if (policy === undefined) throw stateInvalid('the policy is missing', undefined);
    try {
      return { ...(await build(await readAgain(policy, wanted.policy.file, disk))), id };
    } catch (caught) {
      throw stateInvalid(SekishoError.from(caught).message, caught);
    }
  };
  const { stable: stableId, previous } = kept.state;
  const stable = await again(stableId);
  // Without what was before, there is only no way back to it.
  const before = previous === null ? undefined : await again(previous).catch(() => undefined);
  const state: RolloutState = { ...kept.state, previous: before?.id ?? null };
  // Of a policy that was on trial nothing is kept but its name: the file holds it, or it is over.
  const isFiles = state.wanted === wanted.id;
  return {
    state: isFiles ? state : { ...state, wanted: stable.id, phase: { kind: 'steady' } },
    revisions: [...(before ? [before] : []), stable, ...(isFiles ? [wanted] : [])],
  };
}

/** What a restart has to know. */
export function toKeep({ state, revisions }: Pick<Rollout, 'state' | 'revisions'>): KeptRollout {
  const { phase } = state;
  // The soak goes on with the next look at the nodes.
  const still = phase.kind === 'trial' ? { ...phase, soakingAt: null } : phase;
  const ids = [state.stable, state.previous];
  const named = revisions.filter(({ id }) => ids.includes(id));
  return {
    state: { ...state, phase: still },
    policies: Object.fromEntries(named.map(({ id, policy }) => [id, keep(policy)])),
  };
}
