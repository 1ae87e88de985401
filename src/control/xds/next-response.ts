import { isEmpty, noDifference, type Difference } from './difference.ts';
import type { Holding } from './holding.ts';
import { firstMoves, foundations, movesAtOnce, pushOrder, restsOnFoundations, type Moves } from './push-order.ts';
import { noResources, resourcesOf, type Resource, type ResourceMap, type Snapshot } from './snapshot.ts';
import type { Subscription } from './subscription.ts';
import type { TypeUrl } from './type-urls.ts';

/** One type on one stream: what is asked for and what is held. */
export interface TypeState {
  readonly type: TypeUrl;
  readonly subscription: Subscription;
  readonly holding: Holding;
}

/** All that decides what a stream sends next. */
export interface StreamView {
  readonly states: ReadonlyMap<TypeUrl, TypeState>;
  /** The newest snapshot: what the client shall have. */
  readonly target: Snapshot;
  /** The newest snapshot whose clusters and endpoints the client has acknowledged; listeners and routes are answered from it. */
  readonly founded: Snapshot | undefined;
  readonly withheld: ReadonlySet<TypeUrl>;
  /** How many responses of one type may wait for an ACK. */
  readonly unacknowledged: number;
}

export interface NextResponse {
  readonly state: TypeState;
  readonly snapshot: Snapshot;
  readonly difference: Difference;
  /** What the difference was made of, where it is exactly that and no name was answered besides. */
  readonly made?: { readonly to: ResourceMap; readonly moves: Moves };
  /** Whether this is the answer that the wildcard waits for. */
  readonly answersWildcard: boolean;
}

/** The one response that a stream sends now; undefined when there is nothing to say, or an ACK to wait for. */
export function nextResponse(view: StreamView): NextResponse | undefined {
  return answer(view) ?? pushAtOnce(view) ?? pushInOrder(view);
}

/** Whether clusters and endpoints of the target have arrived, so that listeners and routes may follow. */
export function isFounded(view: StreamView): boolean {
  return foundations.every((type) => {
    const state = view.states.get(type);
    return !state || (isAccepted(state) && !answerType(view, state) && isEmpty(missing(view, state, 'changes')));
  });
}

/** Whether the client holds all that it asked for, and has said so. */
export function isSettled(view: StreamView): boolean {
  return [...view.states.values()].every((state) => {
    const { wildcardAsked, asked } = state.subscription;
    return isAccepted(state) && !wildcardAsked && asked.size === 0 && isEmpty(missing(view, state, 'both'));
  });
}

/** The resources of a type that the client shall have in the end. */
export function goal(view: StreamView, type: TypeUrl, snapshot: Snapshot = view.target): ResourceMap {
  return view.withheld.has(type) ? noResources : resourcesOf(snapshot, type);
}

/** New subscriptions are answered whatever else waits: the ACK of a cluster may itself wait for its endpoints, as it does in Envoy. */
function answer(view: StreamView): NextResponse | undefined {
  for (const state of view.states.values()) {
    const response = answerType(view, state);
    if (response) return response;
  }
  return undefined;
}

function answerType(view: StreamView, state: TypeState): NextResponse | undefined {
  const { type, subscription, holding } = state;
  if (holding.unacknowledged >= view.unacknowledged) return undefined;
  const snapshot = restsOnFoundations(type) ? view.founded : view.target;
  if (!snapshot) return undefined;
  const named = subscription.asked.size === 0 ? noDifference : answerNames(view, state, snapshot);
  if (!subscription.wildcardAsked) {
    return isEmpty(named) ? undefined : { state, snapshot, difference: named, answersWildcard: false };
  }
  const to = goal(view, type, snapshot);
  const moves = firstMoves(type);
  const rest = holding.difference(to, moves, subscription);
  if (isEmpty(named)) return { state, snapshot, difference: rest, made: { to, moves }, answersWildcard: true };
  return { state, snapshot, difference: join(named, rest), answersWildcard: true };
}

/**
 * What can be said about the names that are asked for. That one does not exist is said too, or on-demand clients hang; but what the
 * client holds is only taken from it in the order of the push, and what it cannot have yet is kept for later.
 */
function answerNames(view: StreamView, { type, subscription, holding }: TypeState, snapshot: Snapshot): Difference {
  const changed: Resource[] = [];
  const removed: string[] = [];
  for (const name of subscription.asked) {
    const resource = goal(view, type, snapshot).get(name) ?? (view.founded && goal(view, type, view.founded).get(name));
    if (resource) changed.push(resource);
    else if (holding.versionOf(name) === undefined && !goal(view, type).has(name)) removed.push(name);
  }
  return { changed: changed.sort((a, b) => (a.name < b.name ? -1 : 1)), removed: removed.sort() };
}

function pushAtOnce(view: StreamView): NextResponse | undefined {
  for (const state of view.states.values()) {
    const moves = movesAtOnce(state.type);
    if (!moves || state.holding.unacknowledged > 0) continue;
    const response = push(view, state, moves);
    if (response) return response;
  }
  return undefined;
}

/**
 * The first step that has something to send, provided that all before it is acknowledged. A refusal holds the later steps up for as long as
 * the snapshot still has what was refused: they might refer to it.
 */
function pushInOrder(view: StreamView): NextResponse | undefined {
  for (const { type, moves } of pushOrder) {
    const state = view.states.get(type);
    if (!state) continue;
    if (!isAccepted(state)) return undefined;
    const response = push(view, state, moves);
    if (response) return response;
  }
  return undefined;
}

function push(view: StreamView, state: TypeState, moves: Moves): NextResponse | undefined {
  const difference = missing(view, state, moves);
  if (isEmpty(difference)) return undefined;
  return {
    state,
    snapshot: view.target,
    difference,
    made: { to: goal(view, state.type), moves },
    answersWildcard: false,
  };
}

function missing(view: StreamView, { type, subscription, holding }: TypeState, moves: Moves): Difference {
  return holding.difference(goal(view, type), moves, subscription);
}

function isAccepted({ holding }: TypeState): boolean {
  return holding.unacknowledged === 0 && holding.rejected === 0;
}

function join(named: Difference, rest: Difference): Difference {
  const changed = new Map([...rest.changed, ...named.changed].map((resource) => [resource.name, resource]));
  return { changed: [...changed.values()], removed: [...new Set([...rest.removed, ...named.removed])] };
}
