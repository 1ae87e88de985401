import * as z from 'zod';
import { SekishoError } from '../../base/errors.ts';
import type { SharedState } from '../state/shared-state.types.ts';
import type { KeptPolicy } from './kept-policy.ts';
import type { PolicyId, RolloutState } from './rollout.types.ts';

/** What a restart has to know, and another control plane: how the rollout stands, and the policies that the fleet runs, tries, or would go back to. */
export interface KeptRollout {
  readonly state: RolloutState;
  readonly policies: Readonly<Record<PolicyId, KeptPolicy>>;
}

/** What the state folder has of it, under this name. */
const entry = 'rollout.json';

/** Undefined where there is none. Throws `state_invalid` where it cannot be understood, `file_unreadable` where it cannot be read. */
export async function readKept(state: Pick<SharedState, 'read'>): Promise<KeptRollout | undefined> {
  const bytes = await state.read(entry);
  if (bytes === undefined) return undefined;
  try {
    const { state: found, policies } = schema.parse(JSON.parse(bytes.toString('utf8')));
    return { state: found, policies };
  } catch (caught) {
    throw stateInvalid('it is not what this version writes', caught);
  }
}

/** On disk when it resolves. Without a rollout nothing is kept. Throws as `SharedState.write`. */
export function writeKept(state: Pick<SharedState, 'write' | 'remove'>, kept: KeptRollout | undefined): Promise<void> {
  return kept === undefined
    ? state.remove(entry)
    : state.write(entry, `${JSON.stringify({ format, ...kept }, null, 2)}\n`);
}

/** What an operator is told: to go on without it is to give the policy of the file to all nodes, and that is not ours to decide. */
export function stateInvalid(why: string, cause: unknown): SekishoError {
  return new SekishoError(
    'state_invalid',
    `${entry} of the state folder does not tell what the fleet runs: ${why} — restore it, or remove the files ${entry}.*, and all nodes get the policy of the file at once`,
    { cause },
  );
}

const format = 1;

const id = z.string().min(1);
const count = z.number().nonnegative();
const counts = z.strictObject({ requests: count, serverErrors: count, denied: count });
const phase = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('steady') }),
  z.strictObject({
    kind: z.literal('trial'),
    since: count,
    paused: z.boolean(),
    soakedMs: count,
    soakingAt: z.null(),
    traffic: z.strictObject({ canary: counts, rest: counts }),
  }),
  z.strictObject({ kind: z.literal('spreading'), since: count }),
]);
const refusal = z.strictObject({
  id,
  time: count,
  cause: z.enum(['nack', 'warming', 'server-errors', 'denied', 'operator']),
  text: z.string(),
});
const policy = z.strictObject({
  text: z.string(),
  files: z.record(z.string(), z.string()),
  folders: z.record(z.string(), z.array(z.string())),
});
const schema = z.strictObject({
  format: z.literal(format),
  state: z.strictObject({
    wanted: id,
    stable: id,
    previous: id.nullable(),
    phase,
    refused: z.array(refusal),
  }),
  policies: z.record(id, policy),
});
