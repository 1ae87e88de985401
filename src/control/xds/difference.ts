import type { Resource, ResourceMap } from './snapshot.ts';

/** Something that a client holds and nobody here knows: an earlier process gave it, or it is what the client made of a response that it refused. */
export interface Unseen {
  readonly name: string;
  readonly version: string;
  /** What the client was known to hold before it refused to hold something else. */
  readonly good?: Resource | undefined;
}

/** What a client holds under one name. */
export type Entry = Resource | Unseen;

/** As far as it is known to be good and there: of something unseen, what the client had before. */
export function goodOf(entry: Entry): Resource | undefined {
  return 'bytes' in entry ? entry : entry.good;
}

/** What a client holds. The resources of a snapshot are one such map. */
export type Held = ReadonlyMap<string, Entry>;

/** What a client must be told. Immutable: its identity is what shared responses are remembered by. */
export interface Difference {
  readonly changed: readonly Resource[];
  readonly removed: readonly string[];
}

export const noDifference: Difference = { changed: [], removed: [] };

export function isEmpty(difference: Difference): boolean {
  return difference === noDifference || (difference.changed.length === 0 && difference.removed.length === 0);
}

export function orNone(difference: Difference): Difference {
  return isEmpty(difference) ? noDifference : difference;
}

/** What a client that holds `held` must be told to hold `to`. */
export function compare(held: Held, to: ResourceMap): Difference {
  if (held === to) return noDifference;
  const changed: Resource[] = [];
  const removed: string[] = [];
  for (const resource of to.values()) {
    const has = held.get(resource.name);
    if (has !== resource && has?.version !== resource.version) changed.push(resource);
  }
  for (const name of held.keys()) if (!to.has(name)) removed.push(name);
  return orNone({ changed, removed: removed.sort() });
}

/** A difference between two maps, with the map that the client holds afterwards. */
export interface Transition {
  readonly difference: Difference;
  readonly after: Held;
}

const transitions = new WeakMap<Held, WeakMap<ResourceMap, Map<string, Transition>>>();

/**
 * The way between two maps that nobody changes any more, worked out once for all the clients that go it. `kept` are names that `to` has not
 * and that shall stay for now. Forgotten with the maps.
 */
export function transition(from: Held, to: ResourceMap, kept: readonly string[] = []): Transition {
  const fromHere = transitions.get(from) ?? new WeakMap<ResourceMap, Map<string, Transition>>();
  transitions.set(from, fromHere);
  const toThere = fromHere.get(to) ?? new Map<string, Transition>();
  fromHere.set(to, toThere);
  const key = kept.length === 0 ? '' : JSON.stringify(kept);
  const made = toThere.get(key) ?? makeTransition(from, to, kept);
  toThere.set(key, made);
  return made;
}

function makeTransition(from: Held, to: ResourceMap, kept: readonly string[]): Transition {
  if (kept.length === 0) return { difference: compare(from, to), after: to };
  const all = transition(from, to).difference;
  const stays = new Set(kept);
  const difference = orNone({ changed: all.changed, removed: all.removed.filter((name) => !stays.has(name)) });
  const after = new Map<string, Resource | Unseen>(to);
  for (const name of kept) {
    const resource = from.get(name);
    if (resource) after.set(name, resource);
  }
  return { difference, after };
}

/** Of the answers to names, so many are kept for each map, with at most so many characters of key. */
const answerLimits = { answers: 256, keyLength: 16_384 };

const answers = new WeakMap<ResourceMap, Map<string, Difference>>();

/** The one object for all answers of the same content that were made from a map: after a change of clusters every Envoy is told the same endpoints again. */
export function sharedAnswer(from: ResourceMap, answer: Difference): Difference {
  if ((answer.changed.length + answer.removed.length) * 8 > answerLimits.keyLength) return answer;
  const key = JSON.stringify([answer.changed.map(({ name, version }) => [name, version]), answer.removed]);
  const known = answers.get(from) ?? new Map<string, Difference>();
  answers.set(from, known);
  const same = known.get(key);
  if (same) return same;
  if (key.length <= answerLimits.keyLength && known.size < answerLimits.answers) known.set(key, answer);
  return answer;
}
