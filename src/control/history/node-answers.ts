import { isFamiliar, type TypeUrl } from '../xds/type-urls.ts';

/** Of one node: what it was told last, and which of its answers to that are on record. */
interface Answers {
  target: string;
  settled: boolean;
  refusals: Set<string>;
}

/** Bounds on what is remembered. A node forgotten is recorded once more than needed. */
const defaultLimits = {
  /** Nodes, the longest silent one is forgotten first; far more than a fleet has, about 10 MB. */
  nodes: 10_000,
  /** Refusals of one version by one node: Envoy gives one for each type; what comes beyond is a node that makes them up. */
  refusals: 16,
};

/**
 * Which answers of nodes are news. A node that comes back with what it had, again and again, says nothing new, nor does one that refuses the
 * same thing for the same reason on each new stream.
 */
export class NodeAnswers {
  readonly #limits: typeof defaultLimits;
  readonly #nodes = new Map<string, Answers>();

  constructor(limits = defaultLimits) {
    this.#limits = limits;
  }

  /** The node shall have this version from now on. */
  targeted(node: string, version: string): void {
    const known = this.#nodes.get(node);
    this.#nodes.delete(node);
    this.#nodes.set(
      node,
      known?.target === version ? known : { target: version, settled: false, refusals: new Set<string>() },
    );
    if (this.#nodes.size <= this.#limits.nodes) return;
    for (const oldest of this.#nodes.keys()) {
      this.#nodes.delete(oldest);
      return;
    }
  }

  /** Whether it is news that the node has all of this version. */
  settled(node: string, version: string): boolean {
    const known = this.#nodes.get(node);
    if (known?.target !== version || known.settled) return false;
    known.settled = true;
    return true;
  }

  /** Whether it is news that the node refuses this. */
  refused(node: string, type: TypeUrl, version: string, text: string): boolean {
    const known = this.#nodes.get(node);
    const refusal = JSON.stringify([type, version, text]);
    if (!known || !isFamiliar(type) || known.refusals.has(refusal)) return false;
    if (known.refusals.size >= this.#limits.refusals) return false;
    known.refusals.add(refusal);
    // Should it take the version after all, that is news again.
    known.settled = false;
    return true;
  }
}
