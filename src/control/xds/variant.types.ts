import type { NodeInfo, Refusal } from '../../wire/node-info.ts';
import type { Held } from './difference.ts';
import type { NextResponse, TypeState } from './type-state.types.ts';
import type { Encoded, Responses } from './responses.ts';
import type { ResourceMap } from './snapshot.ts';

/** What the requests of both variants have in common. */
export interface AnyRequest {
  readonly node?: NodeInfo | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  readonly error?: Refusal | undefined;
}

/** How a response to be is said. */
export interface Said extends Encoded {
  /** The version that the client is shown. */
  readonly version: string;
  /** All that the response shows, where that is all that the client then holds; undefined where it shows what is new. */
  readonly whole: Held | undefined;
}

/** What the two variants of the protocol do differently. Source: "xDS REST and gRPC protocol", Variants of the xDS Transport Protocol. */
export interface Variant {
  readonly name: 'delta' | 'sotw';
  /** Whether a response can say of a name that there is no such resource. */
  readonly namesAbsent: boolean;
  /** The response to a client that has just been moved to what it shall hold; undefined where there is nothing that it could say. */
  say(next: NextResponse, responses: Responses): Said | undefined;
}

/** The same, with how requests are heard. */
export interface Hearing<in Request extends AnyRequest> extends Variant {
  /** Whether a request answers another response than the last, and so says nothing. */
  isStale(request: Request, state: TypeState): boolean;
  /**
   * Takes what a request asks for into the subscription, and from a first one what the client holds already. `now` is what there is of the type.
   * Says whether anything came of it.
   */
  hear(request: Request, state: TypeState, now: ResourceMap, isFirst: boolean): boolean;
}
