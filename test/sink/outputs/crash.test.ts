import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { Disk } from '../../../src/base/disk.ts';
import { draws } from '../../base/draws.ts';
import type { End } from '../../base/faulty-disk.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { caughtUp, cursorPath, filesOf, follow, indices, Source } from './fixture.ts';

const records = 40;
const source = await new Source().open({ segmentBytes: 8000 });
for (let stored = 0; stored < records; stored += 5) {
  await source.store(...[0, 1, 2, 3, 4].map((n) => `/${String(stored + n).repeat(1 + ((stored * 7 + n * 13) % 60))}`));
}

/** Lives that once ended badly. */
const seeds = JSON.parse(readFileSync('test/seeds/outputs-crash.json', 'utf8')) as Life[];

interface Round {
  /** At which operation of the disk everything stops; beyond the last one, the follower is stopped in peace. */
  readonly crashAt: number;
  readonly end: End;
  readonly failDatasyncs: readonly number[];
  readonly freeBytes: number;
}

interface Life {
  readonly rounds: readonly Round[];
  readonly fileBytes: number;
  readonly seed: number;
}

const round: fc.Arbitrary<Round> = fc.record({
  crashAt: fc.integer({ min: 1, max: 150 }),
  end: fc.constantFrom('kill', 'power'),
  failDatasyncs: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
  freeBytes: fc.oneof({ weight: 3, arbitrary: fc.constant(1e9) }, fc.integer({ min: 100, max: 9000 })),
});
const life: fc.Arbitrary<Life> = fc.record({
  rounds: fc.array(round, { minLength: 1, maxLength: 4 }),
  fileBytes: fc.integer({ min: 500, max: 30_000 }),
  seed: fc.integer(),
});

const lives = (through: (disk: FaultyDisk) => Disk = (disk) => disk): fc.IAsyncProperty<[Life]> =>
  fc.asyncProperty(life, (one) => live(one, through));

test('whatever ends the process, no record is missing, and every file but the one that grows holds whole lines in order', async () => {
  await fc.assert(lives(), { numRuns: 300, examples: seeds.map((seed) => [seed]) });
});

test('the same test finds an output that does not sync its lines', async () => {
  const found = await fc.check(
    lives((disk) => lying(disk)),
    { numRuns: 300, endOnFailure: true },
  );
  assert.ok(found.failed, 'nothing was found');
});

test('an output that is never killed writes every record once', async () => {
  const disk = new FaultyDisk();
  for (let n = 0; n < 3; n += 1) {
    const following = follow(source, disk, { rotate: { bytes: 4000, seconds: 3600 } });
    await caughtUp(following);
    await following.follower.stop(1000);
  }
  const all = [...inOrder(disk)].flatMap((lines) => indices(lines));
  assert.deepEqual(
    all,
    Array.from({ length: records }, (_, index) => index),
  );
});

async function live({ rounds, fileBytes, seed }: Life, through: (disk: FaultyDisk) => Disk): Promise<void> {
  const draw = draws(seed);
  const rotate = { bytes: fileBytes, seconds: 3600 };
  let disk = new FaultyDisk();
  let powerCuts = 0;
  for (const one of rounds) {
    disk.crashAt = one.crashAt;
    for (const n of one.failDatasyncs) disk.failDatasyncs.add(n);
    disk.freeBytes = one.freeBytes;
    const [now] = [disk];
    // Somebody frees space when the output has waited.
    const pause = async (_: number, signal: AbortSignal): Promise<void> => {
      now.freeBytes = 1e9;
      await turn(undefined, { signal });
    };
    const following = follow(source, through(disk), { rotate, pause });
    let dead = false;
    void disk.crashed.then(() => (dead = true));
    await caughtUp(following, () => dead);
    // What a dead disk never answers keeps the follower for ever.
    const closed = await Promise.race([
      following.follower.stop(1000).then(() => !dead),
      disk.crashed.then(() => false),
    ]);
    powerCuts += !closed && one.end === 'power' ? 1 : 0;
    disk = disk.afterCrash(closed ? 'kill' : one.end, draw);
    assertRotatedAreWhole(disk);
  }
  const last = follow(source, through(disk), { rotate });
  await caughtUp(last);
  await last.follower.stop(1000);
  assertComplete(disk, powerCuts);
}

/** All but `current.jsonl`, which a crash may leave torn. */
function assertRotatedAreWhole(disk: FaultyDisk): void {
  const copy = disk.copy();
  copy.lose('/out/current.jsonl');
  for (const lines of filesOf(copy).values()) assertInOrder(indices(lines));
}

function assertInOrder(found: readonly number[]): void {
  assert.ok(found.length > 0, 'an empty file');
  assert.deepEqual(
    found,
    found.map((_, at) => (found[0] ?? 0) + at),
  );
}

/** Every file goes on where one before it ended, or repeats the end of it where the power was cut. A kill repeats nothing. */
function assertComplete(disk: FaultyDisk, powerCuts: number): void {
  let next = 0;
  let repeats = 0;
  for (const lines of inOrder(disk)) {
    const found = indices(lines);
    assertInOrder(found);
    const first = found[0] ?? 0;
    assert.ok(first <= next, `records ${next} to ${first - 1} are missing`);
    if (first < next) repeats += 1;
    next = Math.max(next, first + found.length);
  }
  assert.equal(next, records);
  assert.ok(repeats <= powerCuts, `${repeats} repetitions after ${powerCuts} power cuts`);
  assert.equal((JSON.parse(disk.contents(cursorPath)?.toString() ?? '{}') as { next: number }).next, records);
}

/** Files in the order of their first index, which is what their names say; the one that grows comes last. */
function inOrder(disk: FaultyDisk): (readonly Record<string, unknown>[])[] {
  return [...filesOf(disk).values()].filter((lines) => lines.length > 0);
}

/** Says that it has synced, and has not. */
function lying(disk: FaultyDisk): Disk {
  const open = disk.openAppend.bind(disk);
  const create = disk.createExclusive.bind(disk);
  const untrue = async (file: ReturnType<typeof open>): ReturnType<typeof open> =>
    Object.assign(await file, { datasync: () => disk.step() });
  disk.openAppend = (path) => untrue(open(path));
  disk.createExclusive = (path) => untrue(create(path));
  return disk;
}
