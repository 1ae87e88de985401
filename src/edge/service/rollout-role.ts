import { systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { FleetStatus } from '../../control/fleet/fleet-status.ts';
import type { ControlFacts, Publication } from '../../control/history/history.ts';
import { actOf } from '../../control/rollout/acts.ts';
import { readKept, writeKept } from '../../control/rollout/kept-rollout.ts';
import type { Revision } from '../../control/rollout/reach.ts';
import { standingBy, toKeep } from '../../control/rollout/restart.ts';
import { Rollout } from '../../control/rollout/rollout.ts';
import type { RolloutState } from '../../control/rollout/rollout.types.ts';
import type { SharedState } from '../../control/state/shared-state.types.ts';
import type { Publisher } from '../../control/xds/publisher.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { rolloutObserver } from './rollout-metrics.ts';

export interface RolloutRole {
  readonly rollout: Rollout;
  /** The file holds this policy now. Throws `state_invalid` or `file_unreadable` where what the holder of the lease says cannot be read. */
  want(revision: Revision): Promise<void>;
  /** The lease or an entry of the state folder has changed. Throws as `want`. */
  heed(): Promise<void>;
  /** Stops looking, and keeps how it stands. */
  close(): Promise<void>;
}

/** So often the nodes are looked at, in milliseconds. */
const lookMs = 1_000;
/** A soak that goes on is kept so often: no more of it is lost with the process. */
const keepMs = 5_000;

/**
 * The rollout as a part of the running service: begun from what was kept, looked after every second, and kept whenever something becomes of it. Of several control
 * planes the holder of the lease decides, and the others show what it has kept. Throws `state_invalid` where what was kept does not tell what the fleet runs.
 */
export async function openRollout(options: {
  readonly state: Pick<SharedState, 'held' | 'read' | 'write' | 'remove'>;
  /** The policy of the file. */
  readonly wanted: Revision;
  readonly build: (policy: Policy) => Promise<Revision>;
  readonly publisher: Publisher;
  readonly status: FleetStatus;
  readonly published: (publication: Publication) => void;
  readonly history: { report(facts: ControlFacts): void };
  readonly log: Log;
  readonly metrics: Metrics;
}): Promise<RolloutRole> {
  const { build, publisher, status, published, history, state, log, metrics } = options;
  let file = options.wanted;
  const standing = async () => standingBy(await readKept(state), file, build, realDisk);
  const observed = rolloutObserver(metrics, log);
  const rollout: Rollout = new Rollout({
    ...{ clock: systemClock, publisher, status, published },
    ...(await standing()),
    leads: () => state.held,
    changed: (change) => {
      const { before, after } = change;
      observed(before, after);
      const act = actOf(change, rollout.wanted.policy);
      if (act) history.report(act);
      if (!onlyTimeWentOn(before, after) || systemClock.now() - savedAt >= keepMs) save();
    },
  });
  let leads = state.held;
  let savedAt = 0;
  let unsaved = false;
  let saving = Promise.resolve();

  /** One after the other, each as it stands by then. */
  function save(): void {
    savedAt = systemClock.now();
    saving = saving.then(async () => {
      if (!state.held) return;
      try {
        await writeKept(state, rollout.wanted.policy.rollout && toKeep(rollout));
        unsaved = false;
      } catch (caught) {
        const { code, message } = SekishoError.from(caught);
        if (!unsaved) log.error('how the rollout stands could not be kept; it is tried again', { code, why: message });
        unsaved = true;
      }
    });
  }

  /** Whoever leads tries the policy of the file; the others show what the leader has kept. */
  function goOn(): void {
    if (!state.held) return;
    rollout.want(file);
    save();
  }

  goOn();
  const looking = setInterval(() => {
    rollout.look();
    if (unsaved && systemClock.now() - savedAt >= keepMs) save();
  }, lookMs);
  return {
    rollout,
    want: async (revision) => {
      file = revision;
      if (!state.held) rollout.follow(await standing());
      goOn();
    },
    heed: async () => {
      if (state.held && leads) return;
      leads = state.held;
      file = await build(file.policy);
      rollout.follow(await standing());
      goOn();
    },
    close: async () => {
      clearInterval(looking);
      save();
      await saving;
    },
  };
}

/** Whether only the soak or the counts have gone on. */
function onlyTimeWentOn(before: RolloutState, after: RolloutState): boolean {
  const [a, b] = [before, after].map(({ phase, ...rest }) => [
    rest.wanted,
    rest.stable,
    rest.previous,
    rest.refused,
    phase.kind,
    phase.kind === 'trial' && phase.paused,
  ]);
  return JSON.stringify(a) === JSON.stringify(b);
}
