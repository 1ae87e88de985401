import type { Clock } from '../../base/clock.ts';
import type { XdsEvent } from '../xds/events.types.ts';
import type { FleetJson, NodeJson } from './fleet.types.ts';
import { NodeStatus } from './node-status.ts';

export interface FleetLimits {
  /** How long a node that left is remembered, in milliseconds, unless the policy names it. A day: longer than any night-time outage is quiet. */
  readonly keepMs: number;
  /** Of the nodes that left and that the policy does not name, so many are remembered: the last to leave. */
  readonly departed: number;
}

const defaultFleetLimits: FleetLimits = { keepMs: 24 * 3600 * 1000, departed: 1000 };

/** Who runs what: told by the events of the discovery streams, asked by `sekisho fleet`. */
export class FleetStatus {
  readonly #clock: Clock;
  readonly #limits: FleetLimits;
  /** In the order in which the nodes last came or left. */
  readonly #nodes = new Map<string, NodeStatus>();
  #expected: ReadonlySet<string> = new Set();

  constructor(options: { readonly clock: Clock; readonly limits?: FleetLimits }) {
    this.#clock = options.clock;
    this.#limits = options.limits ?? defaultFleetLimits;
  }

  /** The nodes that the policy names: they are listed even if they never come, and never forgotten. */
  expect(ids: Iterable<string>): void {
    this.#expected = new Set(ids);
  }

  /** Takes in what happened on a stream; hand it to the streams as their observer. */
  readonly observe = (event: XdsEvent): void => {
    if (event.kind === 'refused') return;
    const { id } = event.node;
    const node = this.#nodes.get(id) ?? new NodeStatus(id);
    if (event.kind === 'connected' || event.kind === 'disconnected') this.#nodes.delete(id);
    this.#nodes.set(id, node);
    node.observe(event, this.#clock.now());
    if (event.kind === 'disconnected') this.#forgetDeparted();
  };

  /** The fleet as it is now: the nodes that are expected, connected, or left not long ago, by name. */
  snapshot(): FleetJson {
    this.#forgetDeparted();
    const ids = [...new Set([...this.#expected, ...this.#nodes.keys()])].sort();
    const nodes = ids.map((id) => (this.#nodes.get(id) ?? new NodeStatus(id)).toJson());
    return {
      time: new Date(this.#clock.now()).toISOString(),
      healthy: nodes.every((node) => node.inStep && node.findings.length === 0),
      nodes,
    };
  }

  /** One node as it is now; undefined where nobody has heard of it. */
  node(id: string): NodeJson | undefined {
    return this.#nodes.get(id)?.toJson();
  }

  /** The nodes that are there. */
  connected(): string[] {
    return [...this.#nodes.values()].flatMap((node) => (node.connected ? node.id : []));
  }

  /** How many nodes are there and have not acknowledged all that they shall have. */
  behind(): number {
    let behind = 0;
    for (const node of this.#nodes.values()) if (node.connected && !node.inStep) behind += 1;
    return behind;
  }

  #forgetDeparted(): void {
    const departed = [...this.#nodes.values()].filter((node) => !node.connected && !this.#expected.has(node.id));
    const oldest = this.#clock.now() - this.#limits.keepMs;
    const excess = departed.length - this.#limits.departed;
    departed.forEach((node, index) => {
      if (index < excess || node.lastSeen < oldest) this.#nodes.delete(node.id);
    });
  }
}
