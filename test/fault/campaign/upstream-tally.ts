import type { StandIn } from '../../../src/edge/demo/stand-in.ts';
import { loadPath } from './load.ts';
import { numberIn } from './judge.ts';

/** How often the stand-in is asked: it keeps the newest 10,000 requests. */
const lookMs = 500;

/** The numbers of the requests that the stand-in sees from now on, however many they are. */
export class UpstreamTally {
  readonly numbers = new Set<number>();
  readonly #standIn: StandIn;
  readonly #timer: NodeJS.Timeout;
  #looked: number;

  constructor(standIn: StandIn) {
    this.#standIn = standIn;
    this.#looked = standIn.counts().total;
    this.#timer = setInterval(() => {
      this.look();
    }, lookMs);
  }

  look(): void {
    const { total, forgotten } = this.#standIn.counts();
    if (this.#looked < forgotten) throw new Error('the stand-in forgot requests before they were counted');
    for (const { path } of this.#standIn.requests.slice(this.#looked - forgotten)) {
      const number = path.startsWith(`${loadPath}?`) ? numberIn(path.slice(loadPath.length + 1)) : undefined;
      if (number !== undefined) this.numbers.add(number);
    }
    this.#looked = total;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
