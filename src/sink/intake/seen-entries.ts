import { randomBytes } from 'node:crypto';
import { steadyClock } from '../../base/clock.ts';
import type { EntryIdentity } from './entry-identity.ts';
import { SeenHashes } from './seen-hashes.ts';
import { HalfSipHash } from './sip-hash.ts';

/**
 * Which entries the sink has taken lately, so that the second copy of one is not stored again. An entry is told by its node, its log, its type, the
 * nanosecond in which it began, and its stream id, or the client's address and port where it has none: a client that sends the id of somebody else's
 * request does not hide its own.
 *
 * Bounded (see `seenBounds`). A copy that comes later than the memory reaches is stored twice; none is ever lost.
 */
export class SeenEntries {
  readonly #hashes: SeenHashes;
  readonly #sip = new HalfSipHash(randomBytes(8));
  readonly #scratch = Buffer.alloc(scratchBytes);

  constructor(hashes: SeenHashes = new SeenHashes(() => steadyClock.now())) {
    this.#hashes = hashes;
  }

  /** `log`: of which node and log the entry is, the same text for both copies. */
  has(log: string, entry: EntryIdentity): boolean {
    if (!periodicTypes.has(entry.type)) return this.#knows(log, entry, 0);
    const slice = sliceOf(entry);
    return [slice, slice - 1, slice + 1].some((one) => this.#knows(log, entry, one));
  }

  add(log: string, entry: EntryIdentity): void {
    this.#hash(log, entry, periodicTypes.has(entry.type) ? sliceOf(entry) : 0);
    this.#hashes.add(this.#sip.low, this.#sip.high);
  }

  #knows(log: string, entry: EntryIdentity, slice: number): boolean {
    this.#hash(log, entry, slice);
    return this.#hashes.has(this.#sip.low, this.#sip.high);
  }

  #hash(log: string, { type, seconds, nanos, id, client }: EntryIdentity, slice: number): void {
    const scratch = this.#scratch;
    scratch.writeUInt32LE(type >>> 0, 0);
    scratch.writeDoubleLE(seconds, 4);
    scratch.writeUInt32LE(nanos >>> 0, 12);
    scratch.writeDoubleLE(slice, 16);
    // What is cut is a log or an id of thousands of characters, and those that agree in so many and in the nanosecond are one.
    const inLog = scratch.write(log, 32, longestLog, 'latin1');
    const inId = scratch.write(id === '' ? client : id, 32 + inLog, 'latin1');
    scratch.writeUInt32LE(inLog, 24);
    scratch.writeUInt32LE(id.length, 28);
    this.#sip.of(scratch, 32 + inLog + inId);
  }
}

const longestLog = 600;
const scratchBytes = 2048;

/**
 * TcpPeriodic, DownstreamPeriodic, UpstreamPeriodic, UdpPeriodic: a stream that lasts has several, which only their duration tells apart. Both copies are
 * made in one turn of Envoy's loop, each with the duration of its own moment, so durations that are less than a slice apart are the same.
 */
const periodicTypes: ReadonlySet<number> = new Set([2, 5, 8, 12]);
const sliceNanos = 25e6;

function sliceOf({ duration }: EntryIdentity): number {
  return Math.floor(duration / sliceNanos);
}
