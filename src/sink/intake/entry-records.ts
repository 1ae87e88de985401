import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import { framesOf, type Frames } from '../journal/frames.ts';
import { writeRecord, type EncodedRecord } from '../record/envelope.ts';
import { redactEntry, type EntryType } from '../record/redact.ts';
import type { RedactionRules } from '../record/redaction-rules.ts';
import { mayHoldRefusal, refusalIn } from '../record/refusal.ts';
import { hasCommonProperties } from '../record/slice.ts';
import { Suspects } from '../record/suspects.ts';
import type { EntryOrigin, EntrySource, LogSource } from './log-source.ts';
import type { RefusalRecord } from './refusal-limit.ts';
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
  /** Counts what comes, where anybody asks for it. */
  readonly traffic?: Pick<TrafficMeter, 'count'>;
}

/** Entries that arrived together: HTTPAccessLogEntry and TCPAccessLogEntry messages, all of them parts of `bytes`. */
export interface Entries {
  readonly bytes: Buffer;
  readonly http: readonly Buffer[];
  readonly tcp: readonly Buffer[];
}

/**
 * What access-log entries become in the journal, in their order, whichever way they came: without their secrets, short enough, refusals that come too
 * fast counted instead. Bad entries are reported and left out; good ones beside them stay.
 */
export function entryRecords(entries: Entries, source: LogSource, options: EntryRules): Frames {
  const { node, http, tcp } = source;
  options.traffic?.count(node, 'http', entries.http, entries.bytes);
  options.traffic?.count(node, tcp.origin.kind, entries.tcp, entries.bytes);
  const whole = { bytes: entries.bytes, suspects: new Suspects(entries.bytes) };
  const records: EncodedRecord[] = [];
  collectRecords(entries.http, whole, http, options, records);
  collectRecords(entries.tcp, whole, tcp, options, records);
  return framesOf(records, lengthOf, writeRecord);
}

function collectRecords(
  entries: readonly Buffer[],
  whole: { readonly bytes: Buffer; readonly suspects: Suspects },
  { origin, encoder }: EntrySource,
  { rules, clock, refusals, observer, outcomes }: EntryRules,
  into: EncodedRecord[],
): void {
  if (entries.length === 0) return;
  const { node, log, kind } = origin;
  const type: EntryType = kind === 'http' ? 'http' : 'tcp';
  const refusable = kind !== 'tcp' && mayHoldRefusal(whole.bytes, kind) ? kind : undefined;
  const received = clock.now();
  const current = rules();
  for (const entry of entries) {
    try {
      const { bytes, marks } = redactEntry(entry, type, current, whole.suspects);
      const record = encoder.encode(received, marks, bytes);
      const refusal = refusable && refusalIn(bytes, refusable);
      if (refusal !== undefined && !refusals.admits({ ...refusal, node, log, received, record })) {
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
