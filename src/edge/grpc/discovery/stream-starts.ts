/** Beyond what comes in a second, so many may come at once. */
const burstSeconds = 1;

/**
 * How fast streams may start. When a control plane comes back thousands of nodes come at once, and what the first responses to them cost must not hold up
 * those that are served already (envoyproxy/java-control-plane#101). Who is early waits its turn; nobody is turned away.
 */
export class StreamStarts {
  readonly #perMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** When the next one may start if as many came as may. */
  #next = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
  }

  /** Calls `start` when it is this stream's turn, at once where it is; gives what takes it out of the line. */
  take(start: () => void, now: number = performance.now()): () => void {
    const turn = Math.max(this.#next, now - burstSeconds * 1000);
    this.#next = turn + 1 / this.#perMs;
    if (turn <= now) {
      start();
      return () => undefined;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      start();
    }, turn - now);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** Nobody who waits starts any more. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
