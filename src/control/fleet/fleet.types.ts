import type { IdentityKind } from '../xds/events.types.ts';

/** What `sekisho fleet -o json` prints. Times are RFC 3339 in UTC. */
export interface FleetJson {
  readonly time: string;
  /** Whether every node is in step and without a finding. */
  readonly healthy: boolean;
  readonly nodes: readonly NodeJson[];
}

export interface NodeJson {
  readonly id: string;
  readonly cluster: string | null;
  /** `1.40.0`; null where the node never told. */
  readonly envoy: string | null;
  readonly connected: boolean;
  /** Start of the oldest stream that is open. */
  readonly connectedSince: string | null;
  /** Last sign of life: a request, or the end of a stream. */
  readonly lastSeen: string | null;
  readonly streams: number;
  readonly peer: string | null;
  readonly identity: IdentityKind | null;
  /** Version of the snapshot that the node shall have, and of the one that it last said it has completely. */
  readonly target: string | null;
  readonly running: string | null;
  /** Since when it shall have the one, and has had the other. */
  readonly targetSince: string | null;
  readonly runningSince: string | null;
  readonly inStep: boolean;
  readonly types: readonly TypeJson[];
  readonly findings: readonly Finding[];
}

export interface TypeJson {
  /** `Cluster`, `Listener`, … */
  readonly type: string;
  /** Versions of the snapshots that the last response and the last ACK belong to; an unchanged type is not sent again. */
  readonly sent: string | null;
  readonly acked: string | null;
  /** How many resources it asks for by name. */
  readonly names: number;
  /** The last refusal, kept until the type is acknowledged again. */
  readonly nack: { readonly time: string; readonly version: string; readonly text: string } | null;
  readonly inStep: boolean;
}

export type FindingCode =
  | 'never-connected'
  | 'disconnected'
  | 'version-too-old'
  | 'version-untold'
  | 'nack'
  | 'secrets-withheld'
  | 'unknown-type';

/** Something that a person should look at, with what to do about it. */
export interface Finding {
  readonly code: FindingCode;
  readonly text: string;
}
