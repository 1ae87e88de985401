import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SekishoError } from '../../../src/base/errors.ts';
import { RefusalTally } from '../../../src/sink/intake/refusal-tally.ts';
import type { RefusalRecord } from '../../../src/sink/intake/refusal-limit.ts';
import { recordEncoder } from '../../../src/sink/record/envelope.ts';
import { bareRefusal } from '../../../src/sink/record/refusal.ts';
import { eventually } from '../../support/envoy.ts';

const encoder = recordEncoder({ node: 'egress-1', log: 'office/http', epoch: 0, kind: 'http', identity: 'loopback' });

function refused(client: string): RefusalRecord {
  const refusal = { client, reason: 'host' };
  return {
    ...refusal,
    node: 'egress-1',
    log: 'office/http',
    received: 0,
    record: encoder.encode(0, [], bareRefusal(refusal)),
  };
}

/** A tally over a journal that keeps how many records each append had, with a clock that a test winds. */
function open(append: (records: number) => Promise<number> = () => Promise.resolve(0)) {
  const appended: number[] = [];
  const lost: unknown[] = [];
  const pauses: { readonly ms: number; end(): void }[] = [];
  const tally = new RefusalTally({
    journal: {
      room: () => Promise.resolve(),
      append: (frames) => {
        const count = 'ends' in frames ? frames.ends.length : frames.length;
        appended.push(count);
        return append(count);
      },
    },
    rules: () => ({ burst: 1, rate: 1, tallySeconds: 60 }),
    lost: (records, caught) => lost.push([records, SekishoError.from(caught).code]),
    pause: (ms, signal) =>
      new Promise((resolve, reject) => {
        pauses.push({ ms, end: resolve });
        signal.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      }),
  });
  return { tally, appended, lost, pauses };
}

const soon = (fact: string, holds: () => boolean) => eventually(fact, () => Promise.resolve(holds()));

test('a count is stored once its time is over, with those of all clients who were counted meanwhile', async () => {
  const { tally, appended, pauses } = open();
  assert.deepEqual([tally.admits(refused('10.0.0.1')), tally.admits(refused('10.0.0.1'))], [true, false]);
  for (const client of ['10.0.0.2', '10.0.0.2', '10.0.0.1']) tally.admits(refused(client));
  assert.deepEqual([pauses.map(({ ms }) => ms), appended], [[60_000], []]);
  pauses[0]?.end();
  await soon('the counts are stored', () => appended.length === 1);
  assert.deepEqual(appended, [2]);
  await tally.close();
});

test('while nobody is beyond the limit no timer runs, and afterwards the next count starts one', async () => {
  const { tally, appended, pauses } = open();
  tally.admits(refused('10.0.0.1'));
  assert.equal(pauses.length, 0);
  for (const round of [1, 2, 3]) {
    tally.admits(refused('10.0.0.1'));
    await soon('a timer runs', () => pauses.length === round);
    pauses[round - 1]?.end();
    await soon('the count is stored', () => appended.length === round);
    await new Promise(setImmediate);
  }
  await tally.close();
  assert.equal(pauses.length, 3);
});

test('what is counted while the disk takes nothing is stored afterwards, in one append at a time', async () => {
  const journal: { recover?: (index: number) => void } = {};
  const { tally, appended, pauses } = open(() => new Promise((resolve) => (journal.recover = resolve)));
  tally.admits(refused('10.0.0.1'));
  tally.admits(refused('10.0.0.1'));
  pauses[0]?.end();
  await soon('an append', () => appended.length === 1);
  tally.admits(refused('10.0.0.1'));
  assert.equal(pauses.length, 1);
  journal.recover?.(0);
  await soon('a second timer', () => pauses.length === 2);
  pauses[1]?.end();
  await soon('a second append', () => appended.length === 2);
  journal.recover?.(0);
  await tally.close();
  assert.deepEqual(appended, [1, 1]);
});

test('closing hands over what was counted at once, so that the journal can be closed meanwhile, and twice is once', async () => {
  const journal: { giveUp?: (error: Error) => void } = {};
  const { tally, appended, lost } = open(() => new Promise((_, reject) => (journal.giveUp = reject)));
  tally.admits(refused('10.0.0.1'));
  tally.admits(refused('10.0.0.1'));
  const closed = Promise.all([tally.close(), tally.close()]);
  assert.deepEqual(appended, [1]);
  // As a journal does that closes over a disk that fails.
  journal.giveUp?.(new SekishoError('disk_full', 'no space left'));
  await closed;
  assert.deepEqual(lost, [[1, 'disk_full']]);
});

test('without anything to count, closing stores nothing', async () => {
  const { tally, appended } = open();
  tally.admits(refused('10.0.0.1'));
  await tally.close();
  assert.deepEqual(appended, []);
});
