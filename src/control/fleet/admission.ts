interface Inside {
  readonly group: string;
  streams: number;
}

/**
 * How many nodes a pattern lets in at a time. Counts node ids, not streams: an Envoy that reconnects before its old stream is gone is
 * still one node.
 */
export class Admission {
  readonly #nodes = new Map<string, Inside>();

  /** Whether the node may come in under a pattern that admits `max` nodes. */
  hasRoom(group: string, node: string, max: number): boolean {
    if (this.#nodes.has(node)) return true;
    let inside = 0;
    for (const one of this.#nodes.values()) if (one.group === group) inside += 1;
    return inside < max;
  }

  /** A stream of the node begins. */
  came(node: string, group: string): void {
    const inside = this.#nodes.get(node);
    if (inside) inside.streams += 1;
    else this.#nodes.set(node, { group, streams: 1 });
  }

  /** A stream of the node ended. */
  left(node: string): void {
    const inside = this.#nodes.get(node);
    if (!inside) return;
    inside.streams -= 1;
    if (inside.streams === 0) this.#nodes.delete(node);
  }
}
