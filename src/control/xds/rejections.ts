import { goodOf, type Difference, type Entry, type Held } from './difference.ts';
import type { Resource, ResourceMap } from './snapshot.ts';

/**
 * What a client refused of one type and has not taken in since. Remembered together: when one of these resources changes all are tried again, as nobody
 * knows which of them was the bad one.
 */
export class Rejections {
  readonly #versions = new Map<string, string | undefined>();
  readonly #replaced: Entry[] = [];

  /** By name; undefined for one that was to be removed. */
  get versions(): ReadonlyMap<string, string | undefined> {
    return this.#versions;
  }

  /** What the client goes on with instead. */
  get replaced(): readonly Entry[] {
    return this.#replaced;
  }

  get isEmpty(): boolean {
    return this.#versions.size === 0;
  }

  /** A response with that in it was refused; `replaced` is what it would have taken the place of. */
  add({ changed, removed }: Difference, replaced: readonly Entry[]): void {
    for (const { name, version } of changed) this.#versions.set(name, version);
    for (const name of removed) this.#versions.set(name, undefined);
    this.#replaced.push(...replaced);
  }

  /** That was taken in. */
  takenIn({ changed, removed }: Difference): void {
    for (const { name, version } of changed) if (this.#versions.get(name) === version) this.#versions.delete(name);
    for (const name of removed) if (this.#versions.get(name) === undefined) this.#versions.delete(name);
  }

  /** All there is came once more and was taken in: so what is in it was refused for the company that it came in. */
  allTakenIn(whole: Held): void {
    for (const [name, version] of this.#versions) if (whole.get(name)?.version === version) this.#versions.delete(name);
  }

  /** The client does not ask for anything else any more. */
  keep(wants: (name: string) => boolean): void {
    for (const name of this.#versions.keys()) if (!wants(name)) this.#versions.delete(name);
  }

  /** Whether `to` has something else to offer than what was refused. */
  isOutdated(to: ResourceMap): boolean {
    return [...this.#versions].some(([name, version]) => to.get(name)?.version !== version);
  }

  /** What the client was known to hold of it before; of what was refused twice, before the last time. */
  good(): ReadonlyMap<string, Resource> {
    const resources = this.#replaced.map(goodOf).filter((resource) => resource !== undefined);
    return new Map(resources.map((resource) => [resource.name, resource]));
  }
}
