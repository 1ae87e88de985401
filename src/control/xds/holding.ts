import {
  compareAll,
  compareNamed,
  cut,
  isEmpty,
  noDifference,
  transition,
  type Difference,
  type Held,
} from './difference.ts';
import type { Moves } from './push-order.ts';
import { noResources, type ResourceMap } from './snapshot.ts';
import type { Subscription } from './subscription.ts';

/** A response that was sent and waits for its ACK or NACK. */
export interface Sent {
  readonly nonce: string;
  /** Version of the snapshot it was made from. */
  readonly version: string;
  readonly difference: Difference;
}

/** Equal to no version, so whatever has it is sent again, or removed. */
const unknown = { version: '' };

/**
 * What a client holds of one type, as far as the server can know: what it was sent, what of that it has not acknowledged yet, and what
 * it refused.
 *
 * While all is well that is the very map of a snapshot, shared with every other stream; only where a stream is special (asks for names,
 * refused something, came with versions from before) it has a map of its own.
 */
export class Holding {
  #held: Held = noResources;
  #own: Map<string, { readonly version: string }> | undefined;
  #unacknowledged: Sent[] = [];
  readonly #rejected = new Map<string, string | undefined>();
  #complete: ResourceMap | undefined;

  /** Responses that wait for an ACK or NACK. */
  get unacknowledged(): number {
    return this.#unacknowledged.length;
  }

  /** Resources of refused responses that are not sent again until one of them changes. */
  get rejected(): number {
    return this.#rejected.size;
  }

  /** The version of `name` that the client holds, or will when it has taken in what is under way. */
  versionOf(name: string): string | undefined {
    return this.#held.get(name)?.version;
  }

  /** The client comes from another stream and still holds these. */
  begin(versions: ReadonlyMap<string, string>, subscription: Subscription): void {
    for (const [name, version] of versions) if (subscription.wants(name)) this.#mine().set(name, { version });
  }

  /** The subscription has changed: what the client no longer wants it drops by itself, without being told. */
  keepWanted(subscription: Subscription): void {
    this.#complete = undefined;
    if (subscription.wildcard) return;
    for (const name of [...this.#held.keys(), ...this.#rejected.keys()]) {
      if (subscription.wants(name)) continue;
      this.#mine().delete(name);
      this.#rejected.delete(name);
    }
  }

  /** What must be sent so that the client holds `to` of what it wants. */
  difference(to: ResourceMap, moves: Moves, subscription: Subscription): Difference {
    if (this.#complete === to) return noDifference;
    if (subscription.wildcard && !this.#own) return transition(this.#held, to)[moves].difference;
    const all = subscription.wildcard ? compareAll(this.#held, to) : compareNamed(this.#held, to, subscription.names);
    if (isEmpty(all)) this.#arrive(to, subscription);
    return cut(all, moves);
  }

  /** A response is on its way. `to` and `moves` are those of the `difference` it was made of, unless names were answered with it. */
  sent(sent: Sent, made?: { readonly to: ResourceMap; readonly moves: Moves }): void {
    this.#complete = undefined;
    this.#unacknowledged.push(sent);
    if (made && !this.#own) {
      const shared = transition(this.#held, made.to)[made.moves];
      if (shared.difference === sent.difference) {
        this.#held = shared.after;
        return;
      }
    }
    const mine = this.#mine();
    for (const resource of sent.difference.changed) mine.set(resource.name, resource);
    for (const name of sent.difference.removed) mine.delete(name);
  }

  /**
   * The client took the response of `nonce` in. Earlier ones are thereby answered too, as a client answers in order.
   * Undefined for a nonce that waits for nothing: an ACK of long ago, or one that we never gave.
   */
  accept(nonce: string): Sent | undefined {
    const sent = this.#take(nonce);
    if (sent && this.#own) this.#confirm(sent.difference, this.#own);
    return sent;
  }

  /**
   * The client refused the response of `nonce`, perhaps all of it. Its resources are taken for held nevertheless, so that nothing pushes
   * them again, and remembered together: when one of them changes all are tried again, as nobody knows which of them was the bad one.
   */
  reject(nonce: string): Sent | undefined {
    const sent = this.#take(nonce);
    if (sent) this.#mine();
    for (const { name, version } of sent?.difference.changed ?? []) this.#rejected.set(name, version);
    for (const name of sent?.difference.removed ?? []) this.#rejected.set(name, undefined);
    return sent;
  }

  /** Drops the memory of refusals if `to` has something else to offer than what was refused. */
  reconsider(to: ResourceMap, subscription: Subscription): void {
    if (this.#rejected.size === 0) return;
    if ([...this.#rejected].every(([name, version]) => to.get(name)?.version === version)) return;
    this.#complete = undefined;
    for (const name of this.#rejected.keys()) if (subscription.wants(name)) this.#mine().set(name, unknown);
    this.#rejected.clear();
  }

  /** What was refused or doubtful before and is taken in now is neither any longer. */
  #confirm({ changed, removed }: Difference, mine: Map<string, { readonly version: string }>): void {
    for (const resource of changed) {
      if (this.#rejected.get(resource.name) === resource.version) this.#rejected.delete(resource.name);
      if (mine.get(resource.name) === unknown) mine.set(resource.name, resource);
    }
    for (const name of removed) {
      if (this.#rejected.get(name) === undefined) this.#rejected.delete(name);
      if (mine.get(name) === unknown) mine.delete(name);
    }
  }

  #take(nonce: string): Sent | undefined {
    const index = this.#unacknowledged.findIndex((sent) => sent.nonce === nonce);
    return index < 0 ? undefined : this.#unacknowledged.splice(0, index + 1).at(-1);
  }

  /** Nothing is missing and nothing too much: the map of the snapshot says it all again. */
  #arrive(to: ResourceMap, subscription: Subscription): void {
    this.#complete = to;
    if (!subscription.wildcard) return;
    this.#held = to;
    this.#own = undefined;
  }

  #mine(): Map<string, { readonly version: string }> {
    this.#own ??= new Map(this.#held);
    this.#held = this.#own;
    return this.#own;
  }
}
