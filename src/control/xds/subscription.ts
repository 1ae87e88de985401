import type { Difference } from './difference.ts';
import { hasLegacyWildcard, type TypeUrl } from './type-urls.ts';

/** The part of a request that changes what a client asks for. */
export interface SubscriptionChange {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
}

/**
 * What one stream asks for of one type, and what of that still waits for an answer.
 * Source: "xDS REST and gRPC protocol", How the client specifies what resources to return.
 */
export class Subscription {
  readonly #type: TypeUrl;
  readonly #names = new Set<string>();
  readonly #asked = new Set<string>();
  #wildcard = false;
  #wildcardAsked = false;

  constructor(type: TypeUrl) {
    this.#type = type;
  }

  /** Whether the client wants every resource of the type. */
  get wildcard(): boolean {
    return this.#wildcard;
  }

  /** The resources that it wants by name, be it besides the wildcard. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Names that must be answered whatever the client is believed to hold. */
  get asked(): ReadonlySet<string> {
    return this.#asked;
  }

  /** Whether the wildcard waits for its first answer, which is due even if it is empty: Envoy holds its start back for it. */
  get wildcardAsked(): boolean {
    return this.#wildcardAsked;
  }

  /** About how many bytes it takes to remember all this. */
  get size(): number {
    return sizeOf(this.#names) + sizeOf(this.#asked);
  }

  wants(name: string): boolean {
    return this.#wildcard || this.#names.has(name);
  }

  /**
   * Takes in a request. What it subscribes to is asked for anew even when it was known: a client that says so has forgotten it
   * (envoyproxy/envoy#22418). `isFirst` is the first request for the type on its stream.
   */
  apply(change: SubscriptionChange, isFirst: boolean): void {
    for (const name of change.unsubscribe) this.#unsubscribe(name);
    for (const name of change.subscribe) this.#subscribe(name);
    if (isFirst && change.subscribe.length === 0 && hasLegacyWildcard(this.#type)) this.#subscribe('*');
  }

  /** Has `name` answered again on the client's behalf. */
  ask(name: string): void {
    this.#asked.add(name);
  }

  /** A response with this in it is under way. */
  answered(difference: Difference): void {
    if (this.#asked.size === 0) return;
    for (const { name } of difference.changed) this.#asked.delete(name);
    for (const name of difference.removed) this.#asked.delete(name);
  }

  wildcardAnswered(): void {
    this.#wildcardAsked = false;
  }

  #subscribe(name: string): void {
    if (name === '*') {
      this.#wildcard = true;
      this.#wildcardAsked = true;
      return;
    }
    this.#names.add(name);
    this.#asked.add(name);
  }

  #unsubscribe(name: string): void {
    if (name === '*') {
      this.#wildcard = false;
      this.#wildcardAsked = false;
      return;
    }
    this.#names.delete(name);
    // Under the wildcard the client cannot tell whether it still gets the resource, so it must be told.
    if (this.#wildcard) this.#asked.add(name);
    else this.#asked.delete(name);
  }
}

function sizeOf(names: ReadonlySet<string>): number {
  let sum = names.size * bytesPerName;
  for (const name of names) sum += name.length;
  return sum;
}

/** What a string and its place in a set cost besides its characters; measured in Node 20, rounded up. */
export const bytesPerName = 64;
