import { systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { createMetrics } from '../../base/metrics.ts';
import { openConsoleCa } from '../../control/ca/console-ca.ts';
import { openFleetTrust, type FleetTrust } from '../../control/ca/fleet-trust.ts';
import type { Policy } from '../../policy/policy.types.ts';
import type { ServerCredentials } from '../grpc/doorkeeper.ts';
import { startGrpcServer } from '../grpc/server.ts';
import { arrivalObserver, refusalObserver } from './arrival-metrics.ts';
import { controlReport } from './control-report.ts';
import { openControl, type ControlRole } from './control-role.ts';
import { watchExpiry } from './expiry-metrics.ts';
import { openAdmin, openPublic } from './http-role.ts';
import { warnOfPki } from './pki-findings.ts';
import { Obstacles } from './readiness.ts';
import { openSink, type SinkRole } from './sink-role.ts';
import { openState, type StateRole } from './state-role.ts';

export type Role = 'control' | 'sink';

export interface ServiceOptions {
  readonly policy: Policy;
  readonly roles: ReadonlySet<Role>;
  readonly data: string;
  readonly pki: string;
  /** The folder that several control planes of the fleet share; absent: this is the only one, and has a folder of its own below `data`. */
  readonly state?: string;
  readonly log: Log;
}

/** A running Sekisho. */
export interface Service {
  /** The port that the gRPC address got. */
  readonly grpcPort: number;
  /**
   * Goes on by this policy and by the certificates as they lie on the disk now. Throws when it cannot; then nothing has changed. `since` is when the
   * change was noticed, by `steadyClock`.
   */
  reload(policy: Policy, since: number): Promise<void>;
  /** Lets running calls end, stores what was accepted, closes everything. May be called twice. */
  close(): Promise<void>;
}

/** An access-log stream has no end of its own: so long after a stop is asked for, it is cut. Envoy then opens another one elsewhere. */
const drainMs = 2_000;

/** Starts both ways, or the one asked for, and their three addresses. What was opened is closed again when a later part fails. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { roles, pki, log } = options;
  let policy = options.policy;
  const metrics = createMetrics();
  const obstacles = new Obstacles();
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) {
      await close().catch((caught: unknown) => {
        log.error('a part did not close', { why: SekishoError.from(caught).message });
      });
    }
  };

  try {
    obstacles.set('service', 'starting');
    const trust = await openFleetTrust(pki, policy.fleet.name, realDisk, systemClock);
    const ca = roles.has('control') ? await openConsoleCa(pki, realDisk, systemClock) : undefined;
    const expiry = watchExpiry(metrics, log);

    let sink: SinkRole | undefined;
    let control: ControlRole | undefined;
    if (roles.has('sink')) {
      sink = await openSink({
        ...options,
        metrics,
        obstacles,
        inForce: () => control?.policies() ?? [],
        ...(ca !== undefined && { report: (traffic: Buffer) => control?.report(traffic) }),
      });
      opened.push(() => sink?.close() ?? Promise.resolve());
    }
    let shared: StateRole | undefined;
    if (ca !== undefined) {
      shared = await openState({ ...options, shared: options.state, metrics });
      opened.push(() => shared?.close() ?? Promise.resolve());
      const report = controlReport({ sink, log, metrics });
      control = await openControl({ policy, ca, state: shared.state, log, metrics, report });
      opened.push(() => control?.close() ?? Promise.resolve());
    }
    expiry.look(trust, ca);
    await warnOfPki(pki, policy, ca, log);

    const admin = await openAdmin({
      ...{ policy, log, metrics, obstacles },
      fleet: () => ({ ...(control?.fleet() ?? { nodes: [] }), lease: shared?.lease() ?? null }),
      ledger: () => sink?.ledger(),
      published: () => control?.published(),
      command: (command, operator) => control?.command(command, operator) ?? false,
    });
    opened.push(() => admin.close());
    if (ca !== undefined) {
      const open = await openPublic(() => control?.stable() ?? policy, ca, log);
      opened.push(() => open.close());
    }
    const grpc = await startGrpcServer({
      listen: policy.server.grpc.listen,
      credentials: credentialsOf(trust),
      services: [...(sink?.services ?? []), ...(control?.services ?? [])],
      arrived: arrivalObserver(metrics, log),
      refused: refusalObserver(metrics, log),
    });
    opened.push(() => {
      const closed = grpc.close(drainMs);
      control?.finish();
      sink?.finish();
      return closed;
    });
    grpc.setServing(true);
    obstacles.set('service', undefined);
    log.info('serving', { grpc: grpc.port, admin: admin.port, roles: [...roles].join(','), policy: policy.file });

    const reload = async (next: Policy, since: number): Promise<void> => {
      const nextTrust = await openFleetTrust(pki, next.fleet.name, realDisk, systemClock);
      const nextCa = control && (await openConsoleCa(pki, realDisk, systemClock));
      if (control && nextCa) await control.adopt(next, nextCa, since);
      sink?.adopt(next);
      grpc.renew(credentialsOf(nextTrust));
      expiry.look(nextTrust, nextCa);
      await warnOfPki(pki, next, nextCa, log);
      warnOfFixedAddresses(policy, next, log);
      policy = next;
    };
    let closing: Promise<void> | undefined;
    let reloads = Promise.resolve();
    return {
      grpcPort: grpc.port,
      // One after the other, in the order of asking: the last policy asked for is the one that holds.
      reload: (next, since) => {
        const turn = reloads.then(() => reload(next, since));
        reloads = turn.catch(() => undefined);
        return turn;
      },
      close: () => {
        obstacles.set('service', 'stopping');
        return (closing ??= closeAll());
      },
    };
  } catch (caught) {
    await closeAll();
    throw caught;
  }
}

function credentialsOf({ serverCertificate, serverKey, ca }: FleetTrust): ServerCredentials {
  return { certificate: serverCertificate, privateKey: serverKey, clientAuthority: ca };
}

function warnOfFixedAddresses(before: Policy, after: Policy, log: Log): void {
  if (JSON.stringify(before.server) === JSON.stringify(after.server)) return;
  log.warn('the addresses under `server:` have changed; they hold from the next start on');
}
