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

interface Known extends Encoded {
  readonly version: string;
}

/** What a response says, apart from its resources. */
export interface Heading {
  readonly type: TypeUrl;
  /** What the client is shown: `version_info`, `system_version_info`. */
  readonly version: string;
  /** The last nonce of the type on the stream; empty where this is its first response. */
  readonly after: string;
}

/**
 * Builds each response once and gives the same Buffer, nonce included, to every stream that needs it. Each type has rising nonces on each stream, so
 * that a stream that sends what was built before its last response has it built anew: a client that says one ACK for two responses says it for the last.
 */
export class Responses {
  /**
   * By what they were made of, which the streams in step share, and variant and type: of each the newest version. What has nothing to say is made
   * of one and the same object for ever, and so must not remember all versions of which that was said.
   */
  readonly #known = new WeakMap<object, Map<string, Known>>();
  #built = 0;

  /** How many responses were encoded so far. */
  get built(): number {
    return this.#built;
  }

  /** A DeltaDiscoveryResponse. */
  delta(heading: Heading, difference: Difference): Encoded {
    return this.#once(difference, heading, 'delta', (nonce) =>
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
    return this.#once(origin, heading, 'sotw', (nonce) =>
      encodeSotwResponse({
        version: heading.version,
        resources: resources().map(({ bytes }) => bytes),
        typeUrl: heading.type,
        nonce,
      }),
    );
  }

  #once(origin: object, heading: Heading, variant: string, encode: (nonce: string) => Buffer): Encoded {
    const ofOrigin = this.#known.get(origin) ?? new Map<string, Known>();
    this.#known.set(origin, ofOrigin);
    const { type, version, after } = heading;
    const key = `${variant} ${type}`;
    const known = ofOrigin.get(key);
    if (known?.version === version && isAfter(known.nonce, after)) return known;
    const nonce = (this.#built += 1).toString(36);
    const made = { version, bytes: encode(nonce), nonce };
    ofOrigin.set(key, made);
    return made;
  }
}

function isAfter(nonce: string, last: string): boolean {
  return last === '' || Number.parseInt(nonce, 36) > Number.parseInt(last, 36);
}
