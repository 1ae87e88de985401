import {
  clusterType,
  endpointType,
  extensionType,
  listenerType,
  routeType,
  secretType,
  type TypeUrl,
} from './type-urls.ts';

/**
 * What one step of a push sends: `arrivals` is what is new or changed, and of what is gone only that which nothing that the client holds
 * refers to; `all` is everything that is still missing or too much.
 */
export interface Step {
  readonly type: TypeUrl;
  readonly moves: 'arrivals' | 'all';
}

/**
 * Make before break: what is referred to comes first and goes last, and each step waits until the steps before it are acknowledged.
 *
 * Listeners and routes lose and gain in one response. Nothing is lost by it, as only listeners refer to routes and those have moved
 * on by then; and a listener that takes over the port of another is refused as a duplicate unless the other goes in the same response.
 *
 * Source: "xDS REST and gRPC protocol", Eventual consistency considerations.
 */
export const pushOrder: readonly Step[] = [
  { type: clusterType, moves: 'arrivals' },
  { type: endpointType, moves: 'arrivals' },
  { type: extensionType, moves: 'arrivals' },
  { type: listenerType, moves: 'all' },
  { type: routeType, moves: 'all' },
  { type: extensionType, moves: 'all' },
  { type: clusterType, moves: 'all' },
  { type: endpointType, moves: 'all' },
  { type: secretType, moves: 'all' },
];

/** The types that listeners, routes and extensions refer to: they must have arrived before one of those may. */
export const foundations: readonly TypeUrl[] = [clusterType, endpointType];

/** Types whose resources refer to others by name, so that these may not be taken away under them; each to those behind it, and to its own at most. */
export const referring: readonly TypeUrl[] = [listenerType, routeType, extensionType, clusterType];

/** Types that may only be answered from a snapshot whose foundations the client has acknowledged. */
export function restsOnFoundations(type: TypeUrl): boolean {
  return type === listenerType || type === routeType || type === extensionType;
}

/**
 * What a type sends as soon as the snapshot has it, whatever else waits. Secrets do not wait, so that a certificate is renewed even where the rest
 * of a snapshot was refused; only their removal comes at the very end. Types that have no place in the order have nothing to wait for.
 */
export function movesAtOnce(type: TypeUrl): Step['moves'] | undefined {
  if (type === secretType) return 'arrivals';
  return firstSteps.has(type) ? undefined : 'all';
}

/** What the first answer to a subscription holds: what goes away has to wait for its step even then. */
export function firstMoves(type: TypeUrl): Step['moves'] {
  return movesAtOnce(type) ?? firstSteps.get(type) ?? 'all';
}

const firstSteps: ReadonlyMap<TypeUrl, Step['moves']> = new Map(
  [...pushOrder].reverse().map((step) => [step.type, step.moves]),
);
