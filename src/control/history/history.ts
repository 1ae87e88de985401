import type { Clock } from '../../base/clock.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { noEvent, type ControlActor, type ControlEvent } from '../../wire/control-event.ts';
import type { NodeInfo } from '../../wire/node-info.ts';
import { versionFault } from '../fleet/envoy-version.ts';
import type { Plan } from '../plan.ts';
import type { XdsEvent } from '../xds/events.types.ts';
import { shortType } from '../xds/type-urls.ts';
import { NodeAnswers } from './node-answers.ts';
import { OpenStream } from './open-stream.ts';
import { typeChanges } from './type-changes.ts';
import { within } from './within.ts';

/** Takes what happened, for the record. Must be quick and must not throw. */
export type ControlReport = (event: ControlEvent) => void;

/** What an act consists of, less its time; what does not apply is left out. */
export type ControlFacts = Pick<ControlEvent, 'act' | 'actor'> & Partial<ControlEvent>;

export interface Publication {
  readonly actor: Extract<ControlActor, 'policy' | 'renewal' | 'rollout'>;
  readonly policy: Policy;
  /** What was published before; undefined at the start. */
  readonly before: Plan | undefined;
  readonly after: Plan;
}

/** The ids of nodes take at most so many bytes of an event, which is a half of a record. */
const nodesBytes = 32 * 1024;

/**
 * What the control plane did and what the nodes said to it, as events for the record: each publication, each node's acknowledgement of it, each
 * refusal. What says nothing new is left out, so that a node that comes and goes fills no journal.
 */
export class History {
  readonly #clock: Clock;
  readonly #report: ControlReport;
  readonly #answers = new NodeAnswers();
  readonly #streams = new Map<number, OpenStream>();
  /** Publications that no node had yet, by target: a record once one gets it, nothing if none does before the next one. */
  readonly #waiting = new Map<string, ControlEvent>();
  #plan: Plan | undefined;
  #policySha256: string | undefined;

  constructor(options: { readonly clock: Clock; readonly report: ControlReport }) {
    this.#clock = options.clock;
    this.#report = options.report;
  }

  /** Reports an act, now: a promotion, a rollback, what an operator asked for. */
  report(facts: ControlFacts): void {
    this.#report(to(facts.nodes ?? [], this.#event(facts)));
  }

  /**
   * A plan is about to reach the nodes. One event for each target whose snapshot is another one than before; where there is none and the policy is
   * another one all the same, one that names it alone.
   */
  published({ actor, policy, before, after }: Publication): void {
    const facts = { act: 'published', actor, policy: policy.file, policySha256: policy.sha256 } as const;
    const nodes = this.#nodesByTarget(policy, after);
    let silent = true;
    this.#plan = after;
    for (const target of this.#waiting.keys()) if (!after.snapshots.has(target)) this.#waiting.delete(target);
    for (const [target, snapshot] of after.snapshots) {
      const old = before?.snapshots.get(target);
      if (old?.version === snapshot.version) continue;
      const { version } = snapshot;
      const event = this.#event({ ...facts, target, version, changes: typeChanges(old, snapshot) });
      this.#waiting.delete(target);
      const ids = nodes.get(target);
      if (ids) this.#report(to(ids, event));
      else this.#waiting.set(target, event);
      silent &&= !ids;
    }
    if (silent && this.#policySha256 !== policy.sha256) this.report(facts);
    this.#policySha256 = policy.sha256;
  }

  /** Takes in what happened on a stream; hand it to the streams as their observer. */
  readonly observe = (event: XdsEvent): void => {
    if (event.kind === 'connected') this.#streams.set(event.stream, new OpenStream(event.node));
    else if (event.kind === 'disconnected') this.#streams.delete(event.stream);
    else if (event.kind === 'targeted') {
      this.#streams.get(event.stream)?.targeted(event.version);
      this.#publishedNow(event.node);
      this.#answers.targeted(event.node.id, event.version);
    } else if (event.kind === 'sent') this.#streams.get(event.stream)?.sent(event.type, event.version);
    else if (event.kind === 'settled') {
      const { node, identity, version } = event;
      if (this.#answers.settled(node.id, version)) {
        this.report({ act: 'acknowledged', actor: 'node', nodes: [node.id], identity, version });
      }
    } else if (event.kind === 'nacked') {
      const { node, identity, type, text } = event;
      const version = this.#streams.get(event.stream)?.publishedAs(type, event.version) ?? '';
      if (this.#answers.refused(node.id, type, version, text)) {
        const facts = { nodes: [node.id], identity, version, type: shortType(type), text };
        this.report({ act: 'refused', actor: 'node', ...facts });
      }
    }
  };

  /** The first node of a target has come for what was published for it. */
  #publishedNow(node: NodeInfo): void {
    const target = targetOf(this.#plan, node);
    const event = target === undefined ? undefined : this.#waiting.get(target);
    if (target === undefined || event === undefined) return;
    this.#waiting.delete(target);
    this.#report(to([node.id], event));
  }

  /** Who shall have what: the nodes that the policy names, whether or not they are there, and those of patterns that are. */
  #nodesByTarget(policy: Policy, plan: Plan): Map<string, string[]> {
    const there = new Map([...this.#streams.values()].map(({ node }) => [node.id, node]));
    const named = policy.fleet.groups.flatMap(({ nodes }) => nodes.map(({ id }) => id));
    const byTarget = new Map<string, string[]>();
    for (const id of new Set([...named, ...there.keys()])) {
      const node = there.get(id);
      const target = node ? targetOf(plan, node) : plan.keyOf(id, true);
      if (target === undefined) continue;
      const ids = byTarget.get(target);
      if (ids) ids.push(id);
      else byTarget.set(target, [id]);
    }
    return byTarget;
  }

  #event(facts: ControlFacts): ControlEvent {
    return { ...noEvent, identity: 'self', time: BigInt(this.#clock.now()) * 1_000_000n, ...facts };
  }
}

function targetOf(plan: Plan | undefined, node: NodeInfo): string | undefined {
  return plan?.keyOf(node.id, versionFault(node) === undefined);
}

function to(ids: readonly string[], event: ControlEvent): ControlEvent {
  const nodes = within([...ids].sort(), nodesBytes);
  return { ...event, nodes, moreNodes: ids.length - nodes.length };
}
