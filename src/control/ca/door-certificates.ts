import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { ConsoleCa, Leaf } from './console-ca.ts';
import { lifeOf } from './expiry.ts';
import type { KeptLeaf, LeafNames } from './leaf-file.ts';
import type { LeafStore } from './leaf-store.ts';

/**
 * The leaves of the doors, one for each set of names, and the same ones in every process that shares the store. Where this process issues, a leaf is made when
 * first asked for and renewed when two thirds of its life are over; where another one does, what that one keeps is shown here.
 *
 * `onRenewed` is told which sets have a new leaf; the owner then builds its resources again and so asks for each leaf that a door still
 * shows. A leaf that nobody asked for since it was made is dropped instead of renewed: its door is gone.
 */
export class DoorCertificates {
  #ca: ConsoleCa;
  readonly #clock: Clock;
  readonly #store: LeafStore;
  readonly #onRenewed: (renewed: readonly LeafNames[]) => void;
  readonly #patienceMs: number;
  readonly #entries = new Map<string, Entry>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: {
    readonly ca: ConsoleCa;
    readonly clock: Clock;
    readonly store: LeafStore;
    readonly onRenewed: (renewed: readonly LeafNames[]) => void;
    /** For so long somebody who asks waits for a leaf that another process has to issue. */
    readonly patienceMs?: number;
  }) {
    this.#ca = options.ca;
    this.#clock = options.clock;
    this.#store = options.store;
    this.#onRenewed = options.onRenewed;
    this.#patienceMs = options.patienceMs ?? aMinute;
  }

  /**
   * The leaf for these names, in any order: the same one until it is renewed. Throws `ca_invalid` when there are no names, when the CA
   * does not cover one of them, or is over, and `lease_elsewhere` when another process should issue it and does not.
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
   * Renews what is due, if that is for this process to do, and tells the listener. A leaf that cannot be renewed stays as it is, the others are renewed all
   * the same, and then the first failure is thrown.
   */
  renewDue(): Promise<void> {
    return this.#turn(async () => {
      await this.#forEach((key, entry) => this.#renewIfDue(key, entry));
      if (this.#store.issues) await this.#store.dropOver(this.#clock.now()).catch(toNothingIfLost);
    });
  }

  /** Goes on with what the store holds by now, and tells the listener what is new. To be called when the store has changed. */
  refresh(): Promise<void> {
    return this.#turn(() => this.#forEach((key, entry) => this.#refresh(key, entry)));
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
   * Goes on with a CA that was read from disk again. True when its intermediate is another one: where this process issues, every leaf is then made anew as it is
   * asked for, and the owner should build its resources again.
   */
  adopt(ca: ConsoleCa): boolean {
    if (ca.intermediate.raw.equals(this.#ca.intermediate.raw)) return false;
    this.#ca = ca;
    this.#entries.clear();
    return true;
  }

  /** One after the other: of two at a time, each would issue what the other has just issued. */
  #turn(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #forEach(renew: (key: string, entry: Entry) => Promise<boolean>): Promise<void> {
    const renewed: LeafNames[] = [];
    const failures: unknown[] = [];
    for (const [key, entry] of [...this.#entries]) {
      try {
        if (await renew(key, entry)) renewed.push(entry.names);
      } catch (caught) {
        failures.push(caught);
      }
    }
    if (renewed.length > 0) this.#onRenewed(renewed);
    if (failures.length > 0) throw SekishoError.from(failures[0]);
  }

  #makeEntry(key: string, names: LeafNames): Entry {
    const entry: Entry = { names, leaf: this.#obtain(names), asked: true };
    this.#entries.set(key, entry);
    // A failure is the asker's to hear; the next one who asks tries again.
    entry.leaf.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry;
  }

  async #renewIfDue(key: string, entry: Entry): Promise<boolean> {
    const leaf = await entry.leaf.catch(() => undefined);
    if (leaf === undefined || !this.#store.issues || !this.#isDue(leaf)) return false;
    if (!entry.asked) {
      this.#entries.delete(key);
      await this.#store.drop(entry.names).catch(toNothingIfLost);
      return false;
    }
    const fresh = await this.#issue(entry.names).catch(toNothingIfLost);
    return fresh !== undefined && this.#replace(key, entry, fresh);
  }

  async #refresh(key: string, entry: Entry): Promise<boolean> {
    const leaf = await entry.leaf.catch(() => undefined);
    const kept = await this.#store.find(entry.names, this.#ca.root);
    if (leaf === undefined || kept === undefined || kept.leaf.version === leaf.version || !this.#isGood(kept))
      return false;
    return this.#replace(key, entry, kept.leaf);
  }

  /** Whoever adopted another CA meanwhile, or read the store, has cleared the way for a later leaf. */
  #replace(key: string, entry: Entry, leaf: Leaf): boolean {
    if (this.#entries.get(key) !== entry) return false;
    this.#entries.set(key, { names: entry.names, leaf: Promise.resolve(leaf), asked: false });
    return true;
  }

  /** A leaf that ends with its intermediate is not due: a new one would end no later. */
  #isDue({ notBefore, notAfter }: Leaf): boolean {
    const due = notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3;
    return this.#clock.now() >= due && notAfter < lifeOf(this.#ca.intermediate).notAfter;
  }

  /** What is kept, or else a new one by whoever issues. */
  async #obtain(names: LeafNames): Promise<Leaf> {
    if (names.hosts.length + names.addresses.length === 0) throw nameless();
    this.#ca.assertPermits(names.hosts, names.addresses);
    const patience = new AbortController();
    // Not one of AbortSignal.timeout, which keeps no process alive that has nothing else to do yet.
    const timer = setTimeout(() => {
      patience.abort();
    }, this.#patienceMs);
    try {
      for (;;) {
        const change = this.#store.changed(patience.signal);
        const kept = await this.#store.find(names, this.#ca.root);
        if (kept !== undefined && this.#isGood(kept)) return kept.leaf;
        const issued = this.#store.issues ? await this.#issue(names).catch(toNothingIfLost) : undefined;
        if (issued !== undefined) return issued;
        if (patience.signal.aborted) throw elsewhere(this.#store.issuer);
        await change;
      }
    } finally {
      clearTimeout(timer);
      patience.abort();
    }
  }

  /** Whether a door can go on with it: not over, and, where a newer intermediate has come, signed by that, unless it is for another process to sign. */
  #isGood({ leaf, intermediate }: KeptLeaf): boolean {
    const ours = this.#ca.intermediate;
    const isOld = !intermediate.raw.equals(ours.raw) && lifeOf(intermediate).notBefore < lifeOf(ours).notBefore;
    return leaf.notAfter.getTime() > this.#clock.now() && !(isOld && this.#store.issues);
  }

  /** Nobody shows a leaf before it is kept: another process could not show the same. */
  async #issue(names: LeafNames): Promise<Leaf> {
    const leaf = await this.#ca.issueLeaf(names.hosts, names.addresses, new Date(this.#clock.now()));
    await this.#store.keep(names, leaf);
    return leaf;
  }
}

interface Entry {
  readonly names: LeafNames;
  readonly leaf: Promise<Leaf>;
  /** Whether anyone has asked since this leaf was made. */
  asked: boolean;
}

function nameless(): SekishoError {
  return new SekishoError(
    'ca_invalid',
    'a door certificate needs at least one name; name regions or hosts under `console:`',
  );
}

function elsewhere(issuer: string): SekishoError {
  return new SekishoError(
    'lease_elsewhere',
    `a door needs a certificate that only the holder of the lease may issue, which is ${issuer} — give that one the same policy and console intermediate`,
    { facts: { holder: issuer } },
  );
}

/** Another process issues by now; what it keeps comes by `refresh`. */
function toNothingIfLost(caught: unknown): undefined {
  if (SekishoError.from(caught).code !== 'lease_lost') throw caught;
}

function canonical(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))].sort();
}

const aMinute = 60_000;

/** Often enough for a leaf with ten days left when it is due. Ends early, without error, when the signal comes. */
async function anHour(signal: AbortSignal): Promise<void> {
  await sleep(3_600_000, undefined, { signal }).catch(() => undefined);
}
