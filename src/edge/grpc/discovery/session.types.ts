import type { XdsObserver } from '../../../control/xds/events.types.ts';
import type { Publisher } from '../../../control/xds/publisher.ts';
import type { TypeUrl } from '../../../control/xds/type-urls.ts';
import type { AnyCall, StreamCall } from '../call.types.ts';
import type { Caller } from '../caller.ts';
import type { DiscoveryLimits, OpenStreams } from './open-streams.ts';
import type { StreamStarts } from './stream-starts.ts';

export interface DiscoveryOptions {
  readonly publisher: Publisher;
  /** Who calls; throws what the call shall be refused with. Without it a caller is believed to be the node that it says. */
  readonly identify?: (call: Pick<AnyCall, 'getAuthContext'>) => Caller;
  readonly observe?: XdsObserver;
  /** Types that go over no plain text, not even where it stays on this host. */
  readonly secret?: ReadonlySet<TypeUrl>;
  readonly limits?: Partial<DiscoveryLimits>;
}

export type Call = StreamCall;

/** What all calls have in common. */
export interface Session extends Omit<DiscoveryOptions, 'limits'> {
  readonly limits: DiscoveryLimits;
  readonly open: OpenStreams;
  readonly starts: StreamStarts;
  readonly isClosed: () => boolean;
}
