import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, watchLease, type FoundLease, type WatchedLease } from '../../../src/control/state/judge.ts';

const times = { termMs: 10_000, marginMs: 5_000 };
const found = (number: number, text = 'first', released = false): FoundLease => ({ number, text, released });

const verdicts: Readonly<
  Record<string, { mine?: number; found?: FoundLease; silentMs: number; verdict: ReturnType<typeof judge> }>
> = {
  'there is none': { silentMs: 0, verdict: 'take' },
  'its holder gave it back': { found: found(3, 'over', true), silentMs: 0, verdict: 'take' },
  'it is ours': { mine: 3, found: found(3), silentMs: 0, verdict: 'renew' },
  'it is ours, and renewing has failed for long': { mine: 3, found: found(3), silentMs: 99_000, verdict: 'renew' },
  'another one took it from us': { mine: 3, found: found(4), silentMs: 0, verdict: 'leave' },
  'its holder has just renewed it': { found: found(3), silentMs: 0, verdict: 'leave' },
  'its term is over, but not the margin': { found: found(3), silentMs: 14_999, verdict: 'leave' },
  'its holder was silent for term and margin': { found: found(3), silentMs: 15_000, verdict: 'take' },
  'the one who took it from us was silent, too': { mine: 3, found: found(4), silentMs: 15_000, verdict: 'take' },
};
for (const [name, { mine, found: lease, silentMs, verdict }] of Object.entries(verdicts)) {
  test(`a lease is to be ${verdict === 'leave' ? 'left alone' : verdict}: ${name}`, () => {
    assert.equal(judge(mine, { found: lease, since: 1_000 }, 1_000 + silentMs, times), verdict);
  });
}

const looks: Readonly<Record<string, { then: FoundLease | undefined; since: number }>> = {
  'as it was': { then: found(3), since: 1_000 },
  renewed: { then: found(3, 'second'), since: 9_000 },
  'taken by another one': { then: found(4), since: 9_000 },
  gone: { then: undefined, since: 9_000 },
};
for (const [name, { then, since }] of Object.entries(looks)) {
  test(`silence is counted from our own first sight: a lease that is ${name}`, () => {
    const before: WatchedLease = { found: found(3), since: 1_000 };
    assert.deepEqual(watchLease(before, then, 9_000), { found: then, since });
  });
}

test('a lease that is seen for the first time is silent from now on, however old it is', () => {
  assert.equal(watchLease(undefined, found(3), 9_000).since, 9_000);
  assert.equal(judge(undefined, watchLease(undefined, found(3), 9_000), 9_000, times), 'leave');
});
