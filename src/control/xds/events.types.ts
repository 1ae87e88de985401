import type { SekishoError } from '../../base/errors.ts';
import type { NodeInfo } from '../../wire/node-info.ts';
import type { TypeUrl } from './type-urls.ts';

/** How the server knows that a stream is the node it says it is. */
export type IdentityKind = 'certificate' | 'loopback';

/** One stream of one node. */
export interface StreamFacts {
  /** Unique within the process. */
  readonly stream: number;
  readonly node: NodeInfo;
  /** Address and port of the other end. */
  readonly peer: string;
  readonly identity: IdentityKind;
}

/** What happens on discovery streams, for those who keep a status, a record or metrics of it. */
export type XdsEvent =
  | ({ readonly kind: 'connected' } & StreamFacts)
  /** A stream, or what would have become one, was ended for a reason of ours. */
  | { readonly kind: 'refused'; readonly peer: string; readonly node?: string; readonly error: SekishoError }
  /** A snapshot with this version is what the stream shall have from now on. */
  | ({ readonly kind: 'targeted'; readonly version: string } & StreamFacts)
  | ({
      readonly kind: 'subscribed';
      readonly type: TypeUrl;
      readonly wildcard: boolean;
      readonly names: number;
    } & StreamFacts)
  /** The client asked for a type that nobody here knows; it is answered that there is nothing. */
  | ({ readonly kind: 'unknown-type'; readonly type: TypeUrl } & StreamFacts)
  /** The client asked for a type that it does not get over this connection; it is answered that there is nothing. */
  | ({ readonly kind: 'withheld'; readonly type: TypeUrl } & StreamFacts)
  | ({
      readonly kind: 'sent';
      readonly type: TypeUrl;
      readonly version: string;
      readonly names: number;
      readonly removed: number;
      readonly bytes: number;
    } & StreamFacts)
  | ({ readonly kind: 'acked'; readonly type: TypeUrl; readonly version: string } & StreamFacts)
  /** `text` has been through `cutNack`. */
  | ({ readonly kind: 'nacked'; readonly type: TypeUrl; readonly version: string; readonly text: string } & StreamFacts)
  /** The client has acknowledged everything of the snapshot with this version that it asked for. */
  | ({ readonly kind: 'settled'; readonly version: string } & StreamFacts)
  | ({ readonly kind: 'disconnected' } & StreamFacts);

export type XdsObserver = (event: XdsEvent) => void;
