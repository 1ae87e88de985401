import type { Clock } from '../../base/clock.ts';
import type { Held } from './difference.ts';
import { contentVersion } from './snapshot.ts';
import type { TypeState } from './type-state.types.ts';
import type { TypeUrl } from './type-urls.ts';

export interface MemoryLimits {
  /** How long after the end of its last stream a node is remembered, in milliseconds: longer than any reconnect takes. */
  readonly keepMs: number;
  /** So many nodes are remembered, the last to leave. */
  readonly nodes: number;
}

const defaultLimits: MemoryLimits = { keepMs: 10 * 60_000, nodes: 10_000 };

/** What a node held when it left. */
export interface Remembered {
  /** The version that it was shown. */
  readonly label: string;
  /** What it holds; all that it may hold, where that is not certain. */
  readonly held: Held;
  /** The version, where the snapshot's owner gave it; undefined where it is a hash. */
  readonly shown: string | undefined;
  /** Not so where something was under way, which may have arrived or not, or was refused, which may have been taken in part. */
  readonly isCertain: boolean;
}

/**
 * What nodes of the state-of-the-world variant held when they left, by the version that they were shown. When they come back they show nothing but that version, and
 * by itself it proves nothing: another process may have given it to other content (kumahq/kuma#17008).
 */
export class NodeMemory {
  readonly #clock: Clock;
  readonly #limits: MemoryLimits;
  /** In the order of leaving. */
  readonly #nodes = new Map<string, { readonly left: number; readonly types: ReadonlyMap<TypeUrl, Remembered> }>();

  constructor(clock: Clock, limits: MemoryLimits = defaultLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** A stream of the node ended in these states. */
  remember(node: string, states: Iterable<TypeState>): void {
    const types = new Map(this.#nodes.get(node)?.types);
    for (const state of states) {
      if (state.label !== '') types.set(state.type, besides(types.get(state.type), leftBehind(state)));
    }
    this.#nodes.delete(node);
    if (types.size > 0) this.#nodes.set(node, { left: this.#clock.now(), types });
    this.#forget();
  }

  /** What the node held of the type; undefined where it was not here. */
  recall(node: string, type: TypeUrl): Remembered | undefined {
    this.#forget();
    return this.#nodes.get(node)?.types.get(type);
  }

  #forget(): void {
    const oldest = this.#clock.now() - this.#limits.keepMs;
    for (const [node, { left }] of this.#nodes) {
      if (left >= oldest && this.#nodes.size <= this.#limits.nodes) return;
      this.#nodes.delete(node);
    }
  }
}

function leftBehind({ label, shown, holding }: TypeState): Remembered {
  const { isCertain } = holding;
  return { label, shown, isCertain, held: isCertain ? holding.frozen() : holding.possible() };
}

/**
 * What is remembered of a node that left something behind already. It may have several streams, and their owner may have shown two contents under one
 * version: then who comes back with that has one of the two.
 */
function besides(before: Remembered | undefined, now: Remembered): Remembered {
  const isSame = before?.label !== now.label || before.held === now.held;
  if (isSame || contentVersion(before.held) === contentVersion(now.held)) return now;
  return { ...now, isCertain: false, held: new Map([...before.held, ...now.held]) };
}
