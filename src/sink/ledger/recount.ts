import { decodeGap } from '../../wire/gap.ts';
import { FieldReader } from '../../wire/protobuf.ts';
import { recordFields, recordKinds, suppressedFields } from '../record/envelope.ts';
import type { GapReport } from './ledger.types.ts';
import { isOutcome } from './outcome.ts';

/** What a part of the journal says to the ledger. */
export interface JournalCount {
  readonly outcomes: readonly {
    readonly node: string;
    readonly epoch: number;
    readonly log: string;
    readonly count: number;
  }[];
  /** The last word on each. */
  readonly gaps: readonly GapReport[];
}

/** Counts the outcomes in payloads of the journal, and follows the gaps. What cannot be read says nothing. */
export class Recount {
  readonly #outcomes = new Map<string, { node: string; epoch: number; log: string; count: number }>();
  readonly #gaps = new Map<string, GapReport>();

  add(payload: Buffer): void {
    try {
      this.#read(payload);
    } catch {
      // Whoever reads records is told; here it is one that is missing.
    }
  }

  result(): JournalCount {
    return { outcomes: [...this.#outcomes.values()], gaps: [...this.#gaps.values()] };
  }

  #read(payload: Buffer): void {
    const origin = { node: '', log: '', epoch: 0 };
    let [kind, count] = [0, 1];
    let entry: Buffer | undefined;
    const record = new FieldReader(payload);
    while (record.next()) {
      if (record.is(recordFields.node)) origin.node = record.string();
      else if (record.is(recordFields.log)) origin.log = record.string();
      else if (record.field === recordFields.epoch) origin.epoch = record.uint();
      else if (record.field === recordFields.kind) kind = record.uint();
      else if (record.is(recordFields.suppressed)) count += suppressedIn(record.message());
      else if (record.is(recordFields.entry)) entry = record.bytes();
    }
    if (entry === undefined) return;
    if (kind === recordKinds.gap) {
      const gap = { ...origin, ...decodeGap(entry) };
      this.#gaps.set(keyOf(gap), gap);
    }
    if (kind !== recordKinds.http || !isOutcome(new FieldReader(entry))) return;
    const key = keyOf(origin);
    const known = this.#outcomes.get(key);
    if (known) known.count += count;
    else this.#outcomes.set(key, { ...origin, count });
  }
}

function keyOf({ node, epoch, log }: { readonly node: string; readonly epoch: number; readonly log: string }): string {
  return `${node}\n${epoch}\n${log}`;
}

function suppressedIn(reader: FieldReader): number {
  let count = 0;
  while (reader.next()) if (reader.field === suppressedFields.count) count = reader.uint();
  return count;
}
