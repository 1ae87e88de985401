import { clusterType, endpointType, listenerType, routeType, secretType, type TypeUrl } from './type-urls.ts';

/** What one step of a push sends: what is new or changed, what is gone, or both in one response. */
export type Moves = 'changes' | 'removals' | 'both';

export interface Step {
  readonly type: TypeUrl;
  readonly moves: Moves;
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
  { type: clusterType, moves: 'changes' },
  { type: endpointType, moves: 'changes' },
  { type: listenerType, moves: 'both' },
  { type: routeType, moves: 'both' },
  { type: clusterType, moves: 'removals' },
  { type: endpointType, moves: 'removals' },
  { type: secretType, moves: 'removals' },
];

/** The types that listeners and routes refer to: they must have arrived before a listener or a route may. */
export const foundations: readonly TypeUrl[] = [clusterType, endpointType];

/** Types that may only be answered from a snapshot whose foundations the client has acknowledged. */
export function restsOnFoundations(type: TypeUrl): boolean {
  return type === listenerType || type === routeType;
}

/**
 * What a type that has no place in the order sends as soon as the snapshot has it. Secrets do not wait, so that a certificate is renewed even where
 * the rest of a snapshot was refused; only their removal comes at the very end.
 */
export function movesAtOnce(type: TypeUrl): Moves | undefined {
  if (type === secretType) return 'changes';
  return firstSteps.has(type) ? undefined : 'both';
}

/** What the first answer to a wildcard holds: what goes away has to wait for its step even then. */
export function firstMoves(type: TypeUrl): Moves {
  return movesAtOnce(type) ?? firstSteps.get(type) ?? 'both';
}

const firstSteps: ReadonlyMap<TypeUrl, Moves> = new Map(
  [...pushOrder].reverse().map((step) => [step.type, step.moves]),
);
