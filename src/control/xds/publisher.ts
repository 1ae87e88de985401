import { systemClock, type Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { NodeInfo } from '../../wire/node-info.ts';
import { NodeMemory } from './node-memory.ts';
import { PushQueue } from './push-queue.ts';
import { Responses } from './responses.ts';
import type { Snapshot } from './snapshot.ts';
import type { StreamState } from './stream-state.ts';

/** A stream as the publisher sees it, whichever protocol it speaks. */
export interface Follower {
  /** There is something newer to have. Called with the newest only; the follower decides when to send it. */
  update(snapshot: Snapshot): void;
  /** The node has no business here any more. */
  refuse(error: SekishoError): void;
  /** How its client stands, as far as it is known. */
  describe(): StreamState;
}

/** Which key a node's snapshot is published under; undefined for a node that is not of the fleet. */
export type Resolve = (node: NodeInfo) => string | undefined;

/** Membership of a stream; ended by its owner. */
export interface Following {
  end(): void;
}

interface Member {
  readonly node: NodeInfo;
  readonly follower: Follower;
  key: string;
}

/**
 * Who shall have which snapshot. Nodes that shall have the same share a key, and so one snapshot and the bytes made of it.
 * Keeps the newest snapshot of each key and the streams that are open, and nothing of nodes that left.
 */
export class Publisher {
  /** The responses made of all snapshots published here. */
  readonly responses = new Responses();
  readonly clock: Clock;
  /** What was shown to nodes that left. */
  readonly memory: NodeMemory;
  readonly #resolve: Resolve;
  readonly #queue = new PushQueue<Member>((member) => {
    this.#update(member);
  });
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #members = new Map<string, Set<Member>>();

  constructor(options: { readonly resolve: Resolve; readonly clock?: Clock }) {
    this.#resolve = options.resolve;
    this.clock = options.clock ?? systemClock;
    this.memory = new NodeMemory(this.clock);
  }

  /** The keys under which something is published. */
  get keys(): readonly string[] {
    return [...this.#snapshots.keys()];
  }

  /** How the client of each open stream stands. */
  get streams(): readonly StreamState[] {
    return [...this.#members.values()].flatMap((members) => [...members].map(({ follower }) => follower.describe()));
  }

  current(key: string): Snapshot | undefined {
    return this.#snapshots.get(key);
  }

  /**
   * From now on the nodes of `key` shall have `snapshot`, those that connect later included. Streams are told one after the other, with pauses for
   * whatever else the process does; who has not been told yet when the next snapshot comes is told of that one only.
   */
  publish(key: string, snapshot: Snapshot): void {
    if (this.#snapshots.get(key) === snapshot) return;
    this.#snapshots.set(key, snapshot);
    this.#queue.add(this.#members.get(key) ?? []);
  }

  /** Nothing is published under `key` any more. Streams under it keep what they have until `resolveAgain` finds them another place. */
  withdraw(key: string): void {
    this.#snapshots.delete(key);
  }

  /** Asks again where each stream belongs, after the policy changed; streams that belong nowhere are refused. */
  resolveAgain(): void {
    for (const member of [...this.#members.values()].flatMap((members) => [...members])) {
      const key = this.#resolve(member.node);
      if (key === member.key) continue;
      this.#leave(member);
      if (key === undefined) member.follower.refuse(unknownNode(member.node));
      else {
        this.#join(member, key);
        this.#queue.add([member]);
      }
    }
  }

  /**
   * Lets a stream follow what its node shall have; the current snapshot comes before this returns, if there is one already.
   * Throws `node_unknown` for a node that is not of the fleet.
   */
  follow(node: NodeInfo, follower: Follower): Following {
    const key = this.#resolve(node);
    if (key === undefined) throw unknownNode(node);
    const member = { node, follower, key };
    this.#join(member, key);
    this.#update(member);
    return {
      end: () => {
        this.#leave(member);
      },
    };
  }

  #join(member: Member, key: string): void {
    member.key = key;
    const members = this.#members.get(key) ?? new Set<Member>();
    this.#members.set(key, members.add(member));
  }

  #update({ key, follower }: Member): void {
    const snapshot = this.#snapshots.get(key);
    if (snapshot) follower.update(snapshot);
  }

  #leave(member: Member): void {
    this.#queue.remove(member);
    const members = this.#members.get(member.key);
    members?.delete(member);
    if (members?.size === 0) this.#members.delete(member.key);
  }
}

function unknownNode(node: NodeInfo): SekishoError {
  return new SekishoError(
    'node_unknown',
    `No node group of the policy admits the node "${node.id}"; add it to fleet.nodes.`,
    {
      facts: { node: node.id },
    },
  );
}
