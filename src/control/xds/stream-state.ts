import type { NodeInfo } from '../../wire/node-info.ts';
import type { Refused } from './answers.ts';
import type { Entry } from './difference.ts';
import type { Holding } from './holding.ts';
import type { Resource, ResourceMap } from './snapshot.ts';
import type { TypeState } from './type-state.types.ts';
import { isRootType, type TypeUrl } from './type-urls.ts';
import type { Variant } from './variant.types.ts';

/** envoy.admin.v3.ClientResourceStatus: how the client stands, as far as it has said. */
export type ClientStatus = 'REQUESTED' | 'DOES_NOT_EXIST' | 'ACKED' | 'NACKED';

/** envoy.service.status.v3.ConfigStatus: what became of the newest that the client shall have. */
export type ConfigStatus = 'SYNCED' | 'NOT_SENT' | 'STALE' | 'ERROR';

/** One resource of one client. But for `refusal` it tells what the client runs, not what it was sent since or refused. */
export interface ResourceState {
  readonly type: TypeUrl;
  readonly name: string;
  readonly client: ClientStatus;
  readonly config: ConfigStatus;
  /** As the client was shown it: of the resource in the delta variant, of the last response that it took in, in the other; empty where it runs nothing or that is not known. */
  readonly version: string;
  /** When the client last acknowledged a response of the type on this stream, in milliseconds since 1970. */
  readonly updated: number | undefined;
  readonly resource: Resource | undefined;
  /** Set while it goes on without something that it refused. */
  readonly refusal: Refused | undefined;
}

/** One stream of one client. */
export interface StreamState {
  /** Grows from stream to stream. */
  readonly stream: number;
  readonly node: NodeInfo;
  resources(): Iterable<ResourceState>;
}

/** How a client stands with each resource of a type, by name. `goal` is what it shall have; undefined before there is a snapshot. */
export function resourceStates(state: TypeState, goal: ResourceMap | undefined, variant: Variant): ResourceState[] {
  const unsettled = unsettledOf(state.holding);
  const names = new Set([
    ...(goal?.keys() ?? []),
    ...state.holding.held.keys(),
    ...unsettled.keys(),
    ...state.subscription.names,
  ]);
  return [...names].sort().map((name) => stateOf(name, { state, goal, variant, unsettled }));
}

interface View {
  readonly state: TypeState;
  readonly goal: ResourceMap | undefined;
  readonly variant: Variant;
  readonly unsettled: ReadonlyMap<string, Unsettled>;
}

/** Something that was sent and not taken in. */
interface Unsettled {
  isUnderWay: boolean;
  /** What the client has of it instead; undefined for nothing. */
  readonly before: Entry | undefined;
}

/** What was refused comes first: if it was sent again since, then with itself in its place. Of what was sent twice the first one knows what was there before. */
function unsettledOf(holding: Holding): Map<string, Unsettled> {
  const unsettled = new Map<string, Unsettled>();
  const refusedBefore = byName(holding.goesOnWith);
  for (const name of holding.rejected.keys()) {
    unsettled.set(name, { isUnderWay: false, before: refusedBefore.get(name) });
  }
  for (const { difference, replaced } of holding.underWay) {
    const before = byName(replaced);
    for (const name of [...difference.changed.map((resource) => resource.name), ...difference.removed]) {
      const known = unsettled.get(name);
      if (known) known.isUnderWay = true;
      else unsettled.set(name, { isUnderWay: true, before: before.get(name) });
    }
  }
  return unsettled;
}

function byName(entries: readonly Entry[]): Map<string, Entry> {
  const found = new Map<string, Entry>();
  for (const entry of entries) if (!found.has(entry.name)) found.set(entry.name, entry);
  return found;
}

function stateOf(name: string, view: View): ResourceState {
  const { state, goal, variant, unsettled } = view;
  const { type, holding, answers } = state;
  const open = unsettled.get(name);
  const runs = open ? open.before : holding.held.get(name);
  // What was refused and has been changed since is not refused any more, but not taken in either.
  const isDoubtful = runs !== undefined && 'good' in runs;
  const refusal = holding.rejected.has(name) || isDoubtful ? answers.refusalOf(name) : undefined;
  // Without a refusal on this stream the doubt is about what an earlier one left behind: the client has not said what became of it.
  const known = isDoubtful ? refusal && runs.good : runs;
  const version = known === undefined ? '' : variant.name === 'delta' ? known.version : answers.version;
  return {
    type,
    name,
    client: clientStatus(name, view, known, refusal),
    config: configStatus(name, view),
    version,
    updated: known && answers.at,
    // What has no version the client only may have, from an earlier stream.
    resource: known && version !== '' ? contentOf(known, goal?.get(name)) : undefined,
    refusal,
  };
}

function clientStatus(
  name: string,
  { state, goal, unsettled }: View,
  known: Entry | undefined,
  refusal: Refused | undefined,
): ClientStatus {
  if (refusal) return 'NACKED';
  if (known) return 'ACKED';
  const isAbsent = goal !== undefined && !goal.has(name) && !state.subscription.asked.has(name);
  return isAbsent && !unsettled.has(name) ? 'DOES_NOT_EXIST' : 'REQUESTED';
}

function configStatus(name: string, { state, goal, variant, unsettled }: View): ConfigStatus {
  const open = unsettled.get(name);
  if (open) return open.isUnderWay ? 'STALE' : 'ERROR';
  const wanted = goal?.get(name);
  const held = state.holding.held.get(name);
  if (wanted || held || !goal) return wanted && held?.version === wanted.version ? 'SYNCED' : 'NOT_SENT';
  // That there is no such resource can be said in the delta variant, and by what is missing among all listeners or clusters.
  const isTold = variant.namesAbsent || isRootType(state.type);
  return isTold && !state.subscription.asked.has(name) ? 'SYNCED' : 'NOT_SENT';
}

/** Of what an earlier process gave only the version is known, and so its content where that is what there is now. */
function contentOf(entry: Entry, wanted: Resource | undefined): Resource | undefined {
  if ('bytes' in entry) return entry;
  return entry.version === wanted?.version ? wanted : undefined;
}
