import type { Requests } from './counters.ts';
import type { HandledState } from './ledger.types.ts';

/** What one connection manager handled in one run of the node, whose counters may begin again: with another process, or another listener of that name. */
export class Handled {
  readonly #prefix: string;
  #before: number;
  #total: number;
  #handled: number;

  constructor(prefix: string, state: Omit<HandledState, 'prefix'> = { before: 0, total: 0, handled: 0 }) {
    this.#prefix = prefix;
    ({ before: this.#before, total: this.#total, handled: this.#handled } = state);
  }

  /** Requests that have ended, in all. */
  get count(): number {
    return this.#before + this.#handled;
  }

  take({ total, active }: Requests): void {
    if (total < this.#total) this.restarted();
    this.#total = total;
    // The two were not read in one moment: what began between them makes this less than it is, never more.
    this.#handled = Math.max(0, total - active);
  }

  restarted(): void {
    [this.#before, this.#total, this.#handled] = [this.count, 0, 0];
  }

  state(): HandledState {
    return { prefix: this.#prefix, before: this.#before, total: this.#total, handled: this.#handled };
  }
}
