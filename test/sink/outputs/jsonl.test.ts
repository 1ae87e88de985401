import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { caughtUp, cursorPath, filesOf, follow, HandClock, indices, Source } from './fixture.ts';

const current = '/out/current.jsonl';
const line = (index: number): string => `${JSON.stringify({ 'sekisho.index': index })}\n`;
const rotatedName = /^\/out\/20261124T120000Z-\d{20}\.jsonl$/;

async function ended(following: ReturnType<typeof follow>): Promise<void> {
  await caughtUp(following);
  await following.follower.stop(1000);
}

test('a line is the named record as sekisho records prints it', async () => {
  const source = await new Source().open();
  await source.store('/one?token=secret', '/two');
  const disk = new FaultyDisk();
  await ended(follow(source, disk));
  const [first, second] = filesOf(disk).get(current) ?? [];
  assert.equal(first?.['url.path'], '/one');
  assert.equal(first['sekisho.node'], 'egress-1');
  assert.equal(second?.['sekisho.index'], 1);
});

test('a file is rotated before it grows too large, under the time it was begun at and the index of its first line', async () => {
  const source = await new Source().open();
  await source.store(...Array.from({ length: 20 }, (_, n) => `/${n}`));
  const disk = new FaultyDisk();
  await ended(follow(source, disk, { rotate: { bytes: 6000, seconds: 3600 } }));
  const files = [...filesOf(disk)];
  assert.ok(files.length > 3);
  for (const [name, lines] of files.slice(0, -1)) {
    assert.match(name, rotatedName);
    assert.equal(Number(name.slice(-26, -6)), lines[0]?.['sekisho.index']);
    assert.ok((disk.contents(name)?.length ?? 0) <= 6000);
  }
  assert.equal(files.at(-1)?.[0], current);
  assert.deepEqual(
    files.flatMap(([, lines]) => indices(lines)),
    Array.from({ length: 20 }, (_, n) => n),
  );
});

test('a line that is larger than a file has one to itself', async () => {
  const source = await new Source().open();
  await source.store('/a', `/${'b'.repeat(5000)}`, '/c');
  const disk = new FaultyDisk();
  await ended(follow(source, disk, { rotate: { bytes: 2500, seconds: 3600 } }));
  assert.deepEqual([...filesOf(disk).values()].map(indices), [[0], [1], [2]]);
});

test('a file is rotated when it is old, also while no record comes, and an empty one never is', async () => {
  const clock = new HandClock();
  const source = await new Source(clock).open();
  const disk = new FaultyDisk();
  const following = follow(source, disk, { rotate: { bytes: 1e6, seconds: 60 } });
  await source.store('/a');
  await caughtUp(following);
  clock.ms += 59_000;
  source.pulse.beat();
  await caughtUp(following);
  assert.deepEqual([...filesOf(disk).keys()], [current]);
  clock.ms += 1000;
  source.pulse.beat();
  await caughtUp(following);
  assert.match([...filesOf(disk).keys()].join(), rotatedName);
  clock.ms += 60_000;
  source.pulse.beat();
  await source.store('/b');
  await ended(following);
  assert.deepEqual([...filesOf(disk).values()].map(indices), [[0], [1]]);
});

test('the age of a file outlives a restart', async () => {
  const clock = new HandClock();
  const source = await new Source(clock).open();
  const disk = new FaultyDisk();
  const rotate = { bytes: 1e6, seconds: 60 };
  await source.store('/a');
  await ended(follow(source, disk, { rotate }));
  clock.ms += 60_000;
  await ended(follow(source, disk, { rotate }));
  assert.match([...filesOf(disk).keys()].join(), rotatedName);
});

// What a crash or a hand left in the folder → the files after the next start on a journal of two records.
const leftovers: Readonly<
  Record<string, { readonly text: string; readonly cursor?: object; readonly wanted: readonly (readonly number[])[] }>
> = {
  'nothing but a torn line': { text: '{"sekisho.ind', wanted: [[0, 1]] },
  'a line that the cursor does not know yet': { text: line(0), wanted: [[0, 1]] },
  'a line that the cursor does not know, and a torn one': { text: `${line(0)}{"time":`, wanted: [[0, 1]] },
  'zeros behind a line, as file systems leave after a power cut': { text: `${line(0)}\0\0\0\0\n`, wanted: [[0, 1]] },
  'lines of another journal': {
    text: `${line(7)}${line(8)}{"ti`,
    wanted: [
      [7, 8],
      [0, 1],
    ],
  },
  'lines that come again because the cursor was removed': { text: line(1), wanted: [[1], [0, 1]] },
  'a file that was cut below what the cursor knows': {
    text: '',
    cursor: { next: 1, received: 0, note: { first: 0, bytes: 900, begun: 0 } },
    wanted: [[1]],
  },
  'lines behind what the cursor knows': {
    text: `${line(0)}${line(1)}`,
    cursor: { next: 1, received: 0, note: { first: 0, bytes: line(0).length, begun: 0 } },
    wanted: [[0, 1]],
  },
  'a new file, whose predecessor the cursor still knows': {
    text: line(1),
    cursor: { next: 1, received: 0, note: { first: 0, bytes: 5, begun: 0 } },
    wanted: [[1]],
  },
};
for (const [what, { text, cursor, wanted }] of Object.entries(leftovers)) {
  test(`goes on after ${what}`, async () => {
    const source = await new Source().open();
    await source.store('/a', '/b');
    const disk = new FaultyDisk();
    disk.plant(current, Buffer.from(text));
    if (cursor !== undefined) disk.plant(cursorPath, Buffer.from(JSON.stringify(cursor)));
    const following = follow(source, disk);
    await ended(following);
    assert.deepEqual([...filesOf(disk).values()].map(indices), wanted);
    assert.deepEqual(following.told, []);
  });
}

test('a name that is taken is not taken again', async () => {
  const source = await new Source().open();
  await source.store('/a');
  const disk = new FaultyDisk();
  const taken = `/out/20261124T120000Z-${'0'.repeat(20)}.jsonl`;
  disk.plant(taken, Buffer.from(line(0)));
  const following = follow(source, disk, { rotate: { bytes: 1, seconds: 3600 } });
  await caughtUp(following);
  await source.store('/b');
  await ended(following);
  assert.equal(disk.contents(taken)?.toString(), line(0));
  assert.deepEqual(
    filesOf(disk)
      .get(taken.replace('.jsonl', '-2.jsonl'))
      ?.map((one) => one['url.path']),
    ['/a'],
  );
});

for (const [what, meddle] of Object.entries({
  'taken away': (disk: FaultyDisk) => {
    disk.lose(current);
  },
  'written to': (disk: FaultyDisk) => {
    disk.plant(current, Buffer.from(`${disk.contents(current)?.toString() ?? ''}scribble\n`));
  },
})) {
  test(`a file that somebody has ${what} is told, and the next records go into a sound one`, async () => {
    const source = await new Source().open();
    await source.store('/a');
    const disk = new FaultyDisk();
    const following = follow(source, disk);
    await caughtUp(following);
    meddle(disk);
    await source.store('/b');
    await ended(following);
    assert.deepEqual(following.told, ['file_unwritable', 'recovered']);
    assert.deepEqual(indices([...filesOf(disk).values()].at(-1) ?? []).at(-1), 1);
  });
}
