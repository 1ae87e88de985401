import { SekishoError } from '../../base/errors.ts';
import type { Corruption } from '../journal/journal.types.ts';
import { readBatches, type ReadOptions } from '../journal/reader.ts';

/** What stands in a journal at an index: a payload, or a damaged place that hides `lost` records from that index on. */
export type Entry =
  | { readonly kind: 'payload'; readonly index: number; readonly payload: Buffer }
  | { readonly kind: 'damage'; readonly index: number; readonly lost: number; readonly error: SekishoError };

/** Entries next to each other, and where to go on behind them. */
export interface Piece {
  readonly entries: readonly Entry[];
  readonly next: number;
}

/**
 * The entries of a journal in their order, damaged places among them, a piece of at most `most` at a time. A damaged place is told when what
 * follows it can be read, for only then is it known how much is lost.
 */
export async function* readPieces(
  options: Omit<ReadOptions, 'onCorrupt'> & { readonly most?: number },
): AsyncGenerator<Piece, void> {
  const { most = 256, ...reading } = options;
  const damages: Corruption[] = [];
  let next = options.from ?? 0;
  for await (const frames of readBatches({ ...reading, onCorrupt: (damage) => damages.push(damage) })) {
    for (let from = 0; from < frames.length; from += most) {
      const entries: Entry[] = [];
      for (const { index, payload } of frames.slice(from, from + most)) {
        if (damages.length > 0) entries.push(...damages.splice(0).map((damage) => damageAt(next, damage)));
        entries.push({ kind: 'payload', index, payload });
        next = index + 1;
      }
      yield { entries, next };
    }
  }
  if (damages.length > 0) yield { entries: damages.map((damage) => damageAt(next, damage)), next };
}

function damageAt(index: number, { segment, offset, lostFrames: lost }: Corruption): Entry {
  const message = `${segment} is damaged at byte ${offset}: ${lost} records from index ${index} on cannot be read; restore it from a copy`;
  const facts = { segment, offset, lost };
  return { kind: 'damage', index, lost, error: new SekishoError('journal_corrupt', message, { facts }) };
}
