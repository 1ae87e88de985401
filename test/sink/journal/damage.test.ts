import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Corruption } from '../../../src/sink/journal/journal.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { dir, numbered, open, range, readAll } from './fixture.ts';

// Three segments of two batches of three frames each, closed in peace. Each of them has these bytes:
//   0 segment header | 32 batch header | 56, 74, 92 frames | 110 batch header | 134, 152, 170 frames | 188 batch header | 212 end
const [first, middle, last] = [0, 6, 12].map((index) => `${String(index).padStart(20, '0')}.seg`) as [
  string,
  string,
  string,
];

interface Damage {
  readonly damage: (files: Files) => unknown;
  /** What the opener and every reader report. */
  readonly corrupt?: readonly Corruption[];
  /** What the opener cuts off. */
  readonly torn?: { readonly segment: string; readonly offset: number; readonly bytes: number };
  /** Frames that no reader finds any more. */
  readonly lost?: readonly number[];
  /** Frames that readers find only when an opener has made sure of them. */
  readonly unproven?: readonly number[];
  /** Where the journal goes on. */
  readonly next: number;
}

const damages: Readonly<Record<string, Damage>> = {
  'nothing is damaged': { damage: () => undefined, next: 18 },

  // Older segments
  'a bit of a payload': {
    damage: (files) => files.flip(middle, 74 + 8 + 3),
    corrupt: [{ segment: middle, offset: 74, lostFrames: 2 }],
    lost: [7, 8],
    next: 18,
  },
  'a bit of a length': {
    damage: (files) => files.flip(middle, 56 + 3),
    corrupt: [{ segment: middle, offset: 56, lostFrames: 3 }],
    lost: [6, 7, 8],
    next: 18,
  },
  'a bit of a CRC': {
    damage: (files) => files.flip(middle, 92 + 4),
    corrupt: [{ segment: middle, offset: 92, lostFrames: 1 }],
    lost: [8],
    next: 18,
  },
  'the header of the first batch': {
    damage: (files) => files.flip(middle, 32 + 15),
    corrupt: [{ segment: middle, offset: 32, lostFrames: 3 }],
    lost: [6, 7, 8],
    next: 18,
  },
  'the header of the last batch': {
    damage: (files) => files.flip(middle, 110),
    corrupt: [{ segment: middle, offset: 110, lostFrames: 3 }],
    lost: [9, 10, 11],
    next: 18,
  },
  'the last frame of a segment': {
    damage: (files) => files.flip(middle, 187),
    corrupt: [{ segment: middle, offset: 170, lostFrames: 1 }],
    lost: [11],
    next: 18,
  },
  'the header behind the last frame, which announces nothing': { damage: (files) => files.flip(middle, 190), next: 18 },
  'the last frame and the header behind it': {
    damage: (files) => files.zero(middle, 180, 212),
    corrupt: [{ segment: middle, offset: 170, lostFrames: 1 }],
    lost: [11],
    next: 18,
  },
  'the segment header': {
    damage: (files) => files.flip(middle, 22),
    corrupt: [{ segment: middle, offset: 0, lostFrames: 0 }],
    next: 18,
  },
  'the segment header and what follows it': {
    damage: (files) => files.zero(middle, 0, 60),
    corrupt: [{ segment: middle, offset: 0, lostFrames: 3 }],
    lost: [6, 7, 8],
    next: 18,
  },
  'two places in one segment': {
    damage: (files) => files.flip(middle, 100).flip(middle, 140),
    corrupt: [
      { segment: middle, offset: 92, lostFrames: 1 },
      { segment: middle, offset: 134, lostFrames: 3 },
    ],
    lost: [8, 9, 10, 11],
    next: 18,
  },
  'a segment of zeros': {
    damage: (files) => files.zero(middle, 0, 212),
    corrupt: [{ segment: middle, offset: 0, lostFrames: 6 }],
    lost: range(6, 12),
    next: 18,
  },
  'an empty segment': {
    damage: (files) => files.cut(middle, 0),
    corrupt: [{ segment: middle, offset: 0, lostFrames: 6 }],
    lost: range(6, 12),
    next: 18,
  },
  'a segment cut short': {
    damage: (files) => files.cut(middle, 140),
    corrupt: [{ segment: middle, offset: 134, lostFrames: 3 }],
    lost: [9, 10, 11],
    next: 18,
  },
  'a segment cut between two frames': {
    damage: (files) => files.cut(middle, 152),
    corrupt: [{ segment: middle, offset: 152, lostFrames: 2 }],
    lost: [10, 11],
    next: 18,
  },
  'a segment removed': {
    damage: (files) => files.remove(middle),
    corrupt: [{ segment: first, offset: 212, lostFrames: 6 }],
    lost: range(6, 12),
    next: 18,
  },
  'a segment with the bytes of another': {
    damage: (files) => files.copy(first, middle),
    corrupt: [
      { segment: middle, offset: 0, lostFrames: 0 },
      { segment: middle, offset: 212, lostFrames: 6 },
    ],
    lost: range(6, 12),
    next: 18,
  },
  'bytes put in between': {
    damage: (files) => files.insert(middle, 110, Buffer.alloc(40, 'x')),
    corrupt: [{ segment: middle, offset: 110, lostFrames: 0 }],
    next: 18,
  },
  'the oldest segment removed, as retention does': {
    damage: (files) => files.remove(first),
    lost: range(0, 6),
    next: 18,
  },

  // The newest segment
  'a bit in the newest segment': {
    damage: (files) => files.flip(last, 60),
    corrupt: [{ segment: last, offset: 56, lostFrames: 3 }],
    lost: [12, 13, 14],
    next: 18,
  },
  'a bit in the last batch of a closed journal': {
    damage: (files) => files.flip(last, 160),
    corrupt: [{ segment: last, offset: 152, lostFrames: 2 }],
    lost: [16, 17],
    next: 18,
  },
  'the header of the newest segment': {
    damage: (files) => files.flip(last, 3),
    corrupt: [{ segment: last, offset: 0, lostFrames: 0 }],
    next: 18,
  },
  'the newest segment without a readable byte': {
    damage: (files) => files.zero(last, 0, 212),
    corrupt: [{ segment: last, offset: 0, lostFrames: 1 }],
    lost: range(12, 18),
    next: 12,
  },
  'the newest segment empty': {
    damage: (files) => files.cut(last, 0),
    corrupt: [{ segment: last, offset: 0, lostFrames: 1 }],
    lost: range(12, 18),
    next: 12,
  },
  'the newest segment cut in its header': {
    damage: (files) => files.cut(last, 20),
    corrupt: [{ segment: last, offset: 0, lostFrames: 1 }],
    lost: range(12, 18),
    next: 12,
  },

  // The tail of the newest segment: what a crash leaves
  'a torn header behind the last batch': {
    damage: (files) => files.cut(last, 200),
    torn: { segment: last, offset: 188, bytes: 12 },
    unproven: [15, 16, 17],
    next: 18,
  },
  'no header behind the last batch': { damage: (files) => files.cut(last, 188), unproven: [15, 16, 17], next: 18 },
  'the last batch torn in a frame': {
    damage: (files) => files.cut(last, 160),
    torn: { segment: last, offset: 152, bytes: 8 },
    lost: [16, 17],
    unproven: [15],
    next: 16,
  },
  'the last batch torn in its header': {
    damage: (files) => files.cut(last, 120),
    torn: { segment: last, offset: 110, bytes: 10 },
    lost: [15, 16, 17],
    unproven: [12, 13, 14],
    next: 15,
  },
  'a tail of zeros': {
    damage: (files) => files.cut(last, 152).insert(last, 152, Buffer.alloc(5000)),
    torn: { segment: last, offset: 152, bytes: 5000 },
    lost: [16, 17],
    unproven: [15],
    next: 16,
  },
  'zeros where the last batch begins, and frames behind them': {
    damage: (files) => files.zero(last, 110, 152).cut(last, 188),
    torn: { segment: last, offset: 110, bytes: 78 },
    lost: [15, 16, 17],
    unproven: [12, 13, 14],
    next: 15,
  },
  'a batch header of another segment in the torn tail': {
    damage: (files) => files.cut(last, 152).insert(last, 152, files.bytes(first).subarray(188, 212)),
    torn: { segment: last, offset: 152, bytes: 24 },
    lost: [16, 17],
    unproven: [15],
    next: 16,
  },
  'a segment that never got its name': {
    damage: (files) => files.write('00000000000000000018.seg.new', Buffer.alloc(30)),
    torn: { segment: '00000000000000000018.seg.new', offset: 0, bytes: 30 },
    next: 18,
  },
  'files of others': { damage: (files) => files.write('README', Buffer.from('not ours')), next: 18 },
};

for (const [name, { damage, corrupt = [], torn, lost = [], unproven = [], next }] of Object.entries(damages)) {
  test(`damage: ${name}`, async () => {
    const disk = await threeSegments();
    damage(new Files(disk));
    const damaged = new Map(corrupt.map(({ segment }) => [segment, disk.contents(`${dir}/${segment}`)]));
    const left = range(0, 18).filter((index) => !lost.includes(index));

    const before = await readAll(disk);
    assert.deepEqual(
      [...before.frames.keys()],
      left.filter((index) => !unproven.includes(index)),
      'read before opening',
    );
    assert.deepEqual(before.corrupt, corrupt, 'reported by a reader');

    const { journal, told } = await open(disk);
    await told.checked;
    assert.deepEqual(sorted(told.corrupt), corrupt, 'reported by the opener');
    assert.deepEqual(told.torn, torn === undefined ? [] : [torn], 'cut');
    assert.equal(await journal.append([numbered(next)]), next);
    await journal.close();

    const after = await readAll(disk);
    const expected = new Map(
      [...left.filter((index) => index < next), next].map((index) => [index, numbered(index).toString()]),
    );
    assert.deepEqual(after.frames, expected, 'read after appending');
    for (const [segment, bytes] of damaged) {
      const kept = disk.contents(`${dir}/${segment}.damaged-1`) ?? disk.contents(`${dir}/${segment}`);
      assert.deepEqual(kept, bytes, `${segment} is left as it was`);
    }
  });
}

function sorted(corrupt: readonly Corruption[]): Corruption[] {
  return corrupt.toSorted((a, b) => a.segment.localeCompare(b.segment) || a.offset - b.offset);
}

async function threeSegments(): Promise<FaultyDisk> {
  const disk = new FaultyDisk();
  const { journal } = await open(disk, { segmentBytes: 200 });
  for (let index = 0; index < 18; index += 3) await journal.append(range(index, index + 3).map(numbered));
  await journal.close();
  assert.deepEqual(
    disk.paths(),
    [first, middle, last].map((name) => `${dir}/${name}`),
  );
  return disk;
}

/** The files of the journal, for doing damage to them. */
class Files {
  readonly #disk: FaultyDisk;

  constructor(disk: FaultyDisk) {
    this.#disk = disk;
  }

  bytes(name: string): Buffer {
    return Buffer.from(this.#disk.contents(`${dir}/${name}`) ?? []);
  }

  write(name: string, bytes: Buffer): this {
    this.#disk.plant(`${dir}/${name}`, bytes);
    return this;
  }

  flip(name: string, offset: number): this {
    const bytes = this.bytes(name);
    bytes.writeUInt8(bytes.readUInt8(offset) ^ 0x10, offset);
    return this.write(name, bytes);
  }

  zero(name: string, from: number, to: number): this {
    return this.write(name, this.bytes(name).fill(0, from, to));
  }

  cut(name: string, length: number): this {
    return this.write(name, this.bytes(name).subarray(0, length));
  }

  insert(name: string, offset: number, bytes: Buffer): this {
    const before = this.bytes(name);
    return this.write(name, Buffer.concat([before.subarray(0, offset), bytes, before.subarray(offset)]));
  }

  copy(from: string, to: string): this {
    return this.write(to, this.bytes(from));
  }

  remove(name: string): this {
    this.#disk.lose(`${dir}/${name}`);
    return this;
  }
}
