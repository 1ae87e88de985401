import type { SekishoError } from '../../base/errors.ts';
import type { NodeInfo } from '../../wire/node-info.ts';
import type { IdentityKind, XdsObserver } from './events.types.ts';
import type { Publisher } from './publisher.ts';
import type { StreamLimits } from './stream-limits.ts';
import type { TypeUrl } from './type-urls.ts';

/** Where responses go. */
export interface Transport {
  /** Takes a response; false when it wants no more until `drained()` is called. */
  send(bytes: Buffer): boolean;
  /** The stream ends for a reason of ours. Nothing is sent after this. */
  refuse(error: SekishoError): void;
}

export interface StreamOptions {
  readonly publisher: Publisher;
  readonly transport: Transport;
  readonly peer: string;
  readonly identity: IdentityKind;
  /** The one type of a stream that is not aggregated. */
  readonly type?: TypeUrl;
  /** Looks at the node of the first request; throws what the stream shall be refused with. */
  readonly admit?: (node: NodeInfo) => void;
  /** Types of which this connection gets nothing, ever. */
  readonly withheld?: ReadonlySet<TypeUrl>;
  readonly observe?: XdsObserver;
  readonly limits?: StreamLimits;
}
