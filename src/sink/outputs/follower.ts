import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { FollowedJournal } from '../journal/followed-journal.types.ts';
import { readPieces } from '../query/journal-pieces.ts';
import type { CursorFile, StoredCursor } from './cursor-file.ts';
import { LagMeter, type Lag } from './lag.ts';
import { linesOf, type Lines } from './lines.ts';
import type { Output } from './output.types.ts';

/** What a follower tells its owner. Must be quick and must not throw. */
export interface FollowerObserver {
  /** So many more lines are safe at the other end. */
  wrote?(lines: number): void;
  /** The output takes nothing; it is tried again until it does. Told again only if the reason changes. */
  failing?(error: SekishoError): void;
  recovered?(): void;
  /** The cursor stands behind the end of the journal: this is another journal, so it begins with the oldest record. */
  restarted?(facts: { readonly cursor: number; readonly records: number }): void;
  /** It was stopped. */
  ended?(): void;
}

export interface FollowerOptions {
  readonly output: Output;
  readonly cursor: CursorFile;
  readonly journal: FollowedJournal;
  readonly clock: Clock;
  readonly observer: FollowerObserver;
  /** Waits that long; rejects when, or if already, the signal is aborted. Tests bring their own. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Brings every record of the journal to one output, and goes on with what comes, until it is stopped. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #pause: NonNullable<FollowerOptions['pause']>;
  readonly #lag = new LagMeter();
  /** At the end of the journal: stop there. */
  readonly #ending = new AbortController();
  /** Wherever it is: stop. */
  readonly #aborted = new AbortController();
  readonly #done: Promise<void>;
  #next = 0;
  #failing: SekishoError | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#pause = options.pause ?? ((milliseconds, signal) => pause(milliseconds, undefined, { signal }));
    this.#done = this.#run();
  }

  lag(): Lag {
    return this.#lag.lag(this.#journalNow());
  }

  /** The journal has grown. */
  grown(): void {
    this.#lag.grown(this.#options.clock.now());
  }

  /** Ends at the end of the journal, or after `graceMs`. What is missing then comes with the next start. May be called twice. */
  async stop(graceMs: number): Promise<void> {
    this.#ending.abort();
    const timers: NodeJS.Timeout[] = [];
    timers.push(
      setTimeout(() => {
        this.#aborted.abort();
      }, graceMs),
    );
    // A disk that does not even answer is not waited for: what it owes is not committed.
    const unanswered = new Promise<void>((resolve) => timers.push(setTimeout(resolve, 3 * graceMs)));
    await Promise.race([this.#done, unanswered]);
    for (const timer of timers) clearTimeout(timer);
    this.#options.observer.ended?.();
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#aborted.signal.aborted; attempt += 1) {
      try {
        await this.#follow();
        break;
      } catch (caught) {
        if (this.#fail(SekishoError.from(caught)) === 'first') attempt = 0;
      } finally {
        await this.#options.output.close();
      }
      // Who is asked to end does not wait for a disk that fails.
      if (this.#ending.signal.aborted) break;
      const wait = Math.min(firstRetryMs * 2 ** attempt, longestRetryMs);
      await this.#pause(wait, this.#ending.signal).catch(() => undefined);
    }
  }

  async #follow(): Promise<void> {
    const { output, cursor, journal } = this.#options;
    const known = this.#ofThisJournal((await cursor.read()) ?? { next: 0, received: 0 });
    this.#moved(known);
    const open = { ...(await output.open(known)), received: known.received };
    if (open.next !== known.next) await cursor.commit(open);
    this.#moved(open);
    const failed: SekishoError[] = [];
    const { dir, disk } = journal;
    const reading = { dir, disk, from: open.next, follow: this.#aborted.signal, most: linesAtATime };
    for await (const { entries, next } of readPieces({ ...reading, pause: () => this.#idle(failed) })) {
      await this.#write(await linesOf(entries), next);
    }
    // The reading takes it for an end when its wait is refused.
    for (const error of failed) throw error;
  }

  async #write({ lines, received }: Lines, end: number): Promise<void> {
    const { output, cursor, observer } = this.#options;
    for (let from = 0; from < lines.length;) {
      const { taken, note } = await output.write(lines.slice(from));
      from += taken;
      const moved = { next: lines[from]?.index ?? end, note, received };
      await cursor.commit(moved);
      this.#moved(moved);
      observer.wrote?.(taken);
      this.#recovered();
    }
  }

  /** At the end of the journal: what is due by time, then waits for more. Rejects to end the reading; `failed` says why, if that was it. */
  async #idle(failed: SekishoError[]): Promise<void> {
    const { output, journal } = this.#options;
    this.#recovered();
    let due: number;
    try {
      due = await output.tend();
    } catch (caught) {
      failed.push(SekishoError.from(caught));
      throw caught;
    }
    if (journal.nextIndex() <= this.#next) {
      await journal.pulse.next(Math.min(due, longestIdleMs), this.#ending.signal);
    }
    // What several commits bring goes out together.
    if (journal.nextIndex() > this.#next) await this.#pause(gatherMs, this.#aborted.signal);
  }

  #ofThisJournal(cursor: StoredCursor): StoredCursor {
    const records = this.#options.journal.nextIndex();
    if (cursor.next <= records) return cursor;
    this.#options.observer.restarted?.({ cursor: cursor.next, records });
    return { next: 0, received: 0 };
  }

  #moved({ next, received }: StoredCursor): void {
    this.#next = next;
    this.#lag.moved(next, received, this.#journalNow());
  }

  #fail(error: SekishoError): 'first' | 'again' {
    const known = this.#failing?.code;
    this.#failing = error;
    if (known !== error.code) this.#options.observer.failing?.(error);
    return known === undefined ? 'first' : 'again';
  }

  #recovered(): void {
    if (this.#failing === undefined) return;
    this.#failing = undefined;
    this.#options.observer.recovered?.();
  }

  #journalNow(): { nextIndex: number; now: number } {
    return { nextIndex: this.#options.journal.nextIndex(), now: this.#options.clock.now() };
  }
}

const firstRetryMs = 100;
const longestRetryMs = 5000;
const gatherMs = 20;
/** One write, one sync and one commit of the cursor for so many lines at most: about 1 MiB. */
const linesAtATime = 1024;
/** A wait that has nothing to wait for but the next record is looked at so often; timers cannot hold much longer ones. */
const longestIdleMs = 60_000;
