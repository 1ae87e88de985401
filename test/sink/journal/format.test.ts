import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import fc from 'fast-check';

import {
  batchHeaderBytes,
  frameHeaderBytes,
  largestPayload,
  readBatchHeader,
  readFrame,
  readFrameLength,
  readSegmentHeader,
  segmentHeaderBytes,
  sealFrame,
  writeBatchHeader,
  writeSegmentHeader,
} from '../../../src/sink/journal/format.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { dir, open } from './fixture.ts';

const index = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const marker = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
const payload = fc
  .tuple(fc.integer({ min: 1, max: largestPayload }), fc.uint8Array({ minLength: 1, maxLength: 32 }))
  .map(([length, pattern]) => Buffer.alloc(length, pattern));

test('a frame is read as it was written, wherever it stands', () => {
  fc.assert(
    fc.property(payload, fc.integer({ min: 0, max: 40 }), (bytes, at) => {
      const into = Buffer.alloc(at + frameHeaderBytes + bytes.length);
      bytes.copy(into, at + frameHeaderBytes);
      assert.equal(sealFrame(into, at, bytes.length), into.length);
      assert.equal(readFrameLength(into, at), bytes.length);
      assert.deepEqual(readFrame(into, at, bytes.length), bytes);
    }),
    { numRuns: 200 },
  );
});

test('no single bit of a frame changes without being noticed', () => {
  const into = Buffer.alloc(frameHeaderBytes + 20, 'payload');
  sealFrame(into, 0, 20);
  for (let bit = 0; bit < into.length * 8; bit++) {
    const bytes = Buffer.from(into);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const length = readFrameLength(bytes, 0);
    const read = length === undefined || length > 20 ? undefined : readFrame(bytes, 0, length);
    assert.equal(read, undefined, `bit ${bit}`);
  }
});

test('headers are read as they were written, for every index that a number can hold', () => {
  fc.assert(
    fc.property(index, marker, (firstIndex, own) => {
      const bytes = Buffer.alloc(segmentHeaderBytes + batchHeaderBytes);
      writeSegmentHeader(bytes, 0, { firstIndex, marker: own });
      writeBatchHeader(bytes, segmentHeaderBytes, own, firstIndex);
      assert.deepEqual(readSegmentHeader(bytes), { firstIndex, marker: own });
      assert.equal(readBatchHeader(bytes, segmentHeaderBytes, own), firstIndex);
    }),
  );
});

test('a batch header is one only with the marker of its segment', () => {
  fc.assert(
    fc.property(index, marker, marker, (first, own, other) => {
      fc.pre(!own.equals(other));
      const bytes = Buffer.alloc(batchHeaderBytes);
      writeBatchHeader(bytes, 0, own, first);
      assert.equal(readBatchHeader(bytes, 0, other), undefined);
    }),
  );
});

test('a batch header is never taken for a frame', () => {
  const bytes = Buffer.alloc(batchHeaderBytes);
  writeBatchHeader(bytes, 0, Buffer.alloc(8), 0);
  assert.equal(readFrameLength(bytes, 0), undefined);
});

test('the example in docs/journal-format.md is what the journal writes', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk, { newMarker: () => Buffer.from('a1b2c3d4e5f60718', 'hex') });
  await journal.append([Buffer.from('one'), Buffer.from('two')]);
  await journal.append([Buffer.from('three')]);
  await journal.close();
  const written = disk.contents(`${dir}/00000000000000000000.seg`)?.toString('hex');

  const page = readFileSync('docs/journal-format.md', 'utf8');
  const example = /```hex\n([^`]*)```/.exec(page)?.[1] ?? '';
  assert.equal(example.replace(/^ *\d+ +|;.*$|\s/gm, ''), written);
});
