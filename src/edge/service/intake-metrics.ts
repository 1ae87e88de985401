import type { ErrorCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { AlsObserver } from '../../sink/intake/als.ts';

/** What the intake counts, and what it refuses, as metrics; the first refusals of each kind also as log lines. */
export interface IntakeObserver extends AlsObserver {
  /** The same for messages that came by OTLP. */
  readonly receipts: (facts: { readonly entries: number; readonly bytes: number }) => void;
  /** A whole OTLP message was refused. */
  receiptsRefused(code: ErrorCode): void;
  /** A whole stream was ended: its sender, or its first message, was not acceptable. */
  streamRefused(code: ErrorCode): void;
}

export function intakeObserver(metrics: Metrics, log: Log): IntakeObserver {
  const messages = metrics.counter({ name: 'sekisho_als_messages_total', help: 'Access-log messages read.' });
  const entries = metrics.counter({ name: 'sekisho_als_entries_total', help: 'Access-log entries read.' });
  const bytes = metrics.counter({ name: 'sekisho_als_bytes_total', help: 'Bytes of access-log messages read.' });
  const redactions = metrics.counter({ name: 'sekisho_redactions_total', help: 'Values withheld before storing.' });
  const incomplete = metrics.counter({
    name: 'sekisho_als_incomplete_total',
    help: 'Entries stored although they carry no common properties.',
  });
  const refused = metrics.counter({
    name: 'sekisho_als_refused_total',
    help: 'Entries or messages not stored, by reason.',
    labels: ['reason'],
  });
  const suppressed = metrics.counter({
    name: 'sekisho_refusals_suppressed_total',
    help: 'Refusals beyond the rate of their client, counted instead of stored, by node.',
    labels: ['node'],
  });
  const streams = metrics.counter({
    name: 'sekisho_als_streams_refused_total',
    help: 'Access-log streams ended because of their sender or first message, by error code.',
    labels: ['code'],
  });
  const receiptMessages = metrics.counter({
    name: 'sekisho_receipts_messages_total',
    help: 'OTLP messages read.',
  });
  const receiptRecords = metrics.counter({
    name: 'sekisho_receipts_entries_total',
    help: 'Log records read from them, each a second copy of an entry or the first.',
  });
  const duplicates = metrics.counter({
    name: 'sekisho_duplicates_total',
    help: 'Entries not stored again because their other copy came before, by the copy that was left out.',
    labels: ['copy'],
  });
  const receiptRefusals = metrics.counter({
    name: 'sekisho_receipts_refused_total',
    help: 'OTLP messages refused whole because of their sender or their bytes, or while the disk takes nothing, by error code.',
    labels: ['code'],
  });
  const told = new Map<string, number>();
  return {
    message: (facts) => {
      messages.add({});
      entries.add({}, facts.entries);
      bytes.add({}, facts.bytes);
    },
    receipts: ({ entries: records }) => {
      receiptMessages.add({});
      receiptRecords.add({}, records);
    },
    duplicate: (copy) => {
      duplicates.add({ copy });
    },
    receiptsRefused: (code) => {
      receiptRefusals.add({ code });
    },
    redacted: (marks) => {
      redactions.add({}, marks);
    },
    incomplete: () => {
      incomplete.add({});
    },
    suppressed: (node) => {
      suppressed.add({ node });
    },
    refused: (reason, error) => {
      refused.add({ reason });
      const times = (told.get(reason) ?? 0) + 1;
      told.set(reason, times);
      if (times > toldAtFirst && times % toldThen !== 0) return;
      log.warn('an access-log entry was not stored', { reason, times, why: error.message, ...error.facts });
    },
    streamRefused: (code) => {
      streams.add({ code });
    },
  };
}

/** One message can hold a million bad entries: so many refusals of a kind are logged one by one, then every so-many-th. */
const toldAtFirst = 10;
const toldThen = 10_000;
