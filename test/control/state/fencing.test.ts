import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../../src/base/errors.ts';
import { Entries, type EntryDisk } from '../../../src/control/state/entries.ts';
import { Lease, type LeaseDisk } from '../../../src/control/state/lease.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { Turns } from './turns.ts';

const folder = '/state';
const entry = 'value.json';
const times = { termMs: 10_000, marginMs: 5_000 };

/** Which lease, and the how manieth act under it. */
type Act = readonly [lease: number, act: number];

/** What a process does in one round: time goes by for all of them, it looks at its lease, and writes or removes if it holds it. */
const rounds = fc.array(fc.record({ pauseMs: fc.nat({ max: 12_000 }), removes: fc.boolean() }), {
  minLength: 3,
  maxLength: 12,
});
/** Which process goes on next, and for how many steps on the disk: all others stand still meanwhile, in the middle of whatever they do. */
const bursts = fc.array(fc.record({ process: fc.nat({ max: 2 }), steps: fc.integer({ min: 1, max: 60 }) }), {
  minLength: 10,
  maxLength: 40,
});

test('what was written or removed under a lease stays so, wherever a process is held up and for however long', async () => {
  const seen = { done: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.tuple(rounds, rounds, rounds), bursts, async (processes, order) => {
      const turns = new Turns();
      const world: World = { now: 0, last: [0, 0], removals: [[0, 0]], seen };
      const disk = new FaultyDisk();
      await turns.play(
        processes.map((own) => (step) => live(own, slowed(disk, step), world)),
        order,
      );
    }),
    { numRuns: 250 },
  );
  // Both happen, or nothing was tried.
  assert.ok(seen.done > 1_000 && seen.refused > 50, JSON.stringify(seen));
});

interface World {
  now: number;
  /** The last act that was done: it returned without an error. */
  last: Act;
  /** All that were begun. */
  readonly removals: Act[];
  readonly seen: { done: number; refused: number };
}

async function live(
  own: readonly { readonly pauseMs: number; readonly removes: boolean }[],
  disk: LeaseDisk & EntryDisk,
  world: World,
): Promise<void> {
  const entries = new Entries(folder, disk);
  const clock = () => world.now;
  const lease = new Lease({ folder, disk, name: 'one', times, elapsed: clock, now: clock });
  let sealed: number | undefined;
  for (const [index, { pauseMs, removes }] of own.entries()) {
    world.now += pauseMs;
    await lease.look();
    const { held } = lease;
    if (held === undefined) continue;
    const act: Act = [held, index];
    try {
      if (held !== sealed) await entries.seal(held, 'own');
      sealed = held;
      if (removes) world.removals.push(act);
      await (removes ? entries.remove(entry, held) : entries.write(entry, JSON.stringify(act), held));
      if (isBefore(world.last, act)) world.last = act;
      world.seen.done += 1;
    } catch (caught) {
      if (SekishoError.from(caught).code !== 'lease_lost') throw caught;
      world.seen.refused += 1;
    }
    await assertLastSeen(entries, world);
  }
}

/** Whoever reads sees the last act that was done, or one that was begun after it. */
async function assertLastSeen(entries: Entries, { last, removals }: World): Promise<void> {
  const text = (await entries.read(entry))?.toString();
  const possible = text === undefined ? removals : [JSON.parse(text) as Act];
  assert.ok(
    possible.some((act) => !isBefore(act, last)),
    `${text ?? 'nothing'} was read after ${String(last)} had been done`,
  );
}

function isBefore([a, b]: Act, [c, d]: Act): boolean {
  return a < c || (a === c && b < d);
}

function slowed(disk: FaultyDisk, step: () => Promise<void>): LeaseDisk & EntryDisk {
  const late =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await step();
      return act(...args);
    };
  return {
    list: late((path: string) => disk.list(path)),
    readFile: late((path: string) => disk.readFile(path)),
    writeFileAtomic: late((path: string, bytes: Uint8Array | string) => disk.writeFileAtomic(path, bytes)),
    createExclusive: late((path: string) => disk.createExclusive(path)),
    syncDir: late((path: string) => disk.syncDir(path)),
    remove: late((path: string) => disk.remove(path)),
  };
}
