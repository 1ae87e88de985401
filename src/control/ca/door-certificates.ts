import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { ConsoleCa, Leaf } from './console-ca.ts';
import { lifeOf } from './expiry.ts';

/** The names that one leaf carries. */
export interface LeafNames {
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
}

/**
 * The leaves of the doors, one for each set of names, made when first asked for and renewed when two thirds of their life are over.
 *
 * `onRenewed` is told which sets have a new leaf; the owner then builds its resources again and so asks for each leaf that a door still
 * shows. A leaf that nobody asked for since it was made is dropped instead of renewed: its door is gone.
 */
export class DoorCertificates {
  #ca: ConsoleCa;
  readonly #clock: Clock;
  readonly #onRenewed: (renewed: readonly LeafNames[]) => void;
  readonly #entries = new Map<string, Entry>();

  constructor(ca: ConsoleCa, clock: Clock, onRenewed: (renewed: readonly LeafNames[]) => void) {
    this.#ca = ca;
    this.#clock = clock;
    this.#onRenewed = onRenewed;
  }

  /**
   * The leaf for these names, in any order: the same one until it is renewed. Throws `ca_invalid` when there are no names, when the CA
   * does not cover one of them, or is over.
   */
  async leafFor(hosts: readonly string[], addresses: readonly string[] = []): Promise<Leaf> {
    const names = { hosts: canonical(hosts), addresses: canonical(addresses) };
    const key = JSON.stringify(names);
    const entry = this.#entries.get(key) ?? this.#makeEntry(key, names);
    entry.asked = true;
    const leaf = await entry.leaf;
    if (leaf.notAfter.getTime() > this.#clock.now()) return leaf;
    // Renewal has failed until the end. Nobody accepts this one; so try once more, and let the caller hear why not.
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    return this.leafFor(hosts, addresses);
  }

  /**
   * Renews what is due and tells the listener. A leaf that cannot be renewed stays as it is, the others are renewed all the same, and then
   * the first failure is thrown.
   */
  async renewDue(): Promise<void> {
    const renewed: LeafNames[] = [];
    const failures: unknown[] = [];
    for (const [key, entry] of [...this.#entries]) {
      try {
        if (await this.#renewIfDue(key, entry)) renewed.push(entry.names);
      } catch (caught) {
        failures.push(caught);
      }
    }
    if (renewed.length > 0) this.#onRenewed(renewed);
    if (failures.length > 0) throw SekishoError.from(failures[0]);
  }

  /** Renews what is due every hour until the signal; a failure goes to `onFailure` and is tried again an hour later. */
  async renewUntil(
    signal: AbortSignal,
    onFailure: (failure: SekishoError) => void,
    pause: (signal: AbortSignal) => Promise<void> = anHour,
  ): Promise<void> {
    while (!signal.aborted) {
      await this.renewDue().catch((caught: unknown) => {
        onFailure(SekishoError.from(caught));
      });
      await pause(signal);
    }
  }

  /**
   * Goes on with a CA that was read from disk again. True when its intermediate is another one: every leaf is then made anew as it is asked
   * for, and the owner should build its resources again.
   */
  adopt(ca: ConsoleCa): boolean {
    if (ca.intermediate.raw.equals(this.#ca.intermediate.raw)) return false;
    this.#ca = ca;
    this.#entries.clear();
    return true;
  }

  #makeEntry(key: string, names: LeafNames): Entry {
    const entry: Entry = { names, leaf: this.#issue(names), asked: true };
    this.#entries.set(key, entry);
    // A failure is the asker's to hear; the next one who asks tries again.
    entry.leaf.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry;
  }

  async #renewIfDue(key: string, entry: Entry): Promise<boolean> {
    const leaf = await entry.leaf.catch(() => undefined);
    if (leaf === undefined || !this.#isDue(leaf)) return false;
    if (!entry.asked) {
      this.#entries.delete(key);
      return false;
    }
    const fresh = await this.#issue(entry.names);
    // Whoever adopted another CA meanwhile has cleared the way for a leaf of that one.
    if (this.#entries.get(key) !== entry) return false;
    this.#entries.set(key, { names: entry.names, leaf: Promise.resolve(fresh), asked: false });
    return true;
  }

  /** A leaf that ends with its intermediate is not due: a new one would end no later. */
  #isDue({ notBefore, notAfter }: Leaf): boolean {
    const due = notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3;
    return this.#clock.now() >= due && notAfter < lifeOf(this.#ca.intermediate).notAfter;
  }

  async #issue({ hosts, addresses }: LeafNames): Promise<Leaf> {
    if (hosts.length + addresses.length > 0) return this.#ca.issueLeaf(hosts, addresses, new Date(this.#clock.now()));
    throw new SekishoError(
      'ca_invalid',
      'a door certificate needs at least one name; name regions or hosts under `console:`',
    );
  }
}

interface Entry {
  readonly names: LeafNames;
  readonly leaf: Promise<Leaf>;
  /** Whether anyone has asked since this leaf was made. */
  asked: boolean;
}

function canonical(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))].sort();
}

/** Often enough for a leaf with ten days left when it is due. Ends early, without error, when the signal comes. */
async function anHour(signal: AbortSignal): Promise<void> {
  await sleep(3_600_000, undefined, { signal }).catch(() => undefined);
}
