import { hostname } from 'node:os';
import path from 'node:path';
import { steadyClock, systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import { leaseJson, type LeaseJson } from '../../control/state/lease-json.ts';
import { openPrivateState, openSharedState } from '../../control/state/open-state.ts';
import type { SharedState } from '../../control/state/shared-state.types.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { keepLease } from './keep-lease.ts';
import { lockPki } from './pki-lock.ts';

export interface StateRole {
  readonly state: SharedState;
  /** Who holds the lease; null where nobody shares the state. */
  lease(): LeaseJson | null;
  /** Gives the lease back. */
  close(): Promise<void>;
}

export interface StateOptions {
  readonly policy: Policy;
  readonly data: string;
  readonly pki: string;
  /** The folder that the control planes of the fleet share; absent: this is the only one. */
  readonly shared: string | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * What control planes of one fleet have in common, as a part of the running service. Throws `state_unshared` where there is another one that does not share it, or
 * would have to be by the policy.
 */
export async function openState(options: StateOptions): Promise<StateRole> {
  const { policy, pki, shared, log, metrics } = options;
  demandShared(options);
  const common = {
    fleet: policy.fleet.name,
    name: `${hostname()}:${process.pid}`,
    disk: realDisk,
    now: () => systemClock.now(),
  };
  const state = await (shared === undefined
    ? openPrivateState({ ...common, folder: path.join(options.data, 'state') })
    : openSharedState({ ...common, folder: shared, elapsed: () => steadyClock.now() }));
  metrics.gaugeOf(
    { name: 'sekisho_lease_held', help: 'Whether this control plane is the one that issues certificates.' },
    () => Number(state.held),
  );
  try {
    const lock = await lockPki(pki, shared === undefined ? undefined : state.id, log);
    const stopping = new AbortController();
    const watching = shared === undefined ? Promise.resolve() : keepLease(state, log, stopping.signal);
    if (shared !== undefined) await warnOfReaders(shared, log);
    return {
      state,
      lease: () => (shared === undefined ? null : leaseJson(state.standing())),
      close: async () => {
        stopping.abort();
        await watching;
        await state.close();
        await lock.release();
      },
    };
  } catch (caught) {
    await state.close();
    throw caught;
  }
}

/** Nodes that know of several control planes move between them. */
function demandShared({ policy, shared }: StateOptions): void {
  const { addresses } = policy.server.grpc;
  if (shared !== undefined || addresses.length === 1) return;
  throw new SekishoError(
    'state_unshared',
    `server.grpc.address names ${addresses.length} control planes, and nodes that move between them would get their certificates anew: start each with the same --state DIR`,
  );
}

async function warnOfReaders(folder: string, log: Log): Promise<void> {
  const mode = (await realDisk.stat(folder))?.mode ?? 0;
  if ((mode & 0o077) === 0) return;
  log.warn(`${folder} is open to others (mode ${mode.toString(8)}) and holds the keys of the doors; chmod 700 it`);
}
