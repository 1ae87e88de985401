import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import type { OutputRules } from '../../policy/policy.types.ts';
import type { FollowedJournal } from '../journal/followed-journal.types.ts';
import { cursorFile } from './cursor-file.ts';
import { Follower, type FollowerObserver } from './follower.ts';
import { jsonlOutput } from './jsonl.ts';
import type { Lag } from './lag.ts';
import type { Output } from './output.types.ts';

export interface OutputsOptions {
  /** Folder of the cursors. */
  readonly cursors: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly journal: FollowedJournal;
  /** What an output of this name tells. */
  readonly observe: (name: string) => FollowerObserver;
}

/** The outputs of the policy that holds, each with a follower of its own. */
export class Outputs {
  readonly #options: OutputsOptions;
  readonly #running = new Map<string, { readonly rules: OutputRules; readonly follower: Follower }>();
  /** Of two followers of one folder the second begins when the first has ended. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: OutputsOptions) {
    this.#options = options;
  }

  /** Goes on by these rules: what is no longer there ends, what is new begins, what is as it was goes on. Resolves when that is so. */
  adopt(rules: readonly OutputRules[]): Promise<void> {
    this.#turn = this.#turn.then(() => this.#become(rules));
    return this.#turn;
  }

  /** The journal has grown. */
  grown(): void {
    for (const { follower } of this.#running.values()) follower.grown();
  }

  /** By name, how far each one is behind. */
  lags(): (readonly [name: string, lag: Lag])[] {
    return [...this.#running].map(([name, { follower }]) => [name, follower.lag()] as const);
  }

  /** Ends them all; see `Follower.stop`. May be called twice. */
  close(): Promise<void> {
    return this.adopt([]);
  }

  async #become(rules: readonly OutputRules[]): Promise<void> {
    const wanted = new Map(rules.map((one) => [outputName(one), one]));
    const ended = [...this.#running].filter(([name, one]) => !isSame(one.rules, wanted.get(name)));
    for (const [name] of ended) this.#running.delete(name);
    await Promise.all(ended.map(([, { follower }]) => follower.stop(graceMs)));
    for (const [name, one] of wanted) {
      if (!this.#running.has(name)) this.#running.set(name, { rules: one, follower: this.#follow(name, one) });
    }
  }

  #follow(name: string, rules: OutputRules): Follower {
    const { cursors, disk, clock, journal, observe } = this.#options;
    const cursor = cursorFile(join(cursors, cursorName(name, rules)), name, disk);
    return new Follower({
      output: makers[rules.kind](rules, { disk, clock }),
      cursor,
      journal,
      clock,
      observer: observe(name),
    });
  }
}

/** An output ends with what the journal has, unless that takes longer. */
const graceMs = 1000;

/** What an output is called in logs and metrics. */
export function outputName({ kind, dir }: OutputRules): string {
  return `${kind}:${dir}`;
}

type Maker = (rules: OutputRules, house: { readonly disk: Disk; readonly clock: Clock }) => Output;

/** Each kind in a file of its own. */
const makers: Readonly<Record<OutputRules['kind'], Maker>> = {
  jsonl: ({ dir, rotate }, house) => jsonlOutput({ dir, rotate, ...house }),
};

/** A file name of any output name. The file says which output it is of. */
function cursorName(name: string, { kind }: OutputRules): string {
  return `${kind}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}.json`;
}

function isSame(one: OutputRules, other: OutputRules | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
