import { consoleHosts } from '../../aws/hosts.ts';
import { steadyClock, systemClock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { ConsoleCa } from '../../control/ca/console-ca.ts';
import { DoorCertificates } from '../../control/ca/door-certificates.ts';
import { LeafStore } from '../../control/ca/leaf-store.ts';
import { doorNames } from '../../control/door-names.ts';
import { unrecordedListeners } from '../../control/extra/with-extras.ts';
import { Admission } from '../../control/fleet/admission.ts';
import { versionFault } from '../../control/fleet/envoy-version.ts';
import { FleetStatus } from '../../control/fleet/fleet-status.ts';
import type { FleetJson } from '../../control/fleet/fleet.types.ts';
import { History, type ControlReport, type Publication } from '../../control/history/history.ts';
import { plan, type Plan } from '../../control/plan.ts';
import { publishedJson, type PublishedJson } from '../../control/preview/published.ts';
import type { DoorKeys } from '../../control/resources/secrets.ts';
import type { SharedState } from '../../control/state/shared-state.types.ts';
import { Publisher } from '../../control/xds/publisher.ts';
import { secretType } from '../../control/xds/type-urls.ts';
import { memberOf } from '../../policy/membership.ts';
import type { Policy } from '../../policy/policy.types.ts';
import type { NodeInfo } from '../../wire/node-info.ts';
import { discoveryServices } from '../grpc/discovery/services.ts';
import { callerOf } from '../grpc/caller.ts';
import { clientStatusService } from '../grpc/client-status.ts';
import { readerOf } from '../grpc/reader.ts';
import type { GrpcService } from '../grpc/server.ts';
import { convergenceMetrics } from './convergence-metrics.ts';
import { fleetObserver } from './fleet-metrics.ts';

export interface ControlRole {
  readonly services: readonly GrpcService[];
  /**
   * Publishes what a policy means, under what this CA can issue. Throws when it cannot; then nothing has changed. `since` is when the change was noticed,
   * by `steadyClock`.
   */
  adopt(policy: Policy, ca: ConsoleCa, since: number): Promise<void>;
  /** Who runs what. */
  fleet(): FleetJson;
  /** What the nodes are told, without secrets. */
  published(): PublishedJson | undefined;
  /** Ends the discovery streams, once what is under way has been written; their Envoys come back to whoever is there then. */
  finish(): void;
  close(): Promise<void>;
}

/** WAY 1 as a part of the running service: the policy becomes what every Envoy is told. */
export async function openControl(options: {
  readonly policy: Policy;
  readonly ca: ConsoleCa;
  readonly state: SharedState;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Where what happens here goes on record. */
  readonly report: ControlReport;
}): Promise<ControlRole> {
  const { state, log, metrics } = options;
  const status = new FleetStatus({ clock: systemClock });
  const history = new History({ clock: systemClock, report: options.report });
  const certificates = new DoorCertificates({
    ca: options.ca,
    clock: systemClock,
    store: new LeafStore(state),
    onRenewed: () => {
      const since = steadyClock.now();
      turn(() => publish(policy, 'renewal', since)).catch(renewalFailed);
    },
  });
  const admission = new Admission();
  const observed = fleetObserver(metrics, log);
  const convergence = convergenceMetrics(metrics, steadyClock);
  const publisher = new Publisher({
    resolve: (node) => {
      const member = memberOf(policy, node.id);
      const max = member?.node === undefined ? member?.group.pattern?.max : undefined;
      if (member && max !== undefined && !admission.hasRoom(member.group.name, node.id, max)) return undefined;
      return keyOf(node);
    },
  });
  const stopping = new AbortController();
  let { policy, ca } = options;
  let current: Plan | undefined;

  function keyOf(node: NodeInfo): string | undefined {
    return current?.keyOf(node.id, versionFault(node) === undefined);
  }

  function renewalFailed(caught: unknown): void {
    const { code, message } = SekishoError.from(caught);
    log.error('door certificates could not be renewed; the old ones stay', { code, why: message });
  }

  /** Everything is worked out and checked first; only then does anyone see it. */
  async function publish(next: Policy, actor: Publication['actor'], since: number): Promise<void> {
    const { admitted } = consoleHosts(next.console);
    const keys = await doorKeys(next, admitted, certificates);
    const planned = plan({ policy: next, hosts: admitted, keys, previous: current });
    const gone = publisher.keys.filter((key) => !planned.snapshots.has(key));
    const before = current;
    policy = next;
    current = planned;
    history.published({ actor, policy, before, after: planned });
    status.expect(next.fleet.groups.flatMap((group) => group.nodes.map(({ id }) => id)));
    convergence.begin(since, (node) => planned.snapshots.get(keyOf(node) ?? '')?.version);
    for (const [key, snapshot] of planned.snapshots) publisher.publish(key, snapshot);
    publisher.resolveAgain();
    for (const key of gone) publisher.withdraw(key);
  }

  // A reload and a renewal at the same time: one after the other, each from what the other left.
  let last: Promise<unknown> = Promise.resolve();
  function turn(work: () => Promise<void>): Promise<void> {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  }

  let issues = state.held;
  const watch = state.watch(() => {
    certificates.refresh().catch(renewalFailed);
    // What the holder before us did not live to renew.
    if (state.held && !issues) certificates.renewDue().catch(renewalFailed);
    issues = state.held;
  });
  await turn(() => publish(policy, 'policy', steadyClock.now()));
  tellUnrecorded(policy, log);
  const renewing = certificates.renewUntil(stopping.signal, renewalFailed);
  const discovery = discoveryServices({
    publisher,
    identify: (call) => callerOf(call, policy.fleet.name),
    secret: new Set([secretType]),
    observe: (event) => {
      if (event.kind === 'connected') admission.came(event.node.id, memberOf(policy, event.node.id)?.group.name ?? '');
      if (event.kind === 'disconnected') admission.left(event.node.id);
      status.observe(event);
      history.observe(event);
      convergence.observe(event);
      observed(event);
    },
  });
  const clientStatus = clientStatusService({
    publisher,
    identify: (call) => readerOf(call, policy.fleet.name),
    failed: ({ code, message }, peer) => {
      log.warn('a question for the state of nodes was refused', { code, peer, why: message });
    },
  });
  return {
    services: [...discovery.services, clientStatus],
    adopt: (next, nextCa, since) =>
      turn(async () => {
        // Signing for the new policy comes before letting go of anything.
        const { admitted } = consoleHosts(next.console);
        nextCa.assertPermits(admitted, []);
        certificates.adopt(nextCa);
        ca = nextCa;
        await publish(next, 'policy', since);
        tellUnrecorded(next, log);
      }),
    fleet: () => status.snapshot(),
    published: () => {
      const { constraints } = ca;
      return current && { ...publishedJson(policy, consoleHosts(policy.console).admitted, current), constraints };
    },
    finish: () => {
      discovery.close();
      clientStatus.close();
    },
    close: async () => {
      stopping.abort();
      watch.close();
      await renewing;
    },
  };
}

/** What leaves no record stands at least in the log, with the reason that the policy gives. */
function tellUnrecorded(policy: Policy, log: Log): void {
  for (const { name, reason } of unrecordedListeners(policy)) {
    log.warn('an extra listener leaves no record', { listener: name, reason });
  }
}

/** The leaves of every door: in place of the console, and as a proxy where it speaks TLS itself. */
async function doorKeys(
  policy: Policy,
  hosts: readonly string[],
  certificates: DoorCertificates,
): Promise<Map<string, DoorKeys>> {
  const keys = new Map<string, DoorKeys>();
  for (const door of policy.doors) {
    const leaf = await certificates.leafFor(hosts);
    const own = doorNames(policy, door);
    keys.set(door.name, door.tls ? { leaf, proxy: await certificates.leafFor(own.hosts, own.addresses) } : { leaf });
  }
  return keys;
}
