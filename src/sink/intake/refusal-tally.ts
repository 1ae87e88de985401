import { setTimeout as realPause } from 'node:timers/promises';
import type { RefusalRules } from '../../policy/policy.types.ts';
import { framesOf } from '../journal/frames.ts';
import type { Journal } from '../journal/journal.types.ts';
import { writeRecord } from '../record/envelope.ts';
import { RefusalLimit, type RefusalRecord } from './refusal-limit.ts';

export interface RefusalTallyOptions {
  readonly journal: Pick<Journal, 'append' | 'room'>;
  /** Asked for every refusal, so that a new policy holds at once. */
  readonly rules: () => RefusalRules;
  /** All that was counted is with the journal now. */
  readonly taken?: () => void;
  /** Records of counts could not be stored: so many, because of this. */
  readonly lost: (records: number, caught: unknown) => void;
  /** Waits that long; rejects when, or if already, the signal is aborted. Tests bring their own. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * The refusals of a sink that are not stored one by one, of all its streams together, for an Envoy has a stream for each of its workers.
 * What was counted is in the journal at the latest `tallySeconds` after the first; until then it is in memory alone.
 */
export class RefusalTally {
  readonly #options: RefusalTallyOptions;
  readonly #limit: RefusalLimit;
  readonly #pause: NonNullable<RefusalTallyOptions['pause']>;
  readonly #closing = new AbortController();
  #storing: Promise<void> | undefined;

  constructor(options: RefusalTallyOptions, limit = new RefusalLimit(options.rules)) {
    this.#options = options;
    this.#limit = limit;
    this.#pause = options.pause ?? ((milliseconds, signal) => realPause(milliseconds, undefined, { signal }));
  }

  /** Whether this refusal is to be stored; if not, it has been counted. */
  admits(refusal: RefusalRecord): boolean {
    if (this.#limit.admits(refusal)) return true;
    this.#storing ??= this.#storeAll();
    return false;
  }

  /**
   * Hands what was counted to the journal before it returns, and resolves when that has it or gives up; so the journal can be closed meanwhile, for one
   * whose disk fails gives up only then. Nothing may be asked afterwards. May be called twice.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#store(), this.#storing]);
  }

  async #storeAll(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#limit.waiting && !signal.aborted) {
      await this.#pause(this.#options.rules().tallySeconds * 1000, signal).catch(() => undefined);
      // While the journal takes nothing the counts grow in memory, which the limit bounds. One that is closed has room.
      await this.#options.journal.room();
      await this.#store();
    }
    this.#storing = undefined;
  }

  async #store(): Promise<void> {
    const records = this.#limit.take();
    if (records.length === 0) return;
    try {
      const stored = this.#options.journal.append(framesOf(records, ({ length }) => length, writeRecord));
      this.#options.taken?.();
      await stored;
    } catch (caught) {
      this.#options.lost(records.length, caught);
    }
  }
}
