import { consoleHosts } from '../../aws/hosts.ts';
import { steadyClock, systemClock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { ConsoleCa } from '../../control/ca/console-ca.ts';
import { DoorCertificates } from '../../control/ca/door-certificates.ts';
import { LeafStore } from '../../control/ca/leaf-store.ts';
import { unrecordedListeners } from '../../control/extra/with-extras.ts';
import { Admission } from '../../control/fleet/admission.ts';
import { versionFault } from '../../control/fleet/envoy-version.ts';
import { FleetStatus } from '../../control/fleet/fleet-status.ts';
import type { FleetJson } from '../../control/fleet/fleet.types.ts';
import { History, type ControlReport, type Publication } from '../../control/history/history.ts';
import { publishedJson, type PublishedJson } from '../../control/preview/published.ts';
import type { Revision } from '../../control/rollout/reach.ts';
import { rolloutJson } from '../../control/rollout/rollout-json.ts';
import type { RolloutCommand, RolloutJson } from '../../control/rollout/rollout.types.ts';
import type { SharedState } from '../../control/state/shared-state.types.ts';
import { Publisher } from '../../control/xds/publisher.ts';
import { secretType } from '../../control/xds/type-urls.ts';
import { memberOf, type Membership } from '../../policy/membership.ts';
import type { Policy } from '../../policy/policy.types.ts';
import type { NodeInfo } from '../../wire/node-info.ts';
import { decodeTrafficReport } from '../../wire/traffic-report.ts';
import { discoveryServices } from '../grpc/discovery/services.ts';
import { callerOf } from '../grpc/caller.ts';
import { clientStatusService } from '../grpc/client-status.ts';
import { readerOf } from '../grpc/reader.ts';
import type { GrpcService } from '../grpc/grpc-service.types.ts';
import { convergenceMetrics } from './convergence-metrics.ts';
import { fleetObserver } from './fleet-metrics.ts';
import { buildRevision } from './revisions.ts';
import { openRollout } from './rollout-role.ts';

export interface ControlRole {
  readonly services: readonly GrpcService[];
  /**
   * Goes on by a policy, under what this CA can issue. Throws when it cannot; then nothing has changed. `since` is when the change was noticed, by
   * `steadyClock`.
   */
  adopt(policy: Policy, ca: ConsoleCa, since: number): Promise<void>;
  /** The policies by which nodes may have doors now: that of the file first, then, while that is on trial or was rolled back, that of the others. */
  policies(): readonly Policy[];
  /** The policy that all nodes shall have but the canary nodes. */
  stable(): Policy;
  /** Who runs what, and how a change stands. */
  fleet(): FleetJson & { readonly rollout: RolloutJson | null };
  /** What the nodes outside the canary are told, without secrets. */
  published(): PublishedJson;
  /** What `operator` asks of the rollout. Whether there was anything to do. */
  command(command: RolloutCommand, operator: string): boolean;
  /** Takes in a serialised sekisho.v1.TrafficReport. */
  report(traffic: Buffer): void;
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
      turn(renew).catch(renewalFailed);
    },
  });
  const admission = new Admission();
  const observed = fleetObserver(metrics, log);
  const convergence = convergenceMetrics(metrics, steadyClock);
  const publisher = new Publisher({ resolve: (node) => resolve(node) });
  const stopping = new AbortController();
  let { ca } = options;
  /** When the change that is being published was noticed, by `steadyClock`. */
  let noticed = steadyClock.now();

  // A reload and a renewal at the same time: one after the other, each from what the other left.
  let last: Promise<unknown> = Promise.resolve();
  function turn(work: () => Promise<void>): Promise<void> {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  }

  const role = await openRollout({
    state,
    policy: options.policy,
    build: (policy, like) => buildRevision(policy, certificates, like?.plan),
    turn,
    publisher,
    status,
    published,
    history,
    log,
    metrics,
  });
  const { rollout } = role;
  tellUnrecorded(options.policy, log);

  function resolve(node: NodeInfo): string | undefined {
    const member = memberIn(rollout.policies, node.id);
    const max = member?.node === undefined ? member?.group.pattern?.max : undefined;
    if (member && max !== undefined && !admission.hasRoom(member.group.name, node.id, max)) return undefined;
    return rollout.keyOf(node.id, versionFault(node) === undefined);
  }

  function renewalFailed(caught: unknown): void {
    const { code, message } = SekishoError.from(caught);
    log.error('door certificates could not be renewed; the old ones stay', { code, why: message });
  }

  /** New certificates are no change of a policy: whatever is in force gets them. A policy that the CA does not cover keeps those that it has. */
  async function renew(): Promise<void> {
    noticed = steadyClock.now();
    const renewed: Revision[] = [];
    for (const { policy, plan } of rollout.revisions) {
      await buildRevision(policy, certificates, plan).then((revision) => renewed.push(revision), renewalFailed);
    }
    rollout.renew(renewed);
  }

  function published(publication: Publication): void {
    const { after } = publication;
    history.published(publication);
    convergence.begin(publication.actor === 'rollout' ? steadyClock.now() : noticed, (node) => {
      const key = after.keyOf(node.id, versionFault(node) === undefined);
      return key === undefined ? undefined : after.snapshots.get(key)?.version;
    });
  }

  let issues = state.held;
  const watch = state.watch(() => {
    certificates.refresh().catch(renewalFailed);
    // What the holder before us did not live to renew.
    if (state.held && !issues) certificates.renewDue().catch(renewalFailed);
    issues = state.held;
  });
  const renewing = certificates.renewUntil(stopping.signal, renewalFailed);
  const discovery = discoveryServices({
    publisher,
    identify: (call) => callerOf(call, rollout.wanted.policy.fleet.name),
    secret: new Set([secretType]),
    observe: (event) => {
      if (event.kind === 'connected') {
        admission.came(event.node.id, memberIn(rollout.policies, event.node.id)?.group.name ?? '');
      }
      if (event.kind === 'disconnected') admission.left(event.node.id);
      status.observe(event);
      history.observe(event);
      convergence.observe(event);
      observed(event);
      rollout.observe(event);
    },
  });
  const clientStatus = clientStatusService({
    publisher,
    identify: (call) => readerOf(call, rollout.wanted.policy.fleet.name),
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
        const isOther = certificates.adopt(nextCa);
        ca = nextCa;
        noticed = since;
        await role.adopt(next);
        if (isOther) await renew();
        tellUnrecorded(next, log);
      }),
    policies: () => rollout.policies,
    stable: () => rollout.stable.policy,
    fleet: () => {
      const found = status.snapshot();
      const json = rolloutJson(rollout, systemClock.now());
      return { ...found, healthy: found.healthy && json?.state !== 'rolled-back', rollout: json };
    },
    published: () => {
      const { policy, plan } = rollout.stable;
      const { constraints } = ca;
      return { ...publishedJson(policy, consoleHosts(policy.console).admitted, plan), constraints };
    },
    command: (command, operator) => role.command(command, operator),
    report: (traffic) => {
      rollout.report(decodeTrafficReport(traffic));
    },
    finish: () => {
      discovery.close();
      clientStatus.close();
    },
    close: async () => {
      stopping.abort();
      watch.close();
      await renewing;
      await role.close();
    },
  };
}

/** What leaves no record stands at least in the log, with the reason that the policy gives. */
function tellUnrecorded(policy: Policy, log: Log): void {
  for (const { name, reason } of unrecordedListeners(policy)) {
    log.warn('an extra listener leaves no record', { listener: name, reason });
  }
}

/** A node's place by the first policy that knows it. */
function memberIn(policies: readonly Policy[], node: string): Membership | undefined {
  for (const policy of policies) {
    const member = memberOf(policy, node);
    if (member) return member;
  }
  return undefined;
}
