import { encodeDeltaResponse, encodeResourceField } from '../../wire/delta-discovery.ts';
import { encodeSotwResponse } from '../../wire/sotw-discovery.ts';
import type { Difference } from './difference.ts';
import type { Resource } from './snapshot.ts';
import type { TypeUrl } from './type-urls.ts';

/** A response as it goes over the wire, to every stream that needs it. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly nonce: string;
}

/** What a response says, apart from its resources. */
export interface Heading {
  readonly type: TypeUrl;
  /** What the client is shown: `version_info`, `system_version_info`. */
  readonly version: string;
}

/**
 * Builds each response once and gives the same Buffer, nonce included, to every stream that needs it. A nonce stands for one
 * response, not for one sending of it; a stream that sends a response twice has its acknowledgements in the order of sending.
 */
export class Responses {
  /** By what they were made of, which the streams in step share, and their heading. */
  readonly #known = new WeakMap<object, Map<string, Encoded>>();
  #built = 0;

  /** How many responses were encoded so far. */
  get built(): number {
    return this.#built;
  }

  /** A DeltaDiscoveryResponse. */
  delta(heading: Heading, difference: Difference): Encoded {
    return this.#once(difference, `delta ${heading.type} ${heading.version}`, (nonce) =>
      encodeDeltaResponse({
        systemVersion: heading.version,
        resources: difference.changed.map(encodeResourceField),
        typeUrl: heading.type,
        removed: difference.removed,
        nonce,
      }),
    );
  }

  /** A DiscoveryResponse with these resources; `origin` is the immutable object that they were taken from. */
  sotw(heading: Heading, origin: object, resources: () => readonly Resource[]): Encoded {
    return this.#once(origin, `sotw ${heading.type} ${heading.version}`, (nonce) =>
      encodeSotwResponse({
        version: heading.version,
        resources: resources().map(({ bytes }) => bytes),
        typeUrl: heading.type,
        nonce,
      }),
    );
  }

  #once(origin: object, key: string, encode: (nonce: string) => Buffer): Encoded {
    const ofOrigin = this.#known.get(origin) ?? new Map<string, Encoded>();
    this.#known.set(origin, ofOrigin);
    const known = ofOrigin.get(key);
    if (known) return known;
    const nonce = (this.#built += 1).toString(36);
    const made = { bytes: encode(nonce), nonce };
    ofOrigin.set(key, made);
    return made;
  }
}
