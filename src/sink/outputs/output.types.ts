/** A record as it leaves the sink. */
export interface NamedLine {
  readonly index: number;
  /** How many records it stands for: 1, or as many as a damaged place of the journal hides, which may be none. */
  readonly records: number;
  /** One JSON object without its line end, as `sekisho records -o json` prints it. */
  readonly json: string;
}

/** How far an output has come, as it stands on the disk. */
export interface Cursor {
  /** The index of the first record that is not safe at the other end. */
  readonly next: number;
  /** What the output wants to be told when it is opened again. */
  readonly note?: unknown;
}

/**
 * A place where records go besides the journal. One file for each kind: the follower does the reading, the cursor, the retries and the lag.
 *
 * Whatever it throws is tried again from `open` on, with the cursor that was committed last; so each record arrives at least once.
 */
export interface Output {
  /** Gets ready to go on behind `cursor`. Answers with where it really goes on, where more had arrived than the cursor knew. */
  open(cursor: Cursor): Promise<Cursor>;
  /**
   * Takes as many lines from the front as it likes, at least one, and resolves when those are safe at the other end. The follower commits
   * the cursor that it answers with before anything else is asked of it.
   */
  write(lines: readonly NamedLine[]): Promise<{ readonly taken: number; readonly note?: unknown }>;
  /** While there is nothing to write: does what is due by time, and answers in how many milliseconds the next thing will be. */
  tend(): Promise<number>;
  /** Lets go of what `open` took. May be called at any time, also twice. Must not throw. */
  close(): Promise<void>;
}
