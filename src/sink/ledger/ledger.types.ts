import type { Gap, GapCause } from '../../wire/gap.ts';

/** Which connection managers of a node write which log. */
export interface ExpectedLogs {
  /** By `stat_prefix`: the log. */
  readonly byPrefix: ReadonlyMap<string, string>;
  /** Prefixes that nothing is concluded from: the policy says why they leave no record, or several logs share them. */
  readonly ignored: ReadonlySet<string>;
}

/** A gap to be written down: of a log, or of the whole process where `log` is ''. */
export interface GapReport extends Gap {
  readonly node: string;
  readonly epoch: number;
  readonly log: string;
}

/** What the ledger remembers beside the journal, so that a start need not read all of it. */
export interface LedgerState {
  /** The first index of the journal that is not in it. */
  readonly next: number;
  readonly epochs: readonly EpochState[];
}

export interface EpochState {
  readonly node: string;
  readonly epoch: number;
  /** The Envoy's time of the last counters; 0: there were none. */
  readonly counted: number;
  readonly farewell: boolean;
  readonly finished: boolean;
  readonly gap?: Gap;
  readonly logs: readonly LogState[];
}

export interface LogState {
  readonly log: string;
  readonly stored: number;
  /** The last time at which nothing was missing, by the Envoy's clock. */
  readonly clean: number;
  readonly handled: readonly HandledState[];
  readonly gap?: Gap;
}

export interface HandledState {
  /** `stat_prefix` of the connection manager. */
  readonly prefix: string;
  /** What it handled before its counters began again, and what they said last. */
  readonly before: number;
  readonly total: number;
  readonly handled: number;
}

/** What `/ledger` answers. Times are RFC 3339. */
export interface LedgerJson {
  readonly healthy: boolean;
  readonly epochs: readonly EpochJson[];
}

export interface EpochJson {
  readonly node: string;
  readonly epoch: string | null;
  readonly state: 'running' | 'silent' | 'ended' | 'uncounted';
  /** When the Envoy counted last. */
  readonly counted: string | null;
  readonly logs: readonly LogJson[];
  readonly gaps: readonly GapJson[];
  readonly findings: readonly LedgerFinding[];
}

export interface LogJson {
  readonly log: string;
  /** Null where the Envoy has not counted it. */
  readonly handled: number | null;
  readonly stored: number;
}

export interface GapJson {
  /** '' where it is of the whole process. */
  readonly log: string;
  readonly missing: number;
  readonly atLeast: boolean;
  readonly cause: GapCause;
  readonly from: string | null;
  readonly to: string | null;
  readonly opened: string;
}

export interface LedgerFinding {
  readonly code: 'silent' | 'uncounted' | 'clock' | 'unrecorded';
  readonly text: string;
}
