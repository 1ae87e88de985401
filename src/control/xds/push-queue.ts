import { stretchMs } from '../../base/stretch.ts';

/** So many are told between two looks at the clock. */
const betweenLooks = 16;

/**
 * Who has to be told of something, each at most once, in the order in which it came to it. The first stretch is worked off at once, the rest in
 * stretches between which the event loop turns: the gate, in the same process, must not wait for thousands of streams.
 */
export class PushQueue<Member> {
  readonly #tell: (member: Member) => void;
  readonly #waiting = new Set<Member>();
  #isWorking = false;
  #isScheduled = false;

  constructor(tell: (member: Member) => void) {
    this.#tell = tell;
  }

  add(members: Iterable<Member>): void {
    for (const member of members) this.#waiting.add(member);
    if (!this.#isScheduled) this.#work();
  }

  /** It is not told any more. */
  remove(member: Member): void {
    this.#waiting.delete(member);
  }

  #work(): void {
    if (this.#isWorking) return; // Who is told may have more to tell; the loop below sees it.
    this.#isWorking = true;
    try {
      const end = performance.now() + stretchMs;
      let told = 0;
      for (const member of this.#waiting) {
        this.#waiting.delete(member);
        this.#tell(member);
        if (++told % betweenLooks === 0 && performance.now() > end) break;
      }
    } finally {
      this.#isWorking = false;
      if (this.#waiting.size > 0 && !this.#isScheduled) this.#schedule();
    }
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#work();
    });
  }
}
