import { isEmpty, orNone, sharedAnswer, transition, type Difference } from './difference.ts';
import type { Holding } from './holding.ts';
import {
  firstMoves,
  foundations,
  movesAtOnce,
  pushOrder,
  referring,
  restsOnFoundations,
  type Step,
} from './push-order.ts';
import { referencesOf, referencesOfAll, refersTo } from './references.ts';
import {
  explicitVersion,
  noResources,
  resourcesOf,
  type Resource,
  type ResourceMap,
  type Snapshot,
} from './snapshot.ts';
import type { NextResponse, TypeState } from './type-state.types.ts';
import { clusterType, listenerType, routeType, type TypeUrl } from './type-urls.ts';
import type { Variant } from './variant.types.ts';

/** All that decides what a stream sends next. */
export interface StreamView {
  readonly variant: Variant;
  readonly states: ReadonlyMap<TypeUrl, TypeState>;
  /** The newest snapshot: what the client shall have. */
  readonly target: Snapshot;
  /** The newest snapshot whose clusters and endpoints the client has acknowledged; what refers to them is answered from it. */
  readonly founded: Snapshot | undefined;
  readonly withheld: ReadonlySet<TypeUrl>;
  /** Whether the stream carries all types of its node. */
  readonly isAggregated: boolean;
  /** How many responses of one type may wait for an ACK. */
  readonly unacknowledged: number;
}

/** The one response that a stream sends now; undefined when there is nothing to say, or an ACK to wait for. */
export function nextResponse(view: StreamView): NextResponse | undefined {
  return answer(view) ?? pushAtOnce(view) ?? pushInOrder(view);
}

/** Whether clusters and endpoints of the target have arrived, so that what refers to them may follow. */
export function isFounded(view: StreamView): boolean {
  return foundations.every((type) => {
    const state = view.states.get(type);
    return (
      !state ||
      (isPassed(view, state) && !answerType(view, state) && isEmpty(missing(view, state, 'arrivals').difference))
    );
  });
}

/**
 * How a stream stands, as far as that shows without working anything out. It does most of the time, and of thousands of streams each is looked at
 * several times for one push. `settled`: the client holds all that it asked for, and has said so. `unanswered`: it was sent all, and has not said so yet.
 */
export function standing(view: StreamView): 'settled' | 'unanswered' | 'open' {
  let stands: 'settled' | 'unanswered' = 'settled';
  for (const state of view.states.values()) {
    if (!isQuiet(view, state)) return 'open';
    if (state.holding.unacknowledged > 0) stands = 'unanswered';
  }
  return stands;
}

function isQuiet(view: StreamView, state: TypeState): boolean {
  const { subscription, holding, claimed } = state;
  if (subscription.asked.size > 0 || subscription.wildcardAsked || claimed !== undefined || holding.hasRejected)
    return false;
  const to = goal(view, state);
  return holding.isAt(to) && !isOnlyRenamed(view, state, to);
}

/** The resources of a type that the client shall have in the end. */
export function goal(
  view: StreamView,
  { type, subscription }: TypeState,
  snapshot: Snapshot = view.target,
): ResourceMap {
  return view.withheld.has(type) ? noResources : subscription.view(resourcesOf(snapshot, type));
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
  const { asked, wildcardAsked } = subscription;
  if (asked.size === 0 && !wildcardAsked) return undefined;
  if (holding.unacknowledged >= view.unacknowledged) return undefined;
  const snapshot = restsOnFoundations(type) ? view.founded : view.target;
  if (!snapshot) return undefined;
  const to = goal(view, state, snapshot);
  const { difference: rest, kept } = missing(view, state, firstMoves(type), to);
  const { difference, left } = answerNames(view, state, to, wildcardAsked ? rest : askedOf(rest, asked));
  if (left === asked && !wildcardAsked) return undefined;
  return { state, snapshot, difference, to, kept, isExact: difference === rest, isAwaited: wildcardAsked, left };
}

/** Names are answered out of turn, other changes are not. Where those names are all that is missing it is the shared difference itself. */
function askedOf(rest: Difference, asked: ReadonlySet<string>): Difference {
  if (rest.removed.length === 0 && rest.changed.every(({ name }) => asked.has(name))) return rest;
  return orNone({ changed: rest.changed.filter(({ name }) => asked.has(name)), removed: [] });
}

/**
 * What can be said about the names that are asked for, besides `difference`. That one does not exist is said too where that is possible, or
 * on-demand clients hang; but what the client holds is only taken from it in the order of the push, and what it cannot have yet is left for later.
 */
function answerNames(
  view: StreamView,
  state: TypeState,
  to: ResourceMap,
  difference: Difference,
): { difference: Difference; left: ReadonlySet<string> } {
  const { subscription, holding } = state;
  const { asked, wildcardAsked } = subscription;
  if (asked.size === 0 || (!wildcardAsked && difference.changed.length === asked.size))
    return { difference, left: nothing };
  const said = new Set(difference.changed.map(({ name }) => name));
  const again: Resource[] = [];
  const absent: string[] = [];
  const left: string[] = [];
  for (const name of asked) {
    if (said.has(name)) continue;
    const held = holding.held.get(name);
    if (subscription.isBrought(name) && held?.version === to.get(name)?.version) continue;
    const resource = to.get(name) ?? (held && 'bytes' in held ? held : undefined);
    if (resource) again.push(resource);
    else if (goal(view, state).has(name)) left.push(name);
    else if (view.variant.namesAbsent && held === undefined) absent.push(name);
  }
  const waiting = left.length === asked.size ? asked : new Set(left);
  if (again.length + absent.length === 0) return { difference, left: waiting };
  const changed = [...difference.changed, ...again].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    difference: sharedAnswer(to, { changed, removed: [...difference.removed, ...absent].sort() }),
    left: waiting,
  };
}

const nothing: ReadonlySet<string> = new Set();

function pushAtOnce(view: StreamView): NextResponse | undefined {
  for (const state of view.states.values()) {
    const moves = movesAtOnce(state.type);
    if (!moves || state.holding.unacknowledged > 0) continue;
    const response = push(view, state, moves);
    if (response) return response;
  }
  return undefined;
}

/** The first step that has something to send, provided that all before it is acknowledged. */
function pushInOrder(view: StreamView): NextResponse | undefined {
  for (const { type, moves } of pushOrder) {
    const state = view.states.get(type);
    if (!state) continue;
    if (state.holding.unacknowledged > 0) return undefined;
    const response = push(view, state, moves);
    if (response) return response;
    if (!isPassed(view, state)) return undefined;
  }
  return undefined;
}

function push(view: StreamView, state: TypeState, moves: Step['moves']): NextResponse | undefined {
  const to = goal(view, state);
  const { difference, kept } = missing(view, state, moves, to);
  const isAwaited = isEmpty(difference) && kept.length > 0 && isTooEarlyToTell(view, state);
  if (!isEmpty(difference) || isAwaited)
    return { state, snapshot: view.target, difference, to, kept, isExact: true, isAwaited, left: undefined };
  if (!isOnlyRenamed(view, state, to)) return undefined;
  const all = transition(noResources, to).difference;
  return { state, snapshot: view.target, difference: all, to, kept, isExact: false, isAwaited, left: undefined };
}

/** A version that its owner changed is shown even where the content is the same; the delta variant has versions of its own for that. */
function isOnlyRenamed(
  { variant, target }: StreamView,
  { type, shown, label, subscription }: TypeState,
  to: ResourceMap,
): boolean {
  if (variant.name === 'delta' || (to.size === 0 && !subscription.wildcard)) return false;
  const explicit = explicitVersion(target, type);
  return explicit !== undefined && label !== '' && explicit !== shown;
}

function missing(
  view: StreamView,
  state: TypeState,
  moves: Step['moves'],
  to = goal(view, state),
): ReturnType<Holding['difference']> {
  const { type, holding } = state;
  // Most are; what keeps names is not made for them.
  if (holding.isAt(to)) return holding.difference(to);
  return holding.difference(to, (name) =>
    moves === 'all' ? isHeldUp(view, type, name) : isInUse(view, type, name) || isEarly(view, state),
  );
}

/** Whether a resource of which nothing is known must be taken to refer to one of `type`. Few clusters refer to any. */
function mayRefer(from: TypeUrl, type: TypeUrl): boolean {
  return from !== clusterType && !referring.slice(0, referring.indexOf(from) + 1).includes(type);
}

/** Whether something that the client holds or may hold refers to that resource. */
function isInUse(view: StreamView, type: TypeUrl, name: string): boolean {
  const isHeld = referring.some(
    (other) => view.states.get(other)?.holding.refersTo(type, name, mayRefer(other, type)) ?? false,
  );
  return isHeld || isUsedByRouteToCome(view, type, name);
}

/** A listener that is under way has its routes asked for next, and these are answered from the snapshot that it came from. */
function isUsedByRouteToCome({ states, founded }: StreamView, type: TypeUrl, name: string): boolean {
  const routes = states.get(listenerType)?.holding.names(routeType);
  if (!founded || !routes) return false;
  const known = resourcesOf(founded, routeType);
  return [...routes].some((route) => {
    const resource = known.get(route);
    return resource !== undefined && refersTo(referencesOf(resource), type, name);
  });
}

/**
 * Whether a client that comes from another stream may yet tell of listeners that refer to what it has. It asks for all its types before it reads a response, so the
 * ACK of the first is late enough to know.
 */
function isEarly({ states, isAggregated }: StreamView, { holding }: TypeState): boolean {
  return isAggregated && holding.isBrought && !states.has(listenerType);
}

/** Whether such a client has not been answered yet, so that there would be no ACK to wait for. */
function isTooEarlyToTell(view: StreamView, state: TypeState): boolean {
  return state.type === clusterType && state.holding.lastNonce === '' && isEarly(view, state);
}

/** Whether something refers to that resource which the client goes on with although it shall not have it any more, as it refused what should replace it. */
function isHeldUp(view: StreamView, type: TypeUrl, name: string): boolean {
  if (![...view.states.values()].some(({ holding }) => holding.hasRejected)) return false;
  return referring.some((other) => {
    const state = view.states.get(other);
    if (!state) return false;
    const { holding } = state;
    const unseen = mayRefer(other, type);
    return holding.stillRefersTo(type, name, unseen) || holding.restRefersTo(goal(view, state), type, name, unseen);
  });
}

/** Whether later steps may follow: they may refer to what has been refused, and must not. */
function isPassed(view: StreamView, state: TypeState): boolean {
  const { type, holding } = state;
  if (holding.unacknowledged > 0) return false;
  if (!holding.hasRejected) return true;
  return [...holding.rejected.keys()].every((name) => !isNeeded(view, type, name));
}

/** Whether anything in the snapshot refers to it, be it asked for by now or only once something else has arrived. */
function isNeeded({ target }: StreamView, type: TypeUrl, name: string): boolean {
  return referring.some(
    (other) => other !== type && refersTo(referencesOfAll(resourcesOf(target, other), true), type, name),
  );
}
