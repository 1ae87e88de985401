/** Lets several programs run by turns, step by step, in an order that the test gives. */
export class Turns {
  readonly #waiting = new Map<number, () => void>();
  readonly #over = new Set<number>();

  /** Runs all programs to their end: first by these bursts, then each in its turn. Each calls `step` before whatever others could see. */
  async play(
    programs: readonly ((step: () => Promise<void>) => Promise<void>)[],
    bursts: readonly { readonly process: number; readonly steps: number }[],
  ): Promise<void> {
    const all = programs.map(async (program, index) => {
      try {
        await program(() => new Promise((go) => this.#waiting.set(index, go)));
      } finally {
        this.#over.add(index);
      }
    });
    const ended = Promise.all(all);
    ended.catch(() => undefined);
    for (const { process, steps } of bursts) {
      for (let step = 0; step < steps && !this.#over.has(process); step++) await this.#go(process);
    }
    while (this.#over.size < programs.length) for (const index of programs.keys()) await this.#go(index);
    await ended;
  }

  /** One step, and all that follows from it without another one. */
  async #go(index: number): Promise<void> {
    const go = this.#waiting.get(index);
    this.#waiting.delete(index);
    go?.();
    await new Promise((done) => setImmediate(done));
  }
}
