import type { SekishoError } from '../../base/errors.ts';
import type { Batch } from './batch.ts';
import type { Frames } from './frames.ts';

interface Waiting {
  readonly frames: Frames;
  readonly index: number;
  /** How many of the frames are in the batch on its way, or on disk. */
  taken: number;
  readonly resolve: (index: number) => void;
  readonly reject: (error: SekishoError) => void;
}

/** What was appended and is not on disk yet, in order, with its bound in bytes. */
export class AppendQueue {
  /** Bytes of frames that wait or are on their way. */
  bytes = 0;
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  /** The index after the last frame that was appended. */
  nextIndex: number;
  #newest: Promise<number> = Promise.resolve(0);
  #roomSeekers: (() => void)[] = [];

  constructor(options: { nextIndex: number; limit: number }) {
    this.nextIndex = options.nextIndex;
    this.#limit = options.limit;
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  hasRoom(): boolean {
    return this.bytes < this.#limit;
  }

  room(): Promise<void> {
    if (this.hasRoom()) return Promise.resolve();
    return new Promise((resolve) => this.#roomSeekers.push(resolve));
  }

  add(frames: Frames): Promise<number> {
    const index = this.nextIndex;
    const count = frames.ends.length;
    if (count === 0) return Promise.resolve(index);
    this.nextIndex += count;
    this.bytes += frames.bytes.length;
    this.#newest = new Promise((resolve, reject) => this.#waiting.push({ frames, index, taken: 0, resolve, reject }));
    return this.#newest;
  }

  /** Appends are acknowledged in their order, so the newest is the last. */
  async settled(): Promise<void> {
    if (!this.empty) await this.#newest;
  }

  /** Moves as much as fits from the queue into the batch; what is left of a long append goes into the next one. */
  fill(batch: Batch): void {
    const first = this.#waiting[0];
    if (first === undefined) return;
    batch.start(first.index + first.taken);
    for (const waiting of this.#waiting) {
      waiting.taken += batch.add(waiting.frames, waiting.taken);
      if (isUnfinished(waiting)) return;
    }
  }

  /** The batch is on disk: the appends that it completes are acknowledged. */
  committed(batch: Batch): void {
    this.bytes -= batch.frameBytes;
    const unfinished = this.#waiting.findIndex(isUnfinished);
    const finished = this.#waiting.splice(0, unfinished === -1 ? this.#waiting.length : unfinished);
    for (const waiting of finished) waiting.resolve(waiting.index);
    if (this.hasRoom()) this.#letIn();
  }

  /** Nothing more goes to disk: the appends that wait fail. */
  fail(error: SekishoError): void {
    this.bytes = 0;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
    this.#letIn();
  }

  #letIn(): void {
    const seekers = this.#roomSeekers;
    this.#roomSeekers = [];
    for (const seeker of seekers) seeker();
  }
}

function isUnfinished({ frames, taken }: Waiting): boolean {
  return taken < frames.ends.length;
}
