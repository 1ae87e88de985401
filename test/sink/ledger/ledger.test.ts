import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger } from '../../../src/sink/ledger/ledger.ts';
import type { GapReport, LedgerState } from '../../../src/sink/ledger/ledger.types.ts';

const second = 1_000;
const noon = 1_795_600_000_000;
const flush = 5 * second;

/** A ledger, an Envoy and a clock that tells both the time. */
function book() {
  let time = noon;
  const reports: GapReport[] = [];
  let counts = { total: 0, active: 0, uptime: 0 };
  const make = () =>
    new Ledger({
      clock: { now: () => time },
      steady: { now: () => time },
      expected: () => ({ byPrefix: new Map([['lab/http', 'lab/http']]), ignored: new Set(['mine']) }),
      heldBack: () => false,
      report: (gap) => void reports.push(gap),
    });
  let ledger = make();
  const one = {
    reports,
    now: () => time,
    get ledger() {
      return ledger;
    },
    wait: (ms: number) => {
      time += ms;
      ledger.tick();
    },
    began: () => void (counts = { ...counts, total: counts.total + 1, active: counts.active + 1 }),
    ended: () => void (counts = { ...counts, active: counts.active - 1 }),
    stored: (end = time, stored = true, epoch = 1) => {
      ledger.count('egress-1', epoch, 'lab/http', end, stored);
    },
    counters: (epoch = 1, listenersStopped = 0, prefix = 'lab/http') => {
      counts = { ...counts, uptime: counts.uptime + 5 };
      const http = new Map([[prefix, { total: counts.total, active: counts.active }]]);
      ledger.take('egress-1', epoch, { at: time, uptime: counts.uptime, http, listenersStopped });
    },
    restartSink: (state: LedgerState | undefined) => {
      ledger = make();
      ledger.restore(state, { outcomes: [], gaps: [] });
    },
    restartEnvoy: () => void (counts = { total: 0, active: 0, uptime: 0 }),
    /** Counters as they come, for so long. */
    pass: (ms: number) => {
      for (let passed = 0; passed < ms; passed += flush) {
        one.counters();
        one.wait(flush);
      }
    },
  };
  return one;
}

test('a request that goes on is not missing, one that ended without an outcome is, and is told once', () => {
  const one = book();
  const { reports } = one;
  one.began();
  one.pass(60 * second);
  assert.deepEqual(reports, []);
  one.ended();
  one.pass(60 * second);
  assert.deepEqual(
    reports.map(({ state, missing, log, cause }) => ({ state, missing, log, cause })),
    [{ state: 'opened', missing: 1, log: 'lab/http', cause: 'unknown' }],
  );
});

test('what comes late closes its gap, and what ended after it does not', () => {
  const one = book();
  const { reports } = one;
  one.began();
  one.ended();
  const end = one.now();
  one.pass(60 * second);
  one.began();
  one.ended();
  one.stored();
  one.pass(30 * second);
  assert.deepEqual(
    reports.map(({ state }) => state),
    ['opened'],
  );
  one.stored(end);
  one.wait(second);
  assert.deepEqual(
    reports.map(({ state, missing }) => [state, missing]),
    [
      ['opened', 1],
      ['closed', 0],
    ],
  );
});

test('refusals that are counted instead of stored are not missing', () => {
  const one = book();
  const { reports } = one;
  one.began();
  one.ended();
  one.stored(one.now(), false);
  one.pass(60 * second);
  assert.deepEqual(reports, []);
  assert.equal(one.ledger.state().epochs[0]?.logs[0]?.stored, 0, 'a sink that is killed now has lost it');
  one.ledger.tallied();
  assert.equal(one.ledger.state().epochs[0]?.logs[0]?.stored, 1);
});

test('a sink that starts again knows what was open, and tells the cause of what was lost with it', () => {
  const one = book();
  const { reports } = one;
  one.began();
  one.ended();
  one.stored();
  one.pass(60 * second);
  const state = { next: 0, epochs: one.ledger.state().epochs };
  one.began();
  one.ended();
  one.wait(second);
  one.restartSink(state);
  one.pass(60 * second);
  assert.deepEqual(
    reports.map(({ missing, cause, state: what }) => [what, missing, cause]),
    [['opened', 1, 'sink_restarted']],
  );
  one.restartSink({ next: 0, epochs: one.ledger.state().epochs });
  one.pass(60 * second);
  assert.equal(reports.length, 1);
});

test('a run that ended is a lower bound, unless it said farewell', () => {
  for (const farewell of [false, true]) {
    const one = book();
    const { reports } = one;
    one.began();
    one.ended();
    one.stored();
    one.pass(30 * second);
    one.counters(1, farewell ? 4 : 0);
    one.restartEnvoy();
    one.wait(flush);
    one.counters(2);
    one.wait(20 * second);
    assert.deepEqual(
      reports.map(({ epoch, log, cause, atLeast, missing }) => ({ epoch, log, cause, atLeast, missing })),
      farewell ? [] : [{ epoch: 1, log: '', cause: 'envoy_ended', atLeast: true, missing: 0 }],
    );
  }
});

test('counters that begin at 0 again add to what was handled before', () => {
  const one = book();
  const { reports } = one;
  for (const run of [1, 2]) {
    one.began();
    one.ended();
    if (run === 1) one.stored();
    one.pass(60 * second);
    one.restartEnvoy();
  }
  assert.deepEqual(
    reports.map(({ missing, handled }) => [missing, handled]),
    [[1, 2]],
  );
});

test('a connection manager that nobody expects is found; one that the policy excuses is not', () => {
  const one = book();
  one.began();
  one.counters(1, 0, 'foreign');
  const [epoch] = one.ledger.epochs();
  assert.deepEqual([...(epoch?.unknown ?? [])], [['foreign', 1]]);
  one.wait(flush);
  one.counters(1, 0, 'mine');
  assert.deepEqual([...(epoch?.unknown ?? [])], []);
});

/** Requests of any length at any time; their outcomes come up to 3 s late, in any order; counters every 5 s. */
test('whatever comes in whatever order: nothing is said to be missing that comes, and what does not come is found, exactly', () => {
  const request = fc.record({
    start: fc.integer({ min: 0, max: 60_000 }),
    duration: fc.integer({ min: 0, max: 30_000 }),
    delay: fc.integer({ min: 0, max: 3_000 }),
    lost: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
      const one = book();
      const events = requests.flatMap(({ start, duration, delay, lost }) => {
        const end = start + duration;
        return [
          { at: start, act: one.began },
          { at: end, act: one.ended },
          ...(lost
            ? []
            : [
                {
                  at: end + delay,
                  act: () => {
                    one.stored(noon + end);
                  },
                },
              ]),
        ];
      });
      for (let at = flush; at <= 120_000; at += flush)
        events.push({
          at,
          act: () => {
            one.counters();
          },
        });
      events.sort((a, b) => a.at - b.at);
      for (const { at, act } of events) {
        while (one.now() - noon < at) one.wait(Math.min(second, at - (one.now() - noon)));
        act();
      }
      one.wait(20 * second);
      const lost = requests.filter((each) => each.lost).length;
      const [epoch] = one.ledger.epochs();
      assert.equal(epoch?.logs.get('lab/http')?.gap?.missing ?? 0, lost);
      assert.equal(one.reports.filter(({ state }) => state === 'opened').length, lost === 0 ? 0 : 1);
      assert.ok(!one.reports.some(({ state }) => state === 'closed'));
    }),
    { numRuns: Number(process.env['RUNS'] ?? 200) },
  );
});
