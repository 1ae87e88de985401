import { FleetStatus } from '../../../src/control/fleet/fleet-status.ts';
import { versionFault } from '../../../src/control/fleet/envoy-version.ts';
import { plan } from '../../../src/control/plan.ts';
import type { DoorKeys } from '../../../src/control/resources/secrets.ts';
import { firstState } from '../../../src/control/rollout/machine.ts';
import type { Revision } from '../../../src/control/rollout/reach.ts';
import { Rollout } from '../../../src/control/rollout/rollout.ts';
import type { RolloutEvent, RolloutState } from '../../../src/control/rollout/rollout.types.ts';
import type { StreamFacts, XdsEvent } from '../../../src/control/xds/events.types.ts';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import type { Snapshot } from '../../../src/control/xds/snapshot.ts';
import { listenerType, routeType, secretType } from '../../../src/control/xds/type-urls.ts';
import type { NodeGroup, Policy } from '../../../src/policy/policy.types.ts';
import { door, hosts, policy } from '../../support/policies.ts';
import { FakeClock } from '../ca/ca-fixture.ts';

export const groups: readonly NodeGroup[] = [
  { name: 'egress', nodes: [{ id: 'egress-1' }, { id: 'egress-2' }] },
  { name: 'host', nodes: [], pattern: { match: 'host-*', max: 9 } },
];

/** A revision with that name; `ports` are those of its doors on the group `egress`. */
export function revision(id: string, change: Partial<Policy> & { port?: number; key?: string } = {}): Revision {
  const { port = 3128, key = 'KEY', ...rest } = change;
  const whole = policy({
    fleet: { ...policy().fleet, groups },
    doors: [door({ listen: { host: '127.0.0.1', port } })],
    rollout: { canary: { nodes: ['egress-1'] }, soakSeconds: 2 },
    ...rest,
  });
  const pair = { certificateChain: `CERTIFICATE of ${key}`, privateKey: key };
  const keys = new Map<string, DoorKeys>(whole.doors.map(({ name }) => [name, { leaf: pair, proxy: pair }]));
  return { id, policy: whole, plan: plan({ policy: whole, hosts, keys }) };
}

/** The same by a policy that has no rollout. */
export function withoutRollout({ id, policy: whole, plan: same }: Revision): Revision {
  const { rollout, ...rest } = whole;
  return { id, policy: rollout === undefined ? whole : rest, plan: same };
}

/** What of a snapshot a node that plays along does not do. */
export interface Reluctance {
  /** It acknowledges nothing. */
  readonly silent?: boolean;
  /** It does not ask for what its listeners need. */
  readonly unasking?: boolean;
  /** It refuses snapshots that are not the first. */
  readonly refusing?: boolean;
}

/** A rollout with all that it works on, and nodes that say they run what they are told. */
export class SmallFleet {
  readonly clock = new FakeClock();
  readonly status = new FleetStatus({ clock: this.clock });
  readonly publisher: Publisher = new Publisher({
    resolve: (node) => this.rollout.keyOf(node.id, versionFault(node) === undefined),
  });
  readonly changes: RolloutState[] = [];
  readonly rollout: Rollout;
  readonly #got = new Map<string, Snapshot>();
  #streams = 0;

  /** What it saw while another one decides. */
  readonly seen: RolloutEvent[] = [];

  constructor(
    first: Revision,
    begun: { state?: RolloutState; revisions?: readonly Revision[]; leads?: () => boolean } = {},
  ) {
    const { state = firstState(first.id), revisions = [first], leads = () => true } = begun;
    this.rollout = new Rollout({
      clock: this.clock,
      publisher: this.publisher,
      status: this.status,
      state,
      revisions,
      leads,
      seen: (event) => void this.seen.push(event),
      changed: ({ after }) => void this.changes.push(after),
    });
  }

  /** A node comes; the function takes it away. */
  connect(id: string, reluctance: Reluctance = {}): () => void {
    const node = { id, cluster: 'tokyo', agent: 'envoy', version: '1.40.0' };
    const facts: StreamFacts = { stream: ++this.#streams, node, peer: '192.0.2.1:1', identity: 'certificate' };
    const tell = (event: object): void => {
      const whole = { ...event, ...facts } as XdsEvent;
      this.status.observe(whole);
      this.rollout.observe(whole);
    };
    tell({ kind: 'connected' });
    const update = (snapshot: Snapshot): void => {
      const isFirst = !this.#got.has(id);
      this.#got.set(id, snapshot);
      tell({ kind: 'targeted', version: snapshot.version });
      if (reluctance.refusing && !isFirst) {
        const answer = { type: listenerType, version: 'of the listeners' };
        tell({ kind: 'sent', ...answer, names: 1, removed: 0, bytes: 1 });
        tell({ kind: 'nacked', ...answer, text: 'no such field' });
      } else if (!reluctance.silent) {
        for (const type of reluctance.unasking && !isFirst ? [] : [routeType, secretType]) {
          tell({ kind: 'subscribed', type, wildcard: false, names: snapshot.types.get(type)?.size ?? 0 });
        }
        tell({ kind: 'settled', version: snapshot.version });
      }
    };
    const following = this.publisher.follow(node, {
      update,
      refuse: () => undefined,
      describe: () => ({ stream: this.#streams, node, resources: () => [] }),
    });
    return () => {
      following.end();
      tell({ kind: 'disconnected' });
    };
  }

  /** The port of the door by which a node was last told to listen. */
  portOf(id: string): number {
    const name = [...(this.#got.get(id)?.types.get(listenerType)?.values() ?? [])]
      .map(({ bytes }) => bytes.toString('latin1'))
      .join('');
    return [3128, 4000, 5000].find((port) => name.includes(portBytes(port))) ?? 0;
  }

  /** The version of the snapshot that a node was last told of. */
  versionOf(id: string): string | undefined {
    return this.#got.get(id)?.version;
  }

  /** Looks once a second. */
  pass(seconds: number): void {
    for (let n = 0; n < seconds; n += 1) {
      this.clock.at += 1_000;
      this.rollout.look();
    }
  }

  /** A sink reports answers of the last second. */
  report(...nodes: readonly (readonly [node: string, requests: number, serverErrors?: number])[]): void {
    const to = this.clock.now();
    this.rollout.report({
      from: to - 1_000,
      to,
      nodes: nodes.map(([node, requests, serverErrors = 0]) => ({ node, requests, serverErrors, denied: 0 })),
    });
  }
}

/** port_value is field 3 of SocketAddress. */
function portBytes(port: number): string {
  return String.fromCharCode(3 * 8, (port & 0x7f) | 0x80, port >> 7);
}
