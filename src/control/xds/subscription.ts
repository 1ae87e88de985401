import type { NameList } from '../../wire/name-list.ts';
import { bytesPerName, internNames, nameSetOf, noNames, type NameSet } from './name-set.ts';
import { noResources, viewOf, type ResourceMap } from './snapshot.ts';
import { isRootType, type TypeUrl } from './type-urls.ts';

const nothing: ReadonlySet<string> = new Set();

/**
 * What one stream asks for of one type, and what of that still waits for an answer.
 * Source: "xDS REST and gRPC protocol", How the client specifies what resources to return.
 */
export class Subscription {
  readonly #type: TypeUrl;
  #names: NameSet = noNames;
  #asked: ReadonlySet<string> = nothing;
  /** Of these those that the client brought along: one that is again what the client has needs no answer. */
  #brought: ReadonlySet<string> = nothing;
  #wildcard = false;
  #wildcardAsked = false;
  /** Whether names were ever listed: an empty list means everything only until then. */
  #named = false;
  /** The list of the last state-of-the-world request, `*` included. */
  #listed: NameSet = noNames;
  /** What the last view was of, and that view. */
  #viewed: { readonly resources: ResourceMap; readonly names: NameSet; readonly view: ResourceMap } | undefined;

  constructor(type: TypeUrl) {
    this.#type = type;
  }

  /** Whether the client wants every resource of the type. */
  get wildcard(): boolean {
    return this.#wildcard;
  }

  /** The resources that it wants by name, be it besides the wildcard. */
  get names(): ReadonlySet<string> {
    return this.#names.names;
  }

  /** Names that must be answered whatever the client is believed to hold. */
  get asked(): ReadonlySet<string> {
    return this.#asked;
  }

  /** Whether the wildcard waits for its first answer, which is due even if it is empty: Envoy holds its start back for it. */
  get wildcardAsked(): boolean {
    return this.#wildcardAsked;
  }

  /** About how many bytes it takes to remember all this, were it not shared. */
  get size(): number {
    let size = this.#names.bytes;
    if (this.#asked !== this.#names.names) for (const name of this.#asked) size += name.length + bytesPerName;
    return size;
  }

  wants(name: string): boolean {
    return this.#wildcard || this.#names.names.has(name);
  }

  /** The part of `resources` that the client wants. */
  view(resources: ResourceMap): ResourceMap {
    if (this.#wildcard) return resources;
    if (this.#names === noNames) return noResources;
    if (this.#viewed?.resources !== resources || this.#viewed.names !== this.#names)
      this.#viewed = { resources, names: this.#names, view: viewOf(resources, this.#names) };
    return this.#viewed.view;
  }

  /**
   * Takes in a delta request. What it subscribes to is asked for anew even when it was known: a client that says so has forgotten it
   * (envoyproxy/envoy#22418). `isFirst` is the first request for the type on its stream.
   */
  change(subscribe: NameList, unsubscribe: NameList, isFirst: boolean): void {
    if (isFirst && subscribe.isEmpty && isRootType(this.#type)) this.#askAll();
    if (isFirst && unsubscribe.isEmpty && !subscribe.isEmpty) {
      this.#begin(nameSetOf(subscribe));
      return;
    }
    if (!unsubscribe.isEmpty) this.#leave(nameSetOf(unsubscribe));
    if (!subscribe.isEmpty) this.#join(nameSetOf(subscribe));
  }

  /** Takes in the list of a state-of-the-world request: all that the client wants from now on. Says whether that is something else than before. */
  replace(list: NameList, isFirst: boolean): boolean {
    if (list.isEmpty && !this.#named) {
      if (!isFirst || !isRootType(this.#type)) return false;
      this.#askAll();
      return true;
    }
    const set = nameSetOf(list);
    this.#named = true;
    if (set === this.#listed) return false;
    this.#listed = set;
    const had = { wildcard: this.#wildcard, names: this.#names.names };
    const { names, wildcard } = split(set);
    this.#wildcard = wildcard;
    this.#wildcardAsked = wildcard && (this.#wildcardAsked || !had.wildcard);
    this.#names = names;
    // Who leaves the wildcard names all anew.
    const isNew = (name: string): boolean => (had.wildcard ? !wildcard : !had.names.has(name));
    this.#asked = subset(names.names, (name) => isNew(name) || this.#asked.has(name));
    return true;
  }

  /** Whether `name`, which is asked for, needs no answer as long as the client has it in the same version. */
  isBrought(name: string): boolean {
    return this.#brought.has(name);
  }

  /** Has `name` answered again on the client's behalf. */
  ask(name: string): void {
    this.#brought = subset(this.#brought, (one) => one !== name);
    if (!this.#asked.has(name)) this.#asked = new Set([...this.#asked, name]);
  }

  /** Of what is asked for that which `isBrought` says needs no answer where it turns out to be the same. */
  expectUnlessSame(isBrought: (name: string) => boolean): void {
    this.#brought = subset(this.#asked, isBrought);
  }

  /** Of what is asked for only that is still due which `isDue` says. */
  expect(isDue: (name: string) => boolean): void {
    this.#asked = subset(this.#asked, isDue);
  }

  /** What was asked for is answered, except for `left`. */
  answered(left: ReadonlySet<string> = nothing): void {
    this.#asked = left;
  }

  wildcardAnswered(): void {
    this.#wildcardAsked = false;
  }

  #askAll(): void {
    this.#wildcard = true;
    this.#wildcardAsked = true;
  }

  #begin(set: NameSet): void {
    const { names, wildcard } = split(set);
    if (wildcard) this.#askAll();
    this.#names = names;
    this.#asked = names.names;
  }

  #join(set: NameSet): void {
    const { names, wildcard } = split(set);
    if (wildcard) this.#askAll();
    const isNew = [...names.names].some((name) => !this.#names.names.has(name));
    if (isNew) this.#names = internNames([...this.#names.names, ...names.names]);
    if (names !== noNames) this.#asked = new Set([...this.#asked, ...names.names]);
    if (this.#brought.size > 0) this.#brought = subset(this.#brought, (name) => !names.names.has(name));
  }

  #leave(set: NameSet): void {
    const { names, wildcard } = split(set);
    if (wildcard) {
      this.#wildcard = false;
      this.#wildcardAsked = false;
    }
    this.#names = internNames([...this.#names.names].filter((name) => !names.names.has(name)));
    // Under the wildcard the client cannot tell whether it still gets the resource, so it must be told.
    this.#asked = this.#wildcard
      ? new Set([...this.#asked, ...names.names])
      : subset(this.#asked, (name) => !names.names.has(name));
  }
}

const everything = '*';

/** What a list says apart from the `*` in it. */
function split(set: NameSet): { readonly names: NameSet; readonly wildcard: boolean } {
  if (!set.names.has(everything)) return { names: set, wildcard: false };
  return { names: internNames([...set.names].filter((name) => name !== everything)), wildcard: true };
}

/** The same object where all are kept: sets are compared by identity. */
function subset(names: ReadonlySet<string>, keep: (name: string) => boolean): ReadonlySet<string> {
  const kept = [...names].filter(keep);
  if (kept.length === names.size) return names;
  return kept.length === 0 ? nothing : new Set(kept);
}
