import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noCounts, noTraffic } from '../../../src/control/rollout/health.ts';
import { assignment, firstState, refusalOf, step } from '../../../src/control/rollout/machine.ts';
import type { CanaryFacts, Counts, RolloutEvent, RolloutState } from '../../../src/control/rollout/rollout.types.ts';
import { waitsOf } from '../../../src/control/rollout/waits.ts';

const rules = { canary: { nodes: ['egress-1'] }, soakSeconds: 60 };
const good: CanaryFacts = { id: 'egress-1', connected: true, lateMs: 0 };
const s = 1_000;
const operator = 'taro';

type Told = RolloutEvent extends infer Event ? (Event extends RolloutEvent ? Omit<Event, 'at'> : never) : never;

/** A rollout of `a`, told one thing after the other, each with its time in seconds. */
function after(...told: readonly (readonly [number, Told])[]): RolloutState {
  return told.reduce((state, [at, event]) => step(state, { ...event, at: at * s }, rules), firstState('a'));
}

const want = (id: string, change: { changes?: boolean; asOnTrial?: boolean } = {}): Told => ({
  kind: 'wanted',
  id,
  changes: true,
  asOnTrial: false,
  ...change,
});
const look = (...canaries: CanaryFacts[]): Told => ({ kind: 'looked', canaries, reporting: true, behind: 0 });
const counts = (requests: number, serverErrors = 0, denied = 0): Counts => ({ requests, serverErrors, denied });
const traffic = (canary: Counts, rest: Counts = noCounts): Told => ({ kind: 'traffic', traffic: { canary, rest } });
const nack: Told = { kind: 'nacked', node: 'egress-1', text: 'no such field' };
const begun = [0, want('b')] as const;
/** Looks every second from one time to another. */
const looks = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => [from + n, look(good)] as const);
const promoted = [begun, [1, traffic(counts(50))], ...looks(1, 61)] as const;

/** What was told → phase, what the canary nodes shall have, what the others, why it was rolled back. */
const cases: Readonly<Record<string, readonly [RolloutState, readonly [string, string, string, string?]]>> = {
  'nothing is told': [after(), ['steady', 'a', 'a']],
  'a change begins at the canary': [after(begun), ['trial', 'b', 'a']],
  'a change to nobody is with all at once': [after([0, want('b', { changes: false })]), ['steady', 'b', 'b']],
  'it goes on to all after soak and traffic': [after(...promoted), ['spreading', 'b', 'b']],
  'one second of the soak is missing': [after(begun, [1, traffic(counts(50))], ...looks(1, 60)), ['trial', 'b', 'a']],
  'one answer is missing': [after(begun, [1, traffic(counts(49))], ...looks(1, 300)), ['trial', 'b', 'a']],
  'nobody looked for a while, which is no soak': [
    after(begun, [1, traffic(counts(50))], [1, look(good)], [100, look(good)]),
    ['trial', 'b', 'a'],
  ],
  'the clock was set back in the soak': [
    after(begun, [1, traffic(counts(50))], ...looks(1000, 1030), ...looks(0, 29)),
    ['trial', 'b', 'a'],
  ],
  'the canary was away in the middle: that time does not count': [
    after(
      begun,
      [1, traffic(counts(50))],
      ...looks(1, 31),
      [32, look({ ...good, connected: false })],
      ...looks(62, 91),
    ),
    ['trial', 'b', 'a'],
  ],
  'no canary gets anything new': [
    after(begun, [1, traffic(counts(50))], ...looks(1, 61).map(([at]) => [at, look()] as const)),
    ['trial', 'b', 'a'],
  ],
  'nobody reports traffic': [
    after(begun, ...looks(1, 300).map(([at]) => [at, { ...look(good), reporting: false } as Told] as const)),
    ['trial', 'b', 'a'],
  ],
  'by force it goes on at once': [after(begun, [1, { kind: 'force', operator }]), ['spreading', 'b', 'b']],
  'a paused one does not go on': [
    after(begun, [1, { kind: 'pause', operator }], [1, traffic(counts(50))], ...looks(1, 300)),
    ['trial', 'b', 'a'],
  ],
  'a paused one that is resumed has the soak before it that was left': [
    after(
      begun,
      [1, traffic(counts(50))],
      ...looks(1, 31),
      [32, { kind: 'pause', operator }],
      [90, { kind: 'resume', operator }],
      ...looks(91, 121),
    ),
    ['spreading', 'b', 'b'],
  ],
  'the soak stands still in a pause': [
    after(
      begun,
      [1, traffic(counts(50))],
      [1, { kind: 'pause', operator }],
      ...looks(2, 100),
      [101, { kind: 'resume', operator }],
      [101, look(good)],
    ),
    ['trial', 'b', 'a'],
  ],
  'a paused one is still rolled back': [
    after(begun, [1, { kind: 'pause', operator }], [2, nack]),
    ['steady', 'a', 'a', 'nack'],
  ],
  'the canary refuses it': [after(begun, [1, nack]), ['steady', 'a', 'a', 'nack']],
  'the canary lacks something for 29 s': [
    after(begun, [29, look({ ...good, lacks: 'Listener', lateMs: 29_999 })]),
    ['trial', 'b', 'a'],
  ],
  'the canary lacks something for 30 s': [
    after(begun, [30, look({ ...good, lacks: 'Listener', lateMs: 30_000 })]),
    ['steady', 'a', 'a', 'warming'],
  ],
  'a canary that is away is not late': [
    after(begun, [90, look({ ...good, connected: false, lateMs: 90_000 })]),
    ['trial', 'b', 'a'],
  ],
  'server errors of the canary': [
    after(begun, [1, traffic(counts(50, 2), counts(1000, 10))]),
    ['steady', 'a', 'a', 'server-errors'],
  ],
  'denials of the canary': [after(begun, [1, traffic(counts(50, 0, 2), counts(9))]), ['steady', 'a', 'a', 'denied']],
  'errors add up over reports': [
    after(begun, [1, traffic(counts(25, 1))], [2, traffic(counts(25, 1))]),
    ['steady', 'a', 'a', 'server-errors'],
  ],
  'somebody takes it back': [after(begun, [1, { kind: 'rollback', operator }]), ['steady', 'a', 'a', 'operator']],
  'a refusal while it spreads takes it back everywhere': [after(...promoted, [62, nack]), ['steady', 'a', 'a', 'nack']],
  'it spreads for 5 s at least': [after(...promoted, [65, look()]), ['spreading', 'b', 'b']],
  'after that all have it': [after(...promoted, [66, look()]), ['steady', 'b', 'b']],
  'it spreads for as long as a node is behind': [
    after(...promoted, [90, { ...look(), behind: 1 } as Told]),
    ['spreading', 'b', 'b'],
  ],
  'but for 30 s at most': [after(...promoted, [91, { ...look(), behind: 1 } as Told]), ['steady', 'b', 'b']],
  'a refusal later is one of a node': [after(...promoted, [66, look()], [67, nack]), ['steady', 'b', 'b']],
  'somebody takes it back later': [
    after(...promoted, [66, look()], [9000, { kind: 'rollback', operator }]),
    ['steady', 'a', 'a', 'operator'],
  ],
  'there is no second step back': [
    after(...promoted, [66, look()], [67, { kind: 'rollback', operator }], [68, { kind: 'rollback', operator }]),
    ['steady', 'a', 'a', 'operator'],
  ],
  'without any change there is nothing to take back': [
    after([0, { kind: 'rollback', operator }]),
    ['steady', 'a', 'a'],
  ],
  'a refused one is left alone': [after(begun, [1, nack], [2, want('b')]), ['steady', 'a', 'a', 'nack']],
  'a refused one that comes again after another is left alone': [
    after(begun, [1, nack], [2, want('a', { changes: false })], [3, want('b')]),
    ['steady', 'a', 'a', 'nack'],
  ],
  'a refused one is tried again when somebody asks for it': [
    after(begun, [1, nack], [2, { kind: 'resume', operator }]),
    ['trial', 'b', 'a'],
  ],
  'a refused one goes to all by force': [
    after(begun, [1, nack], [2, { kind: 'force', operator }]),
    ['spreading', 'b', 'b'],
  ],
  'another one begins after a refused one': [after(begun, [1, nack], [2, want('c')]), ['trial', 'c', 'a']],
  'another one takes the place of one on trial, and begins anew': [
    after(begun, [1, traffic(counts(50))], ...looks(1, 60), [61, want('c')], [61, look(good)], [62, look(good)]),
    ['trial', 'c', 'a'],
  ],
  'the same in other words goes on where it was': [
    after(begun, [1, traffic(counts(50))], ...looks(1, 60), [61, want('c', { asOnTrial: true })], [61, look(good)]),
    ['spreading', 'c', 'c'],
  ],
  'back to what all have ends the trial': [after(begun, [1, want('a', { changes: false })]), ['steady', 'a', 'a']],
  'another change while one spreads begins from that': [after(...promoted, [62, want('c')]), ['trial', 'c', 'b']],
};
for (const [name, [state, [phase, canary, rest, cause]]] of Object.entries(cases)) {
  test(`a rollout: ${name}`, () => {
    assert.deepEqual([state.phase.kind, assignment(state), refusalOf(state)?.cause], [phase, { canary, rest }, cause]);
  });
}

test('what it waits for is said, each in a sentence', () => {
  const state = after(begun, [1, traffic(counts(7))], [1, { kind: 'pause', operator }]);
  assert.ok(state.phase.kind === 'trial');
  const at = 2 * s;
  const said = waitsOf(state.phase, { at, canaries: [{ ...good, connected: false }], reporting: true }, rules).join(
    '\n',
  );
  for (const words of [/^paused/m, /^egress-1 is not connected/m, /60 s left/, /^7 of 50 answers/m])
    assert.match(said, words);
  assert.match(
    waitsOf(state.phase, { at, canaries: [], reporting: false }, rules).join('\n'),
    /no canary node gets[^]*no traffic is reported/,
  );
});

const anyCounts = fc
  .nat(60)
  .chain((requests) =>
    fc.record({ requests: fc.constant(requests), serverErrors: fc.nat(requests), denied: fc.nat(requests) }),
  );
const anyCanary = fc.record(
  { id: fc.constant('egress-1'), connected: fc.boolean(), lacks: fc.constant('Listener'), lateMs: fc.nat(40_000) },
  { requiredKeys: ['id', 'connected', 'lateMs'] },
);
const anyTold: fc.Arbitrary<Told> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(look(good)) },
  fc.record({
    kind: fc.constant('looked'),
    canaries: fc.array(anyCanary, { maxLength: 2 }),
    reporting: fc.boolean(),
    behind: fc.nat(1),
  }),
  fc.record({
    kind: fc.constant('wanted'),
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    changes: fc.boolean(),
    asOnTrial: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('traffic'), traffic: fc.record({ canary: anyCounts, rest: anyCounts }) }),
  fc.constant(nack),
  fc.record({ kind: fc.constantFrom('pause', 'resume', 'force', 'rollback'), operator: fc.constant(operator) }),
);
const story = fc.array(fc.tuple(fc.nat(6), anyTold), { minLength: 1, maxLength: 120 });
const shortSoak = { ...rules, soakSeconds: 5 };

test('whatever happens, the others get only what was tried for long enough, was forced, was there before, or concerns nobody', () => {
  fc.assert(
    fc.property(story, (told) => {
      let state = firstState('a');
      let at = 0;
      for (const [seconds, event] of told) {
        at += seconds * s;
        const before = state;
        state = step(before, { ...event, at }, shortSoak);
        const [{ rest: was }, { canary, rest: is }] = [assignment(before), assignment(state)];
        assert.ok(
          canary === is || state.phase.kind === 'trial',
          'the canary has something of its own in a trial alone',
        );
        if (was === is) continue;
        const { phase } = before;
        if (event.kind === 'looked') {
          assert.ok(
            phase.kind === 'trial' && is === before.wanted && !phase.paused && phase.traffic.canary.requests >= 50,
          );
          assert.ok(
            event.canaries.length > 0 && event.canaries.every((one) => one.connected && one.lacks === undefined),
          );
          assert.ok(phase.soakedMs + 5 * s >= shortSoak.soakSeconds * s);
        } else if (event.kind === 'wanted') assert.equal(event.changes, false);
        else if (event.kind === 'force') assert.equal(is, before.wanted);
        else assert.ok(is === before.previous && (event.kind === 'rollback' || phase.kind === 'spreading'));
      }
    }),
  );
});

test('whatever happens, what was rolled back comes back only when somebody says so', () => {
  fc.assert(
    fc.property(story, (told) => {
      let state = firstState('a');
      let at = 0;
      for (const [seconds, event] of told) {
        at += seconds * s;
        const before = state;
        state = step(before, { ...event, at }, shortSoak);
        const back = before.refused.filter(({ id }) => [assignment(state).canary, assignment(state).rest].includes(id));
        const allowed =
          event.kind === 'resume' || event.kind === 'force' || (event.kind === 'wanted' && !event.changes);
        if (!allowed)
          for (const { id } of back)
            assert.ok([before.stable, before.previous].includes(id), `${event.kind} brought ${id} back`);
      }
    }),
  );
});

test('a restart at any moment changes nothing but that the soak stands still until the next look', () => {
  fc.assert(
    fc.property(story, fc.nat(120), (told, cut) => {
      const run = (restartAt: number): RolloutState => {
        let [state, at] = [firstState('a'), 0];
        for (const [index, [seconds, event]] of told.entries()) {
          if (index === restartAt) state = JSON.parse(JSON.stringify(state)) as RolloutState;
          at += seconds * s;
          state = step(state, { ...event, at }, shortSoak);
        }
        return state;
      };
      assert.deepEqual(run(cut), run(-1));
    }),
  );
});

test('nothing counts at the beginning', () => {
  const { phase } = after(begun);
  assert.ok(phase.kind === 'trial');
  assert.deepEqual([phase.traffic, phase.soakedMs, phase.paused], [noTraffic, 0, false]);
});
