import type { Clock } from '../../base/clock.ts';
import type { Policy } from '../../policy/policy.types.ts';
import type { NodeTraffic, TrafficReport } from '../../wire/traffic-report.ts';
import type { Publication } from '../history/history.ts';
import { OpenStream } from '../history/open-stream.ts';
import type { FleetStatus } from '../fleet/fleet-status.ts';
import { versionFault } from '../fleet/envoy-version.ts';
import type { XdsEvent } from '../xds/events.types.ts';
import type { Publisher } from '../xds/publisher.ts';
import type { Snapshot } from '../xds/snapshot.ts';
import { canaryOf } from './canaries.ts';
import { addCounts, noCounts, noTraffic } from './health.ts';
import { nothingHeard, withElsewhere, type Heard } from './hearing.ts';
import { assignment, firstState, step } from './machine.ts';
import { Publication as Shown } from './publication.ts';
import { changes, differsFor, type Revision } from './reach.ts';
import type { CanaryFacts, PolicyId, RolloutCommand, RolloutEvent, RolloutState } from './rollout.types.ts';
import { standingOf } from './standing.ts';

export interface RolloutOptions {
  readonly clock: Clock;
  readonly publisher: Publisher;
  readonly status: Pick<FleetStatus, 'node' | 'connected' | 'behind' | 'expect'>;
  /** How it stands, and the revisions that this names, the policy of the file among them. */
  readonly state: RolloutState;
  readonly revisions: Iterable<Revision>;
  /** What is about to reach the nodes, and what they had. */
  readonly published?: (publication: Publication) => void;
  /** Whether this control plane decides what becomes of it, as the holder of the lease. */
  readonly leads: () => boolean;
  /** What happened here while another one decides, for that one to hear. */
  readonly seen: (event: RolloutEvent) => void;
  /** Something became of it; told after the nodes have been. */
  readonly changed: (change: RolloutChange) => void;
}

/** A step of a rollout. */
export interface RolloutChange {
  readonly before: RolloutState;
  readonly after: RolloutState;
  readonly event: RolloutEvent;
  /** The nodes that get something else by it, sorted; where none do, the canary nodes. */
  readonly nodes: readonly string[];
}

/**
 * A change on its way to the fleet: what the nodes shall have follows from the state, the state from what happens. Has no timer of its own: somebody has to call
 * `look` about every second.
 */
export class Rollout {
  readonly #options: RolloutOptions;
  readonly #publication = new Shown();
  readonly #revisions: Map<PolicyId, Revision>;
  #state: RolloutState;
  /** Canary nodes, and since when each has had all of the change: from a little later on its traffic says something. */
  readonly #complete = new Map<string, number>();
  readonly #streams = new Map<number, OpenStream>();
  #reporting = false;
  #heard: Heard = nothingHeard;
  #isCanary: (node: string) => boolean = () => false;

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.#state = options.state;
    this.#revisions = new Map([...options.revisions].map((revision) => [revision.id, revision]));
    this.#show('policy');
  }

  get state(): RolloutState {
    return this.#state;
  }

  /** The policy of the file. */
  get wanted(): Revision {
    return this.#revision(this.#state.wanted);
  }

  /** What the nodes outside the canary shall have. */
  get stable(): Revision {
    return this.#revision(this.#state.stable);
  }

  /** The policies by which nodes may have doors now, that of the file first. */
  get policies(): readonly Policy[] {
    const { wanted, stable } = this;
    return wanted === stable ? [wanted.policy] : [wanted.policy, stable.policy];
  }

  /** All that the state names. */
  get revisions(): readonly Revision[] {
    return [...this.#revisions.values()];
  }

  get reporting(): boolean {
    return this.#reporting || this.#heard.reporting;
  }

  keyOf(node: string, fit: boolean): string | undefined {
    return this.#publication.keyOf(node, fit);
  }

  /**
   * The file holds this policy now; it may be the one that it held before, with other people in it. Where another control plane decides, nothing comes of it but
   * that.
   */
  want(revision: Revision): void {
    const { id } = revision;
    const { phase, wanted } = this.#state;
    const asOnTrial = phase.kind === 'trial' && !changes(this.wanted, revision) && !changes(revision, this.wanted);
    const event = { kind: 'wanted', at: this.#now(), id, asOnTrial, changes: changes(this.stable, revision) } as const;
    this.#revisions.set(id, revision);
    if (revision.policy.rollout === undefined) this.#become(firstState(id), event);
    else if (id !== wanted) this.#step(event);
    this.#show('policy');
  }

  /** The same policies under certificates that were issued anew: no change of any policy, so all nodes get them at once. */
  renew(revisions: Iterable<Revision>): void {
    for (const revision of revisions) if (this.#revisions.has(revision.id)) this.#revisions.set(revision.id, revision);
    this.#show('renewal');
  }

  /** Goes on from what the control plane that decides has kept; to be called with every revision that the state names. */
  follow({ state, revisions }: Pick<RolloutOptions, 'state' | 'revisions'>): void {
    const before = this.#state;
    for (const revision of revisions) if (!this.#revisions.has(revision.id)) this.#revisions.set(revision.id, revision);
    this.#state = state;
    if (isSameAssignment(before, state)) return;
    this.#complete.clear();
    this.#show('rollout');
  }

  /** Looks at the nodes, and lets the change go on or back. `heard` is what the other control planes have seen since the last look. */
  look(heard: Heard = nothingHeard): void {
    this.#heard = heard;
    const { node, text } = heard.refusals[0] ?? {};
    if (node !== undefined && text !== undefined) this.#step({ kind: 'nacked', at: this.#now(), node, text });
    if (heard.traffic !== noTraffic) this.#step({ kind: 'traffic', at: this.#now(), traffic: heard.traffic });
    if (this.#state.phase.kind === 'steady') return;
    const canaries = this.canaries();
    for (const { id, lacks, connected } of canaries) {
      if (connected && lacks === undefined && !this.#complete.has(id)) this.#complete.set(id, this.#now());
    }
    this.#step({
      kind: 'looked',
      at: this.#now(),
      canaries,
      reporting: this.reporting,
      behind: this.#options.status.behind() + heard.behind,
    });
  }

  /** What happens on discovery streams; to be told after the status has been. */
  observe(event: XdsEvent): void {
    if (event.kind === 'connected') this.#streams.set(event.stream, new OpenStream(event.node));
    else if (event.kind === 'disconnected') this.#streams.delete(event.stream);
    else if (event.kind === 'targeted') this.#streams.get(event.stream)?.targeted(event.version);
    else if (event.kind === 'sent') this.#streams.get(event.stream)?.sent(event.type, event.version);
    else if (event.kind === 'nacked') {
      const shall = this.#changedFor(event.node.id, versionFault(event.node) === undefined);
      // What was sent before the change is none of its faults.
      const sent = this.#streams.get(event.stream)?.publishedAs(event.type, event.version);
      if (shall === undefined || shall.version !== sent) return;
      this.#step({ kind: 'nacked', at: this.#now(), node: event.node.id, text: event.text });
    }
  }

  /** What a sink counted. Answers count from the moment on at which a canary node runs the change and its log has nothing from before. */
  report({ from, nodes }: TrafficReport): void {
    this.#reporting = true;
    if (this.#state.phase.kind !== 'trial' || this.#complete.size === 0) return;
    const counts = (which: (node: NodeTraffic) => boolean) => nodes.filter(which).reduce(addCounts, noCounts);
    const first = Math.min(...this.#complete.values());
    const traffic = {
      canary: counts(({ node }) => from >= (this.#complete.get(node) ?? Infinity) + logDelayMs),
      rest: counts(({ node }) => from >= first + logDelayMs && this.#publication.revisionOf(node) === this.stable),
    };
    this.#step({ kind: 'traffic', at: this.#now(), traffic });
  }

  /** Whether there was anything to do. */
  command(command: RolloutCommand, operator: string): boolean {
    return this.#step({ kind: command, at: this.#now(), operator });
  }

  /** How the canary nodes stand, wherever they are connected. */
  canaries(): CanaryFacts[] {
    return withElsewhere(this.#ownCanaries(), this.#heard);
  }

  /** How the canary nodes stand that get anything by the change on trial: those that are named, and of a share those that came since it began. */
  #ownCanaries(): CanaryFacts[] {
    const { phase } = this.#state;
    const rules = this.wanted.policy.rollout;
    if (phase.kind !== 'trial' || rules === undefined) return [];
    const { status } = this.#options;
    const named = 'nodes' in rules.canary ? rules.canary.nodes : [];
    const ids = [...new Set([...named, ...namedNodes(this.stable.policy), ...status.connected()])];
    return ids
      .filter(this.#isCanary)
      .sort()
      .flatMap((id) => {
        const node = status.node(id);
        const came = node?.lastSeen != null && Date.parse(node.lastSeen) >= phase.since;
        const fit = node?.envoy == null || versionFault({ version: node.envoy }) === undefined;
        const shall = this.#changedFor(id, fit);
        return shall && (came || node?.connected === true || named.includes(id))
          ? standingOf(id, node, shall, this.#now())
          : [];
      });
  }

  /** What a node shall have, if by the change on trial, or by the one that is spreading, that is something else than before. */
  #changedFor(node: string, fit: boolean): Snapshot | undefined {
    const { phase, previous, stable } = this.#state;
    const before = phase.kind === 'trial' ? stable : previous;
    const revision = this.#publication.revisionOf(node);
    if (phase.kind === 'steady' || before === null || revision === undefined) return undefined;
    const key = differsFor(node, fit, this.#revision(before), revision) ? revision.plan.keyOf(node, fit) : undefined;
    return key === undefined ? undefined : revision.plan.snapshots.get(key);
  }

  #step(event: RolloutEvent): boolean {
    if (!this.#options.leads()) {
      this.#options.seen(event);
      return false;
    }
    const rules = this.wanted.policy.rollout;
    return rules !== undefined && this.#become(step(this.#state, event, rules), event);
  }

  #become(after: RolloutState, event: RolloutEvent): boolean {
    const before = this.#state;
    if (after === before) return false;
    this.#state = after;
    let nodes: string[] = [];
    if (!isSameAssignment(before, after)) {
      const had = new Map(this.#known().map((id) => [id, this.#publication.revisionOf(id)]));
      this.#complete.clear();
      this.#show(event.kind === 'wanted' ? 'policy' : 'rollout');
      nodes = this.#known().filter((id) => {
        const [then, now] = [had.get(id), this.#publication.revisionOf(id)];
        return then !== undefined && now !== undefined && differsFor(id, true, then, now);
      });
    }
    if (nodes.length === 0) nodes = this.canaries().map(({ id }) => id);
    this.#options.changed({ before, after, event, nodes });
    return true;
  }

  /** The nodes that a policy in force names, and those that are there. */
  #known(): string[] {
    return [...new Set([...this.policies.flatMap(namedNodes), ...this.#options.status.connected()])].sort();
  }

  #show(actor: Publication['actor']): void {
    const { wanted, stable, previous, phase } = this.#state;
    for (const id of [...this.#revisions.keys()])
      if (id !== wanted && id !== stable && id !== previous) this.#revisions.delete(id);
    const { fleet, rollout } = this.wanted.policy;
    this.#isCanary = canaryOf(fleet, rollout?.canary);
    const trial = { revision: this.wanted, isCanary: this.#isCanary };
    const inForce = phase.kind === 'trial' ? this.policies : [this.stable.policy];
    this.#options.status.expect(inForce.flatMap(namedNodes));
    const { before, after } = this.#publication.turn(this.stable, phase.kind === 'trial' ? trial : undefined);
    const policy = actor === 'policy' || phase.kind === 'trial' ? this.wanted.policy : this.stable.policy;
    this.#options.published?.({ actor, policy, before, after });
    this.#publication.publish(this.#options.publisher);
  }

  #revision(id: PolicyId): Revision {
    const revision = this.#revisions.get(id);
    if (!revision) throw new Error(`the rollout has no revision ${id}`);
    return revision;
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function isSameAssignment(a: RolloutState, b: RolloutState): boolean {
  const [was, is] = [assignment(a), assignment(b)];
  return was.canary === is.canary && was.rest === is.rest;
}

function namedNodes({ fleet }: Policy): string[] {
  return fleet.groups.flatMap(({ nodes }) => nodes.map(({ id }) => id));
}

/** Envoy's access loggers hold an entry for up to 1 s; what comes sooner may have happened before the change. */
const logDelayMs = 2_000;
