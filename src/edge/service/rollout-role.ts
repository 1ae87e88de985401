import { setTimeout as sleep } from 'node:timers/promises';
import { steadyClock, systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { FleetStatus } from '../../control/fleet/fleet-status.ts';
import type { ControlFacts, Publication } from '../../control/history/history.ts';
import { actOf } from '../../control/rollout/acts.ts';
import { Hearing } from '../../control/rollout/hearing.ts';
import { policyId } from '../../control/rollout/kept-policy.ts';
import { readKept, writeKept } from '../../control/rollout/kept-rollout.ts';
import { firstState, onlyTimeWentOn } from '../../control/rollout/machine.ts';
import type { Revision } from '../../control/rollout/reach.ts';
import { standingBy, toKeep, type Standing } from '../../control/rollout/restart.ts';
import { Rollout } from '../../control/rollout/rollout.ts';
import type { RolloutCommand } from '../../control/rollout/rollout.types.ts';
import { sighted, underWay, type Sighting } from '../../control/rollout/sighting.ts';
import type { SharedState } from '../../control/state/shared-state.types.ts';
import type { Publisher } from '../../control/xds/publisher.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { rolloutObserver } from './rollout-metrics.ts';
import { RolloutSaving } from './rollout-saving.ts';

export interface RolloutRole {
  readonly rollout: Rollout;
  /** The file holds this policy now. Who does not hold the lease goes on by what the holder has. Throws when it cannot be built; then nothing has changed. */
  adopt(policy: Policy): Promise<void>;
  /** Whether it is for this control plane to decide. */
  leads(): boolean;
  /** Whether there was anything to do. Throws `lease_elsewhere` where that is for another control plane to say. */
  command(command: RolloutCommand, operator: string): boolean;
  /** Stops looking, and keeps how it stands. */
  close(): Promise<void>;
}

export interface RolloutRoleOptions {
  /** Where it is kept, over a restart and for all control planes of the fleet. */
  readonly state: SharedState;
  /** That of the file. */
  readonly policy: Policy;
  readonly build: (policy: Policy, like?: Revision) => Promise<Revision>;
  /** Does one thing after the other, so that nothing is built under certificates that are renewed meanwhile. */
  readonly turn: (work: () => Promise<void>) => Promise<void>;
  readonly publisher: Publisher;
  readonly status: FleetStatus;
  readonly published: (publication: Publication) => void;
  readonly history: { report(facts: ControlFacts): void };
  readonly log: Log;
  readonly metrics: Metrics;
}

/** So often the nodes are looked at, in milliseconds. */
const lookMs = 1_000;

/**
 * The rollout as a part of the running service: begun from what was kept, and looked after every second. The holder of the lease decides, and keeps whatever
 * becomes of it; the others follow what it keeps, and leave notes for it of what they see. Throws `state_invalid` where what was kept does not tell what the
 * fleet runs.
 */
export async function openRollout(options: RolloutRoleOptions): Promise<RolloutRole> {
  const { build, published, history, state, log } = options;
  const observed = rolloutObserver(options.metrics, log);
  const hearing = new Hearing();
  let { policy } = options;
  let seen: Sighting | undefined;
  /** Whether what the last holder kept has been taken over since we hold the lease. */
  let tookOver = false;
  const leads = (): boolean => tookOver && state.held;

  const rollout: Rollout = new Rollout({
    clock: systemClock,
    publisher: options.publisher,
    status: options.status,
    ...(await begin()),
    leads,
    seen: (event) => {
      const change = underWay(rollout.state);
      seen = change === undefined ? undefined : sighted(seen, change, event);
    },
    published,
    changed: (change) => {
      const { before, after } = change;
      observed(before, after);
      const act = actOf(change, rollout.wanted.policy);
      if (act) history.report(act);
      if (onlyTimeWentOn(before, after)) saving.saveNowAndThen();
      else void saving.save();
    },
  });
  const saving = new RolloutSaving(async () => {
    if (leads()) await writeKept(state, rollout.wanted.policy.rollout && toKeep(rollout));
  }, log);

  const holder = (): string => state.standing().holder?.name ?? 'nobody yet';

  async function standing(known: readonly Revision[]): Promise<Standing | undefined> {
    const kept = policy.rollout && (await readKept(state));
    return kept && standingBy(kept, policy, known, build, realDisk);
  }

  /** Without anything kept, all nodes have the policy of the file. */
  async function begin(): Promise<Standing> {
    const kept = await standing([]);
    if (kept) return kept;
    const first = await build(policy);
    return { state: firstState(first.id), revisions: [first] };
  }

  /** Goes on from what another one has kept, and, where the lease has just come to us, with the policy of our file. */
  async function follow(): Promise<void> {
    if (leads()) return;
    tookOver = false;
    const { held } = state;
    const kept = await standing(rollout.revisions);
    if (kept) rollout.follow(kept);
    if (!held) return;
    tookOver = true;
    await want();
    await saving.save();
  }

  async function want(): Promise<void> {
    rollout.want(await build(policy, rollout.stable));
  }

  async function look(): Promise<void> {
    const change = underWay(rollout.state);
    if (leads()) {
      // Who cannot be heard has not seen anything good either.
      const notes = change === undefined ? undefined : await state.notes().catch(() => undefined);
      rollout.look(notes && change !== undefined ? hearing.hear(notes, change, steadyClock.now()) : undefined);
      saving.tryAgain();
    } else if (change !== undefined) {
      rollout.look();
      // A note that cannot be left is a node that the holder does not see, and waits for.
      if (seen) await state.leaveNote(JSON.stringify(seen)).catch(() => undefined);
    }
  }

  async function lookUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await look();
      await sleep(lookMs, undefined, { signal }).catch(() => undefined);
    }
  }

  await follow();
  const watch = state.watch(() => {
    options.turn(follow).catch((caught: unknown) => {
      const { code, message } = SekishoError.from(caught);
      log.error('what another control plane has kept of the rollout could not be followed', { code, why: message });
    });
  });
  const stopping = new AbortController();
  const looking = lookUntil(stopping.signal);
  return {
    rollout,
    leads,
    adopt: async (next) => {
      const isOurs = leads() || next.rollout === undefined || policyId(next.source) === rollout.wanted.id;
      const revision = isOurs ? await build(next, rollout.stable) : undefined;
      policy = next;
      if (revision) rollout.want(revision);
      else
        log.info('the nodes get the policy of the file when the holder of the lease has it, too', { holder: holder() });
    },
    command: (command, operator) => {
      if (policy.rollout !== undefined && !leads()) throw elsewhere(holder());
      return rollout.command(command, operator);
    },
    close: async () => {
      watch.close();
      stopping.abort();
      await looking;
      await saving.save();
    },
  };
}

function elsewhere(holder: string): SekishoError {
  return new SekishoError(
    'lease_elsewhere',
    `the holder of the lease decides about a rollout, and that is ${holder} — name the admin address of that control plane with --admin`,
    { facts: { holder } },
  );
}
