import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import { framesOf, type Frames } from '../journal/frames.ts';
import { writeRecord, type Assurance, type EncodedRecord, type EntryCopy } from '../record/envelope.ts';
import { redactEntry, type EntryType } from '../record/redact.ts';
import type { RedactionRules } from '../record/redaction-rules.ts';
import { mayHoldRefusal, refusalIn } from '../record/refusal.ts';
import { hasCommonProperties } from '../record/slice.ts';
import { Suspects } from '../record/suspects.ts';
import { entryIdentity, type EntryIdentity } from './entry-identity.ts';
import type { EntryOrigin, EntrySource, LogSource } from './log-source.ts';
import type { RefusalRecord } from './refusal-limit.ts';
import type { SeenEntries } from './seen-entries.ts';
import type { TrafficMeter } from './traffic.ts';

/** What happens to entries, for the counters. Nothing is refused without a word here. */
export interface EntryObserver {
  /** An entry was stored with so many marks. */
  redacted(marks: number): void;
  /** An entry without AccessLogCommon was stored: what Envoy sent, but nobody can tell when or who. */
  incomplete(): void;
  /** A refusal at this node was counted instead of stored. */
  suppressed(node: string): void;
  /** An entry, or a whole message (`entries` unknown), was not stored. */
  refused(reason: 'malformed' | 'too_large', error: SekishoError): void;
  /** The other copy of an entry came before this one. */
  duplicate?(copy: EntryCopy): void;
  /** An entry was taken that had not been taken before: stored, or counted as a refusal. Only where copies are compared. */
  distinct?(source: LogSource, entry: EntryIdentity): void;
}

export interface EntryRules {
  /** Asked for every message, so that a new policy holds at once. */
  readonly rules: () => RedactionRules;
  readonly clock: Clock;
  /** Which refusals to store; that of the whole sink. */
  readonly refusals: { admits(refusal: RefusalRecord): boolean };
  readonly observer: EntryObserver;
  /** Told of each entry that was taken: stored, or counted instead, in the turn of the event loop in which the journal gets it. */
  readonly outcomes?: { count(origin: EntryOrigin, entry: Buffer, stored: boolean): void };
  /** What has been taken lately; absent, or undefined, where Envoys send one copy only. */
  readonly seen?: () => Pick<SeenEntries, 'has' | 'add'> | undefined;
  /** What the policy promises at present; it becomes part of the record. */
  readonly assurance?: () => Assurance;
  /** Counts what comes, where anybody asks for it. */
  readonly traffic?: Pick<TrafficMeter, 'count'>;
}

/** Entries that arrived together: HTTPAccessLogEntry and TCPAccessLogEntry messages, all of them parts of `bytes`. */
export interface Entries {
  readonly bytes: Buffer;
  readonly http: readonly Buffer[];
  readonly tcp: readonly Buffer[];
  /** Where an entry was shortened before it came here. */
  readonly cuts?: ReadonlyMap<Buffer, readonly string[]>;
}

/**
 * What access-log entries become in the journal, in their order, whichever way they came: each once, without its secrets, short enough, refusals that
 * come too fast counted instead. Bad entries are reported and left out; good ones beside them stay.
 */
export function entryRecords(entries: Entries, source: LogSource, options: EntryRules): Frames {
  const whole = { entries, suspects: new Suspects(entries.bytes), source };
  const records: EncodedRecord[] = [];
  collectRecords(entries.http, source.http, whole, options, records);
  collectRecords(entries.tcp, source.tcp, whole, options, records);
  return framesOf(records, lengthOf, writeRecord);
}

function collectRecords(
  list: readonly Buffer[],
  { origin, encoder }: EntrySource,
  whole: { readonly entries: Entries; readonly suspects: Suspects; readonly source: LogSource },
  { rules, clock, refusals, observer, outcomes, ...options }: EntryRules,
  into: EncodedRecord[],
): void {
  if (list.length === 0) return;
  const { entries, source } = whole;
  const { node, log, kind } = origin;
  const type: EntryType = kind === 'http' ? 'http' : 'tcp';
  const refusable = kind !== 'tcp' && mayHoldRefusal(entries.bytes, kind) ? kind : undefined;
  const received = clock.now();
  const current = rules();
  const seen = options.seen?.();
  const assurance = options.assurance?.();
  const facts = assurance && { assurance };
  const fresh: Buffer[] = [];
  for (const entry of list) {
    try {
      const identity = seen && entryIdentity(entry);
      if (identity !== undefined && seen?.has(source.key, identity) === true) {
        observer.duplicate?.(source.copy);
        continue;
      }
      fresh.push(entry);
      const { bytes, marks } = redactEntry(entry, type, current, whole.suspects);
      const cuts = entries.cuts?.get(entry);
      const record =
        cuts === undefined
          ? encoder.encode(received, marks, bytes, facts)
          : encoder.encode(received, [...marks, ...cuts], bytes, { ...facts, cut: true });
      const refusal = refusable && refusalIn(bytes, refusable);
      const admitted = refusal === undefined || refusals.admits({ ...refusal, node, log, received, record });
      // Only now: had this copy been bad, the other one would have to be stored.
      if (identity !== undefined) {
        seen?.add(source.key, identity);
        observer.distinct?.(source, identity);
      }
      if (!admitted) {
        observer.suppressed(node);
        outcomes?.count(origin, entry, false);
        continue;
      }
      into.push(record);
      outcomes?.count(origin, entry, true);
      if (!hasCommonProperties(entry)) observer.incomplete();
      if (marks.length > 0) observer.redacted(marks.length);
    } catch (caught) {
      reportBad(caught, observer);
    }
  }
  options.traffic?.count(node, kind, fresh, entries.bytes);
}

function lengthOf({ length }: EncodedRecord): number {
  return length;
}

/** What one bad message or entry throws is told, and what stands beside it goes on; anything else goes up. */
export function reportBad(caught: unknown, observer: Pick<EntryObserver, 'refused'>): void {
  const error = SekishoError.from(caught);
  if (error.code !== 'record_malformed' && error.code !== 'record_too_large') throw error;
  observer.refused(error.code === 'record_too_large' ? 'too_large' : 'malformed', error);
}
