import type { Moves } from './push-order.ts';
import type { Resource, ResourceMap } from './snapshot.ts';

/** What a client holds: name → version. The resources of a snapshot are one such map. */
export type Held = ReadonlyMap<string, { readonly version: string }>;

/** What a client must be told. Immutable: its identity is what shared responses are remembered by. */
export interface Difference {
  readonly changed: readonly Resource[];
  readonly removed: readonly string[];
}

/** A difference between two shared maps, cut as the steps of a push need it, with the map that the client holds afterwards. */
export type Transition = Readonly<Record<Moves, { readonly difference: Difference; readonly after: Held }>>;

export const noDifference: Difference = { changed: [], removed: [] };

/** What a client that holds `held` and asked for everything must be told to hold `to`. */
export function compareAll(held: Held, to: ResourceMap): Difference {
  if (held === to) return noDifference;
  const changed = [...to.values()].filter((resource) => held.get(resource.name)?.version !== resource.version);
  const removed = [...held.keys()].filter((name) => !to.has(name)).sort();
  return orNone({ changed, removed });
}

/** The same for a client that asked for `names` only. */
export function compareNamed(held: Held, to: ResourceMap, names: Iterable<string>): Difference {
  const changed: Resource[] = [];
  const removed: string[] = [];
  for (const name of names) {
    const resource = to.get(name);
    if (resource === undefined) {
      if (held.has(name)) removed.push(name);
    } else if (held.get(name)?.version !== resource.version) changed.push(resource);
  }
  // Clients name the same things in different orders; in one order they share a response.
  return orNone({ changed: changed.sort((a, b) => (a.name < b.name ? -1 : 1)), removed: removed.sort() });
}

/** The part of a difference that a step sends. */
export function cut(difference: Difference, moves: Moves): Difference {
  switch (moves) {
    case 'both':
      return difference;
    case 'changes':
      return orNone({ changed: difference.changed, removed: [] });
    case 'removals':
      return orNone({ changed: [], removed: difference.removed });
  }
}

export function isEmpty(difference: Difference): boolean {
  return difference.changed.length === 0 && difference.removed.length === 0;
}

const transitions = new WeakMap<Held, WeakMap<ResourceMap, Transition>>();

/**
 * The transition between two maps that nobody changes any more, worked out once for all the clients that make it. Forgotten with the maps.
 */
export function transition(from: Held, to: ResourceMap): Transition {
  const known = transitions.get(from) ?? new WeakMap<ResourceMap, Transition>();
  transitions.set(from, known);
  const made = known.get(to) ?? makeTransition(from, to);
  known.set(to, made);
  return made;
}

function makeTransition(from: Held, to: ResourceMap): Transition {
  const both = compareAll(from, to);
  const changes = cut(both, 'changes');
  const removals = cut(both, 'removals');
  return {
    both: { difference: both, after: to },
    changes: { difference: changes, after: isEmpty(removals) ? to : new Map([...from, ...to]) },
    removals: { difference: removals, after: isEmpty(changes) ? to : without(from, removals.removed) },
  };
}

function without(held: Held, names: readonly string[]): Held {
  const rest = new Map(held);
  for (const name of names) rest.delete(name);
  return rest;
}

function orNone(difference: Difference): Difference {
  return isEmpty(difference) ? noDifference : difference;
}
