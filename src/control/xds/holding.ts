import {
  compare,
  goodOf,
  isEmpty,
  noDifference,
  transition,
  type Difference,
  type Entry,
  type Held,
} from './difference.ts';
import { referencesOf, referencesOfAll, refersTo } from './references.ts';
import { Rejections } from './rejections.ts';
import { noResources, type ResourceMap } from './snapshot.ts';
import type { TypeUrl } from './type-urls.ts';

/** A response that was sent and waits for its ACK or NACK. */
export interface Sent {
  readonly nonce: string;
  /** The version that the client was shown. */
  readonly version: string;
  readonly difference: Difference;
  /** All that it shows, where that is all that the client then holds. */
  readonly whole: Held | undefined;
  /** What it takes the place of, if the client takes it in. */
  readonly replaced: readonly Entry[];
}

/** Equal to no version, so whatever has it is sent again, or removed. */
const unknownVersion = '';

/**
 * What a client holds of one type, as far as the server can know: what it was sent, what of that it has not acknowledged yet, and what
 * it refused.
 *
 * While all is well that is the very map of a snapshot, or the view of one, shared with every other stream; only where a stream is special
 * (names asked for again, something refused, versions from before) it has a map of its own.
 */
export class Holding {
  #held: Held = noResources;
  #own: Map<string, Entry> | undefined;
  #unacknowledged: Sent[] = [];
  #rejected: Rejections | undefined;
  #complete: ResourceMap | undefined;
  #isBrought = false;

  /** Responses that wait for an ACK or NACK. */
  get unacknowledged(): number {
    return this.#unacknowledged.length;
  }

  /** Resources of refused responses that are not sent again until one of them changes; undefined for one that was to be removed. */
  get rejected(): ReadonlyMap<string, string | undefined> {
    return this.#rejected?.versions ?? nothing;
  }

  get hasRejected(): boolean {
    return this.#rejected !== undefined;
  }

  /** Whether that is known to be all that the client holds, or will when it has taken in what is under way; false also where it only has to be compared. */
  isAt(to: ResourceMap): boolean {
    return this.#held === to || this.#complete === to;
  }

  /** What the client holds, or will when it has taken in what is under way. */
  get held(): Held {
    return this.#held;
  }

  /** Responses that wait for an ACK or NACK, the oldest first. */
  get underWay(): readonly Sent[] {
    return this.#unacknowledged;
  }

  /** What the client goes on with instead of what it refused. */
  get goesOnWith(): readonly Entry[] {
    return this.#rejected?.replaced ?? [];
  }

  /** How many resources it remembers apart from what it shares with others. */
  get ownSize(): number {
    return this.#own?.size ?? 0;
  }

  /** Whether the client brought something along from another stream. */
  get isBrought(): boolean {
    return this.#isBrought;
  }

  /** Nonce of the last response, answered or not; empty where there was none. */
  lastNonce = '';

  /** The client comes from another stream and still holds these. What equals `now` is known by its content. */
  begin(versions: ReadonlyMap<string, string>, now: ResourceMap, wants: (name: string) => boolean): void {
    for (const [name, version] of versions) {
      if (!wants(name)) continue;
      this.#isBrought = true;
      const resource = now.get(name);
      this.#mine().set(name, resource?.version === version ? resource : { name, version });
    }
  }

  /** The client comes from another stream and holds exactly that, as far as it still wants it. */
  beginWith(held: Held, wants: (name: string) => boolean): void {
    this.#held = held;
    this.#isBrought = true;
    this.keepWanted(wants);
  }

  /** The client comes from another stream and may hold these. All of them are due again, or must be taken away. */
  beginDoubtful(possible: Held, wants: (name: string) => boolean): void {
    for (const [name, entry] of possible) {
      if (!wants(name)) continue;
      this.#isBrought = true;
      this.#mine().set(name, { name, version: unknownVersion, good: goodOf(entry) });
    }
  }

  /** The subscription has changed: what the client no longer wants it drops by itself, without being told. */
  keepWanted(wants: (name: string) => boolean): void {
    this.#complete = undefined;
    for (const name of this.#held.keys()) if (!wants(name)) this.#mine().delete(name);
    this.#rejected?.keep(wants);
    this.#forgetEmpty();
  }

  /** What must be sent so that the client holds `to`, but keeps what `keeps` says for now. */
  difference(
    to: ResourceMap,
    keeps?: (name: string) => boolean,
  ): { readonly difference: Difference; readonly kept: readonly string[] } {
    if (this.isAt(to)) return settled;
    const all = this.#missing(to);
    if (isEmpty(all)) {
      this.#arrive(to);
      return settled;
    }
    const kept = keeps && all.removed.length > 0 ? all.removed.filter(keeps) : none;
    if (kept.length === 0) return { difference: all, kept };
    if (!this.#own) return { difference: transition(this.#held, to, kept).difference, kept };
    const stays = new Set(kept);
    const removed = all.removed.filter((name) => !stays.has(name));
    return {
      difference: all.changed.length + removed.length === 0 ? noDifference : { changed: all.changed, removed },
      kept,
    };
  }

  /**
   * The client is about to hold something else: by a response, or without one where the variant cannot say of a type that something is gone.
   * `goal` is where it leads, but for `kept`; undefined where names are answered. Gives what it takes the place of.
   */
  move(difference: Difference, goal: ResourceMap | undefined, kept: readonly string[]): readonly Entry[] {
    this.#complete = undefined;
    const replaced = this.#replacedBy(difference);
    if (goal && !this.#own) {
      const shared = transition(this.#held, goal, kept);
      if (shared.difference === difference) {
        this.#held = shared.after;
        return replaced;
      }
    }
    const isNews = difference.changed.some(({ name, version }) => this.#held.get(name)?.version !== version);
    if (!isNews && !difference.removed.some((name) => this.#held.has(name))) return replaced;
    const mine = this.#mine();
    for (const resource of difference.changed) mine.set(resource.name, resource);
    for (const name of difference.removed) mine.delete(name);
    return replaced;
  }

  /** The response that moves it there is on its way. */
  sent(sent: Sent): void {
    this.lastNonce = sent.nonce;
    this.#unacknowledged.push(sent);
  }

  /** What the client holds, as a map that nobody changes: the shared one, or a copy. */
  frozen(): Held {
    return this.#own ? new Map([...this.#own].sort(([a], [b]) => (a < b ? -1 : 1))) : this.#held;
  }

  /** Whether it is known what the client holds: nothing is under way, which may arrive or not, and nothing was refused, which may have been taken in part. */
  get isCertain(): boolean {
    if (this.unacknowledged > 0 || this.#rejected) return false;
    return ![...(this.#own?.values() ?? [])].some(({ version }) => version === unknownVersion);
  }

  /** All that the client may hold; of what it was sent and has not said that it took in, what it had before. */
  possible(): Held {
    const possible = new Map<string, Entry>(this.#held);
    const before = [...(this.#rejected?.replaced ?? []), ...this.#unacknowledged.flatMap((sent) => sent.replaced)];
    for (const entry of before.reverse().map(goodOf)) if (entry) possible.set(entry.name, entry);
    return possible;
  }

  /**
   * The client took the response of `nonce` in. Earlier ones are thereby answered too, as a client answers in order.
   * Undefined for a nonce that waits for nothing: an ACK of long ago, or one that we never gave.
   */
  accept(nonce: string): Sent | undefined {
    const sent = this.#take(nonce);
    if (!sent) return undefined;
    if (this.#own) dispelDoubts(sent.difference, this.#own);
    this.#rejected?.takenIn(sent.difference);
    if (sent.whole) this.#rejected?.allTakenIn(sent.whole);
    this.#forgetEmpty();
    return sent;
  }

  /**
   * The client refused the response of `nonce`, perhaps all of it. Its resources are taken for held nevertheless, so that nothing pushes
   * them again.
   */
  reject(nonce: string): Sent | undefined {
    const sent = this.#take(nonce);
    if (!sent) return undefined;
    this.#mine();
    this.#rejected ??= new Rejections();
    this.#rejected.add(sent.difference, sent.replaced);
    this.#forgetEmpty();
    return sent;
  }

  /** Drops the memory of refusals if `to` has something else to offer than what was refused. */
  reconsider(to: ResourceMap, wants: (name: string) => boolean): void {
    if (!this.#rejected?.isOutdated(to)) return;
    this.#complete = undefined;
    const good = this.#rejected.good();
    for (const name of this.#rejected.versions.keys()) {
      if (wants(name)) this.#mine().set(name, { name, version: unknownVersion, good: good.get(name) });
    }
    this.#rejected = undefined;
  }

  /** The resources of a type that what the client holds refers to. */
  names(type: TypeUrl): ReadonlySet<string> | undefined {
    return referencesOfAll(this.#held, this.#own === undefined).names.get(type);
  }

  /**
   * Whether something that the client holds, or may still hold as it has not taken in what shall replace it, refers to that resource. Where
   * nothing but the version is known, `unseen` is the answer.
   */
  refersTo(type: TypeUrl, name: string, unseen: boolean): boolean {
    const references = referencesOfAll(this.#held, this.#own === undefined);
    return (references.unseen && unseen) || refersTo(references, type, name) || this.stillRefersTo(type, name, unseen);
  }

  /** The same of what the client may still hold although it was sent something else. */
  stillRefersTo(type: TypeUrl, name: string, unseen: boolean): boolean {
    const refers = (entry: Entry): boolean => entryRefersTo(entry, type, name, unseen);
    const isUnderWay = this.#unacknowledged.some(({ replaced }) => replaced.some(refers));
    return isUnderWay || (this.#rejected?.replaced.some(refers) ?? false);
  }

  /** The same of what the client holds and `to` has not. */
  restRefersTo(to: ResourceMap, type: TypeUrl, name: string, unseen: boolean): boolean {
    return this.#missing(to).removed.some((rest) => {
      const entry = this.#held.get(rest);
      return entry !== undefined && entryRefersTo(entry, type, name, unseen);
    });
  }

  #forgetEmpty(): void {
    if (this.#rejected?.isEmpty) this.#rejected = undefined;
  }

  #missing(to: ResourceMap): Difference {
    return this.#own ? compare(this.#held, to) : transition(this.#held, to).difference;
  }

  #replacedBy({ changed, removed }: Difference): Entry[] {
    if (this.#held.size === 0) return [];
    const before: (Entry | undefined)[] = [];
    for (const { name } of changed) before.push(this.#held.get(name));
    for (const name of removed) before.push(this.#held.get(name));
    return before.filter((entry) => entry !== undefined);
  }

  #take(nonce: string): Sent | undefined {
    if (this.#unacknowledged[0]?.nonce === nonce) return this.#unacknowledged.shift();
    const index = this.#unacknowledged.findIndex((sent) => sent.nonce === nonce);
    return index < 0 ? undefined : this.#unacknowledged.splice(0, index + 1).at(-1);
  }

  /** Nothing is missing and nothing too much: the shared map says it all again. */
  #arrive(to: ResourceMap): void {
    this.#complete = to;
    if (this.#rejected) return;
    this.#held = to;
    this.#own = undefined;
  }

  #mine(): Map<string, Entry> {
    this.#own ??= new Map(this.#held);
    this.#held = this.#own;
    return this.#own;
  }
}

function entryRefersTo(entry: Entry, type: TypeUrl, name: string, unseen: boolean): boolean {
  return 'bytes' in entry ? refersTo(referencesOf(entry), type, name) : unseen;
}

/** What was doubtful before and is taken in now is so no longer. */
function dispelDoubts({ changed, removed }: Difference, mine: Map<string, Entry>): void {
  for (const resource of changed)
    if (mine.get(resource.name)?.version === unknownVersion) mine.set(resource.name, resource);
  for (const name of removed) if (mine.get(name)?.version === unknownVersion) mine.delete(name);
}

const nothing: ReadonlyMap<string, string | undefined> = new Map();
const none: readonly string[] = [];
const settled = { difference: noDifference, kept: none };
