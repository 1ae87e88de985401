import type { Answers } from './answers.ts';
import type { Difference } from './difference.ts';
import type { Holding } from './holding.ts';
import type { ResourceMap, Snapshot } from './snapshot.ts';
import type { Subscription } from './subscription.ts';
import type { TypeUrl } from './type-urls.ts';

/** One type on one stream: what is asked for and what is held. */
export interface TypeState {
  readonly type: TypeUrl;
  readonly subscription: Subscription;
  readonly holding: Holding;
  readonly answers: Answers;
  /** The version that the snapshot's owner gave to what the client was last shown; undefined where that were hashes. */
  shown: string | undefined;
  /** The version that the client was shown last, in full. */
  label: string;
  /** `version_info` of a first request, until it is known whether it can be trusted; empty where the client has taken nothing in, or nothing whole. */
  claimed: string | undefined;
}

/** What a stream is about to move its client to. */
export interface NextResponse {
  readonly state: TypeState;
  readonly snapshot: Snapshot;
  readonly difference: Difference;
  /** What the client shall have of the snapshot, and the names that it keeps besides until what refers to them is gone. */
  readonly to: ResourceMap;
  readonly kept: readonly string[];
  /** Whether the difference leads exactly there; else it answers names, and more is to come. */
  readonly isExact: boolean;
  /** Whether the client waits for it, or we for its ACK, even where it says nothing: the first answer to a wildcard. */
  readonly isAwaited: boolean;
  /** Names that are asked for and have to wait; undefined where none was answered. */
  readonly left: ReadonlySet<string> | undefined;
}
