import { encodeDeltaResponse, encodeResourceField } from '../../wire/discovery.ts';
import type { Difference } from './difference.ts';
import type { Snapshot } from './snapshot.ts';
import type { TypeUrl } from './type-urls.ts';

/** A response as it goes over the wire, to every stream that needs it. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly nonce: string;
}

/** Of the responses to named subscriptions, so many are kept for each snapshot, with at most so many characters of key. */
const namedLimits = { responses: 256, keyLength: 16_384 };

interface OfSnapshot {
  /** By the type and the identity of a difference that many streams share. */
  readonly byDifference: WeakMap<Difference, Map<TypeUrl, Encoded>>;
  /** By what is in it: clients of one group ask for the same names, each in a difference of its own. */
  readonly byContent: Map<string, Encoded>;
}

/**
 * Builds each delta response once and gives the same Buffer, nonce included, to every stream that needs it. A nonce stands for one
 * response, not for one sending of it; a stream that sends a response twice has its acknowledgements in the order of sending.
 */
export class Responses {
  readonly #bySnapshot = new WeakMap<Snapshot, OfSnapshot>();
  #built = 0;

  /** How many responses were encoded so far. */
  get built(): number {
    return this.#built;
  }

  delta(type: TypeUrl, snapshot: Snapshot, difference: Difference): Encoded {
    const { byDifference, byContent } = this.#of(snapshot);
    const known = byDifference.get(difference)?.get(type);
    if (known) return known;

    const key = contentKey(type, difference);
    const same = key === undefined ? undefined : byContent.get(key);
    const encoded = same ?? this.#build(type, snapshot, difference);
    if (key !== undefined && byContent.size < namedLimits.responses) byContent.set(key, encoded);

    const ofDifference = byDifference.get(difference) ?? new Map<TypeUrl, Encoded>();
    byDifference.set(difference, ofDifference.set(type, encoded));
    return encoded;
  }

  #of(snapshot: Snapshot): OfSnapshot {
    const known = this.#bySnapshot.get(snapshot) ?? { byDifference: new WeakMap(), byContent: new Map() };
    this.#bySnapshot.set(snapshot, known);
    return known;
  }

  #build(type: TypeUrl, snapshot: Snapshot, { changed, removed }: Difference): Encoded {
    this.#built += 1;
    const nonce = `${snapshot.version.slice(0, 8)}.${this.#built.toString(36)}`;
    const resources = changed.map(encodeResourceField);
    const bytes = encodeDeltaResponse({ systemVersion: snapshot.version, resources, typeUrl: type, removed, nonce });
    return { bytes, nonce };
  }
}

/** Undefined where the response is too large to be kept by what is in it; such are few, and shared by their difference at least. */
function contentKey(type: TypeUrl, { changed, removed }: Difference): string | undefined {
  if ((changed.length + removed.length) * 8 > namedLimits.keyLength) return undefined;
  const key = JSON.stringify([type, changed.map(({ name, version }) => [name, version]), removed]);
  return key.length <= namedLimits.keyLength ? key : undefined;
}
