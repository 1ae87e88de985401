import type { Plan } from '../plan.ts';
import type { Publisher } from '../xds/publisher.ts';
import type { Snapshot } from '../xds/snapshot.ts';
import type { Revision } from './reach.ts';

/** What is on trial, and with whom. */
export interface OnTrial {
  readonly revision: Revision;
  readonly isCanary: (node: string) => boolean;
}

/** Which snapshot each node's key leads to, while all nodes have the same and while canary nodes try what the others have not. */
export class Publication {
  #stable: Revision | undefined;
  #trial: OnTrial | undefined;
  #shown: Plan | undefined;

  /** From now on the nodes shall have this; they are told by `publish`. Gives all that was published and all that shall be, as plans. */
  turn(stable: Revision, trial: OnTrial | undefined): { readonly before: Plan | undefined; readonly after: Plan } {
    const was = this.#shown;
    this.#stable = stable;
    this.#trial = trial;
    const tried = [...(trial?.revision.plan.snapshots ?? [])].map(
      ([key, snapshot]) => [trialKey(key), snapshot] as const,
    );
    const after: Plan = {
      snapshots: new Map([...stable.plan.snapshots, ...tried]),
      keyOf: (node, fit) => this.keyOf(node, fit),
      contentOf: () => undefined,
    };
    this.#shown = after;
    // What canary nodes had before a trial was that of the others.
    const had = [...stable.plan.snapshots].map(([key, snapshot]) => [trialKey(key), snapshot] as const);
    return { before: was && { ...was, snapshots: new Map([...had, ...was.snapshots]) }, after };
  }

  /** All of it is in its place before anybody is asked where they belong. */
  publish(publisher: Publisher): void {
    const wanted = this.#shown?.snapshots ?? new Map<string, Snapshot>();
    const gone = publisher.keys.filter((key) => !wanted.has(key));
    for (const [key, snapshot] of wanted) publisher.publish(key, snapshot);
    publisher.resolveAgain();
    for (const key of gone) publisher.withdraw(key);
  }

  /** The revision that a node belongs to: a newcomer, whom only the one on trial knows, to that. Undefined for a stranger. */
  revisionOf(node: string): Revision | undefined {
    const has = (revision: Revision | undefined): boolean => revision?.plan.keyOf(node, true) !== undefined;
    const trial = this.#trial?.revision;
    const first = this.#trial?.isCanary(node) === true ? trial : this.#stable;
    const second = first === trial ? this.#stable : trial;
    return has(first) ? first : has(second) ? second : undefined;
  }

  /** The key under which a node's snapshot is published. */
  keyOf(node: string, fit: boolean): string | undefined {
    const revision = this.revisionOf(node);
    const key = revision?.plan.keyOf(node, fit);
    return key !== undefined && revision !== this.#stable ? trialKey(key) : key;
  }
}

function trialKey(key: string): string {
  return `${key} on trial`;
}
