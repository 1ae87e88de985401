import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draws } from '../../base/draws.ts';
import { openHouse } from '../../support/house.ts';
import { playRound } from './campaign.ts';
import { faults } from './faults.ts';
import { judge, type Evidence, type Level } from './judge.ts';
import { loadPath, type Fate, type SentRequest } from './load.ts';
import { added, markdown } from './table.ts';

/** The faults that last no longer than some seconds and after which even plain access logs are whole. */
const harmless = ['none', 'push', 'disk-slow', 'disk-fails', 'envoy-stop'];

/** And those after which they are not, but receipts are. */
const levels: readonly (readonly [name: string, level: Level])[] = [
  ...harmless.map((name) => [name, 'stream'] as const),
  ['kill', 'receipt'],
  ['kill', 'gate'],
];

for (const [name, level] of levels) {
  // What is of one round must not be laid at the next one's door.
  const rounds = name === 'kill' ? 2 : 1;
  const fault = faults.find((one) => one.name === name);
  assert.ok(fault);
  test(`at ${level} no request is without its record, and none has two, when ${fault.what}`, async () => {
    const house = await openHouse({
      ...fault.house,
      policy: (policy) => {
        policy.record.assurance = level;
      },
    });
    try {
      const draw = draws(1);
      const chance = () => draw(1000) / 1000;
      let first = 1;
      for (let round = 0; round < rounds; round++) {
        const verdict = await playRound(house, { fault, level, perSecond: 100, first, chance });
        assert.ok(verdict.upstream >= 50 && verdict.upstream <= verdict.sent, `${verdict.upstream} at the upstream`);
        assert.deepEqual([verdict.missing, verdict.twice, verdict.broken], [0, 0, []]);
        first += verdict.sent;
      }
    } finally {
      await house.close();
    }
  });
}

const answered: Fate = { kind: 'answered', status: 200 };
const died = 1_000_000;

const judged: Readonly<Record<string, { evidence: Evidence; broken: readonly string[] }>> = {
  'a request that was answered and has an outcome is as it should be': {
    evidence: evidence({ sent: { 1: answered }, upstream: [1], outcomes: [1], intents: [1] }),
    broken: [],
  },
  'a request that was answered and has no outcome breaks the promise': {
    evidence: evidence({ sent: { 1: answered, 7: answered }, upstream: [1], outcomes: [1], intents: [1] }),
    broken: ['1 requests have no outcome, such as n=7'],
  },
  'so does one that only the upstream has seen': {
    evidence: evidence({ sent: { 3: { kind: 'broken' } }, upstream: [3], intents: [3] }),
    broken: ['1 requests have no outcome, such as n=3'],
  },
  'a request that the door refused owes nobody an outcome': {
    evidence: evidence({ sent: { 1: { kind: 'refused', status: 503 } } }),
    broken: [],
  },
  'an outcome that is stored twice breaks the promise': {
    evidence: evidence({ sent: { 1: answered }, upstream: [1], outcomes: [1, 1], intents: [1] }),
    broken: ['1 outcomes are stored twice'],
  },
  'so does a request at the upstream without an intent': {
    evidence: evidence({ sent: { 1: answered }, upstream: [1], outcomes: [1] }),
    broken: ['1 requests were at the upstream without an intent, such as n=1'],
  },
  'what was answered in the last moments of an Envoy that was killed may be missing': {
    evidence: { ...evidence({ sent: { 1: answered }, upstream: [1], intents: [1] }, died - 100), envoyDied: died },
    broken: [],
  },
  'what was answered well before that may not': {
    evidence: { ...evidence({ sent: { 1: answered }, upstream: [1], intents: [1] }, died - 10_000), envoyDied: died },
    broken: ['1 requests have no outcome, such as n=1'],
  },
};
for (const [name, { evidence: found, broken }] of Object.entries(judged)) {
  test(name, () => {
    assert.deepEqual(judge('gate', found).broken, broken);
  });
}

test('plain access logs promise no outcome, and receipts no intent', () => {
  const found = evidence({ sent: { 1: answered, 2: answered }, upstream: [1, 2], outcomes: [1] });
  assert.deepEqual(judge('stream', found).broken, []);
  assert.deepEqual(judge('receipt', found).broken, ['1 requests have no outcome, such as n=2']);
});

test('the table adds up the rounds of a fault, and one broken promise breaks it', () => {
  const good = judge('receipt', evidence({ sent: { 1: answered }, upstream: [1], outcomes: [1] }));
  const bad = judge('receipt', evidence({ sent: { 2: answered }, upstream: [2] }));
  const row = added(added(undefined, 'kill', good), 'kill', bad);
  assert.deepEqual([row.rounds, row.sums.sent, row.sums.outcomes, row.sums.missing], [2, 2, 1, 1]);
  assert.match(markdown([row]), /^\| kill \| 2 \| 2 \| 2 \| 0 \| 2 \| 1 \| 0 \| 1 \| 0 \| 0 \| broken \|$/m);
});

function evidence(
  facts: {
    sent?: Readonly<Record<number, Fate>>;
    upstream?: readonly number[];
    outcomes?: readonly number[];
    intents?: readonly number[];
  },
  at = 0,
): Evidence {
  const record = (kind: string) => (number: number) => ({
    'sekisho.kind': kind,
    'url.path': loadPath,
    'url.query': `n=${number}`,
  });
  const sent = Object.entries(facts.sent ?? {}).map(([number, fate]) => [Number(number), { fate, at }] as const);
  return {
    sent: new Map<number, SentRequest>(sent),
    upstream: new Set(facts.upstream),
    records: [...(facts.outcomes ?? []).map(record('http')), ...(facts.intents ?? []).map(record('intent'))],
  };
}
