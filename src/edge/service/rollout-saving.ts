import { systemClock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';

/** Keeps how the rollout stands, one write after the other, each as it stands by then. What could not be kept is tried again. */
export class RolloutSaving {
  readonly #write: () => Promise<void>;
  readonly #log: Log;
  #savedAt = 0;
  #failing = false;
  #last = Promise.resolve();

  constructor(write: () => Promise<void>, log: Log) {
    this.#write = write;
    this.#log = log;
  }

  /** Resolves when it is kept, or cannot be for now. */
  save(): Promise<void> {
    this.#savedAt = systemClock.now();
    this.#last = this.#last.then(async () => {
      try {
        await this.#write();
        this.#failing = false;
      } catch (caught) {
        this.#failed(SekishoError.from(caught));
      }
    });
    return this.#last;
  }

  /** The same, if the last time is a while ago. */
  saveNowAndThen(): void {
    if (systemClock.now() - this.#savedAt >= keepMs) void this.save();
  }

  tryAgain(): void {
    if (this.#failing) this.saveNowAndThen();
  }

  #failed({ code, message }: SekishoError): void {
    // Then it is for another control plane to keep, and whatever that one has is followed here.
    if (code === 'lease_lost') return;
    if (!this.#failing) {
      this.#log.error('how the rollout stands could not be kept; it is tried again', { code, why: message });
    }
    this.#failing = true;
  }
}

/** A soak that goes on is kept so often, in milliseconds: no more of it is lost with the process. */
const keepMs = 5_000;
