import type { RolloutRules } from '../../policy/policy.types.ts';
import { addTraffic, noTraffic, worse } from './health.ts';
import type {
  CanaryFacts,
  PolicyId,
  Refusal,
  RefusalCause,
  RolloutEvent,
  RolloutState,
  Trial,
} from './rollout.types.ts';
import { warmingMs, waitsOf, type Looked } from './waits.ts';

/** Nothing is on trial, and nothing is known to be bad. */
export function firstState(id: PolicyId): RolloutState {
  return { wanted: id, stable: id, previous: null, phase: { kind: 'steady' }, refused: [] };
}

/** Which policy the canary nodes shall have, and which one all others. */
export function assignment({ wanted, stable, phase }: RolloutState): {
  readonly canary: PolicyId;
  readonly rest: PolicyId;
} {
  return { canary: phase.kind === 'trial' ? wanted : stable, rest: stable };
}

/** Whether only the soak or the counts have gone on. */
export function onlyTimeWentOn(before: RolloutState, after: RolloutState): boolean {
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

/** Why the policy of the file is not what the nodes shall have; undefined where it is, or is on trial. */
export function refusalOf({ wanted, stable, phase, refused }: RolloutState): Refusal | undefined {
  if (phase.kind === 'trial' || wanted === stable) return undefined;
  return refused.find(({ id }) => id === wanted);
}

/**
 * What becomes of a rollout by an event. A change begins as a trial at the canary nodes; it goes on to all once it has soaked in good health, or
 * by force; it is rolled back when it is refused, does not arrive, or makes answers worse.
 */
export function step(state: RolloutState, event: RolloutEvent, rules: RolloutRules): RolloutState {
  switch (event.kind) {
    case 'wanted':
      return want(state, event);
    case 'looked':
      return look(state, event, rules);
    case 'traffic':
      return count(state, event);
    case 'nacked':
      return rollBack(state, event.at, 'nack', `${event.node} refused it: ${event.text}`);
    case 'rollback':
      return rollBack(state, event.at, 'operator', `${event.operator} rolled it back`);
    case 'pause':
      return onTrial(state, (trial) => (trial.paused ? trial : { ...unsoaked(trial), paused: true }));
    case 'resume':
      return resume(state, event.at);
    case 'force':
      return state.phase.kind === 'trial' || refusalOf(state) ? promote(state, event.at) : state;
  }
}

type Event<Kind> = Extract<RolloutEvent, { readonly kind: Kind }>;

function want(state: RolloutState, { id, at, changes, asOnTrial }: Event<'wanted'>): RolloutState {
  if (id === state.wanted) return state;
  // The same to every node, in other words: a comment, what concerns the sink alone, or back to what all have.
  if (!changes) return withoutRefusal({ ...state, wanted: id, stable: id, phase: { kind: 'steady' } }, id);
  if (state.phase.kind === 'trial' && asOnTrial) return { ...state, wanted: id };
  const next = { ...state, wanted: id };
  return state.refused.some((refusal) => refusal.id === id) ? { ...next, phase: { kind: 'steady' } } : begin(next, at);
}

function begin(state: RolloutState, at: number): RolloutState {
  return {
    ...state,
    phase: { kind: 'trial', since: at, paused: false, soakedMs: 0, soakingAt: null, traffic: noTraffic },
  };
}

function look(state: RolloutState, event: Event<'looked'>, rules: RolloutRules): RolloutState {
  const { phase } = state;
  if (phase.kind === 'steady') return state;
  const sinceMs = event.at - phase.since;
  if (phase.kind === 'spreading') {
    const over = sinceMs >= spreadMs.most || (sinceMs >= spreadMs.least && event.behind === 0);
    return over ? { ...state, phase: { kind: 'steady' } } : state;
  }
  const late = event.canaries.find(isLate);
  if (late) return rollBack(state, event.at, 'warming', `${late.id} ${late.lacks ?? ''} after ${warmingMs / 1000} s`);
  const trial = soak(phase, event);
  return waitsOf(trial, event, rules).length === 0 ? promote(state, event.at) : { ...state, phase: trial };
}

/** A node that is away cannot be late. */
function isLate({ connected, lacks, lateMs }: CanaryFacts): boolean {
  return connected && lacks !== undefined && lateMs >= warmingMs;
}

/** Time counts from one good look to the next. */
function soak(trial: Trial, { at, canaries }: Looked): Trial {
  const good = canaries.length > 0 && canaries.every(({ connected, lacks }) => connected && lacks === undefined);
  if (trial.paused || !good) return unsoaked(trial);
  const sinceMs = trial.soakingAt === null ? 0 : Math.min(Math.max(at - trial.soakingAt, 0), longestLookMs);
  return { ...trial, soakedMs: trial.soakedMs + sinceMs, soakingAt: at };
}

/** The soak stands still until the next good look. */
function unsoaked(trial: Trial): Trial {
  return { ...trial, soakingAt: null };
}

function count(state: RolloutState, { at, traffic }: Event<'traffic'>): RolloutState {
  if (state.phase.kind !== 'trial') return state;
  const sum = addTraffic(state.phase.traffic, traffic);
  const found = worse(sum);
  if (found) return rollBack(state, at, found.cause, found.text);
  return { ...state, phase: { ...state.phase, traffic: sum } };
}

function resume(state: RolloutState, at: number): RolloutState {
  if (refusalOf(state)) return begin(withoutRefusal(state, state.wanted), at);
  return onTrial(state, (trial) => (trial.paused ? { ...trial, paused: false } : trial));
}

function promote(state: RolloutState, at: number): RolloutState {
  const { wanted, stable } = state;
  return withoutRefusal(
    { ...state, stable: wanted, previous: stable, phase: { kind: 'spreading', since: at } },
    wanted,
  );
}

/** Back to what all nodes had; after a promotion that is what it replaced. */
function rollBack(state: RolloutState, time: number, cause: RefusalCause, text: string): RolloutState {
  const { phase, wanted, stable, previous, refused } = state;
  const refusal = { id: wanted, time, cause, text };
  const next = {
    ...state,
    phase: { kind: 'steady' },
    refused: [...refused.filter(({ id }) => id !== wanted), refusal],
  } as const;
  const bounded = { ...next, refused: next.refused.slice(-refusalsKept) };
  if (phase.kind === 'trial') return bounded;
  if (wanted !== stable || previous === null || (phase.kind === 'steady' && cause !== 'operator')) return state;
  return { ...bounded, stable: previous, previous: null };
}

function withoutRefusal(state: RolloutState, id: PolicyId): RolloutState {
  return { ...state, refused: state.refused.filter((refusal) => refusal.id !== id) };
}

function onTrial(state: RolloutState, change: (trial: Trial) => Trial): RolloutState {
  if (state.phase.kind !== 'trial') return state;
  const phase = change(state.phase);
  return phase === state.phase ? state : { ...state, phase };
}

/** More than anybody goes back and forth between. */
const refusalsKept = 16;

/** A look comes every second; what lies further apart was not watched: the process slept, or the clock was set. */
const longestLookMs = 5_000;

/**
 * After a promotion a refusal by any node takes the change back, until all connected nodes have acknowledged it. At least so long, for after a restart
 * Envoys take about 4 s to come back; at most so long, for one node that hangs must not hold up the next change.
 */
const spreadMs = { least: 5_000, most: 30_000 };
