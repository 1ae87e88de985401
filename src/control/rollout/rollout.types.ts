/** Which policy: a hash of its text and of the files that it names, users files aside. */
export type PolicyId = string;

/** How many answers Envoys gave, and how many of them were bad. */
export interface Counts {
  readonly requests: number;
  /** Answered with 5xx, or by a connection that Envoy could not lead on. */
  readonly serverErrors: number;
  /** Not let through. */
  readonly denied: number;
}

export interface Traffic {
  readonly canary: Counts;
  readonly rest: Counts;
}

/** A change that the canary nodes have and the rest has not. */
export interface Trial {
  readonly kind: 'trial';
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly paused: boolean;
  /** For how long the canary nodes have had it in good health, in milliseconds. */
  readonly soakedMs: number;
  /** The last look at the canary nodes, if they were all in order: from it the soak goes on. Not kept over a restart. */
  readonly soakingAt: number | null;
  /** Since the canary nodes run it. */
  readonly traffic: Traffic;
}

export type Phase =
  /** All nodes shall have the same. */
  | { readonly kind: 'steady' }
  | Trial
  /** The change has just gone on to all nodes: a refusal by any of them takes it back. */
  | { readonly kind: 'spreading'; readonly since: number };

/** What is remembered of a change, also over a restart. */
export interface RolloutState {
  /** The policy of the file; in a trial it is the one on trial. */
  readonly wanted: PolicyId;
  /** What all nodes shall have, but for the canary nodes of a trial. */
  readonly stable: PolicyId;
  /** What all nodes had before the last change went through; null where nobody can go back. */
  readonly previous: PolicyId | null;
  readonly phase: Phase;
  /** Changes that were rolled back, the last one at the end. Each is left alone until somebody asks for it, or the file is another one. */
  readonly refused: readonly Refusal[];
}

export type RefusalCause = 'nack' | 'warming' | 'server-errors' | 'denied' | 'operator';

/** Why a change was rolled back. */
export interface Refusal {
  readonly id: PolicyId;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly cause: RefusalCause;
  /** One sentence for people. */
  readonly text: string;
}

/** How a canary node to which the change gives anything new stands to it. */
export interface CanaryFacts {
  readonly id: string;
  readonly connected: boolean;
  /** What it has not acknowledged, or has not asked for, in a few words; absent where it runs all of it. */
  readonly lacks?: string;
  /** For how long it has been lacking that, in milliseconds. */
  readonly lateMs: number;
}

export type RolloutCommand = 'pause' | 'resume' | 'force' | 'rollback';

export type RolloutEvent = { readonly at: number } & (
  | {
      /** The file holds another policy than before. */
      readonly kind: 'wanted';
      readonly id: PolicyId;
      /** Whether any node would get something else by it than it shall have now (stable). */
      readonly changes: boolean;
      /** Whether every node would get the same by it as by the one on trial. */
      readonly asOnTrial: boolean;
    }
  | {
      readonly kind: 'looked';
      readonly canaries: readonly CanaryFacts[];
      /** Whether anybody reports traffic to this process. */
      readonly reporting: boolean;
      /** Connected nodes that have not acknowledged all that they shall have. */
      readonly behind: number;
    }
  | { readonly kind: 'traffic'; readonly traffic: Traffic }
  /** A node refused what it got by the change. */
  | { readonly kind: 'nacked'; readonly node: string; readonly text: string }
  | { readonly kind: RolloutCommand; readonly operator: string }
);

/** What `sekisho fleet -o json` says of the rollout. */
export interface RolloutJson {
  /**
   * steady: all nodes shall have the policy of the file. canary, paused: they are to get it. spreading: all have just got it. rolled-back: they have
   * what they had before.
   */
  readonly state: 'steady' | 'canary' | 'paused' | 'spreading' | 'rolled-back';
  /** Start of the trial or of the spreading, or when it was rolled back. RFC 3339 in UTC; null where it is steady. */
  readonly since: string | null;
  /** The policy of the file, and the one that the nodes outside the canary shall have. */
  readonly wanted: PolicyId;
  readonly stable: PolicyId;
  readonly canaries: readonly string[];
  readonly soak: { readonly seconds: number; readonly left: number };
  /** Since the canary nodes run the change; null where there is no trial. */
  readonly traffic: Traffic | null;
  /** What the change waits for, one sentence each. */
  readonly waits: readonly string[];
  /** Why the policy of the file was rolled back. */
  readonly refusal: { readonly cause: RefusalCause; readonly text: string } | null;
}
