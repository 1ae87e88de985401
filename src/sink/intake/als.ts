import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import { framesOf, noFrames, type Frames } from '../journal/frames.ts';
import {
  recordEncoder,
  writeRecord,
  type EncodedRecord,
  type RecordEncoder,
  type RecordOrigin,
} from '../record/envelope.ts';
import { redactEntry, type EntryType } from '../record/redact.ts';
import type { RedactionRules } from '../record/redaction-rules.ts';
import { mayHoldRefusal, refusalIn } from '../record/refusal.ts';
import { hasCommonProperties, sliceAls, type AlsIdentifier, type AlsMessage } from '../record/slice.ts';
import { Suspects } from '../record/suspects.ts';
import type { RefusalRecord } from './refusal-limit.ts';
import type { TrafficMeter } from './traffic.ts';

/** How the sink knows who sends: by the client certificate's node id, or not at all, over loopback. */
export type AlsSender = { readonly kind: 'certificate'; readonly node: string } | { readonly kind: 'loopback' };

/** What happens to entries, for the counters. Nothing is refused without a word here. */
export interface AlsObserver {
  /** A message was read: so many entries in so many bytes. */
  message(facts: { readonly entries: number; readonly bytes: number }): void;
  /** An entry was stored with so many marks. */
  redacted(marks: number): void;
  /** An entry without AccessLogCommon was stored: what Envoy sent, but nobody can tell when or who. */
  incomplete(): void;
  /** A refusal at this node was counted instead of stored. */
  suppressed(node: string): void;
  /** An entry, or a whole message (`entries` unknown), was not stored. */
  refused(reason: 'malformed' | 'too_large', error: SekishoError): void;
}

/** The sink's end of one StreamAccessLogs call. */
export interface AlsStream {
  /**
   * The records of a message, in its order, framed for the journal. Bad entries are reported and left out; good ones beside them stay.
   * Throws, and the stream must end, where the sender is not acceptable: SekishoError `record_malformed` (the first message does not
   * say who sends), `identity_mismatch` (not the certificate's node) or `node_unknown` (not in the policy).
   */
  message(bytes: Buffer): Frames;
}

export interface AlsStreamOptions {
  readonly identity: AlsSender;
  /** Whether the policy knows that node; every node, if absent. */
  readonly admits?: (node: string) => boolean;
  /** Asked for every message, so that a new policy holds at once. */
  readonly rules: () => RedactionRules;
  readonly clock: Clock;
  /** Which refusals to store; that of the whole sink. */
  readonly refusals: { admits(refusal: RefusalRecord): boolean };
  readonly observer: AlsObserver;
  /** Counts what comes, where anybody asks for it. */
  readonly traffic?: Pick<TrafficMeter, 'count'>;
}

/** Turns the messages of one access-log stream into records. Knows no gRPC and no disk. */
export function alsStream(options: AlsStreamOptions): AlsStream {
  const { observer } = options;
  let origin: StreamOrigin | undefined;

  return {
    message(bytes) {
      let message: AlsMessage;
      try {
        message = sliceAls(bytes);
      } catch (caught) {
        report(caught, origin === undefined ? undefined : observer);
        return noFrames;
      }
      origin = knownOrigin(origin, message.identifier, options);
      observer.message({ entries: message.http.length + message.tcp.length, bytes: bytes.length });
      options.traffic?.count(origin.node, 'http', message.http, bytes);
      options.traffic?.count(origin.node, origin.tcp.origin.kind, message.tcp, bytes);
      const whole = { bytes, suspects: new Suspects(bytes) };
      const records: EncodedRecord[] = [];
      collectRecords(message.http, whole, origin.http, options, records);
      collectRecords(message.tcp, whole, origin.tcp, options, records);
      return framesOf(records, lengthOf, writeRecord);
    },
  };
}

interface StreamOrigin {
  readonly node: string;
  readonly http: EntrySource;
  readonly tcp: EntrySource;
}

/** What an Envoy's entries become. */
type EntryKind = Exclude<RecordOrigin['kind'], 'control'>;

/** The entries of one type in a stream. */
interface EntrySource {
  readonly origin: RecordOrigin & { readonly kind: EntryKind };
  readonly encoder: RecordEncoder;
}

const longestName = 255;

/** The sender: from the first message; a later one may repeat it, but never change it. */
function knownOrigin(
  known: StreamOrigin | undefined,
  identifier: AlsIdentifier | undefined,
  options: AlsStreamOptions,
): StreamOrigin {
  if (known !== undefined && (identifier === undefined || identifier.node === known.node)) return known;
  if (known !== undefined) throw mismatch(identifier?.node ?? '', known.node);
  if (identifier === undefined || !isName(identifier.node) || !isName(identifier.log)) throw anonymous();
  const { node } = identifier;
  if (options.identity.kind === 'certificate' && options.identity.node !== node)
    throw mismatch(node, options.identity.node);
  if (options.admits?.(node) === false) throw unknown(node);
  return originOf(identifier, options.identity.kind);
}

function isName(text: string): boolean {
  return text !== '' && text.length <= longestName;
}

function originOf({ node, log, epoch }: AlsIdentifier, identity: AlsSender['kind']): StreamOrigin {
  const source = (kind: EntryKind): EntrySource => {
    const origin = { node, log, epoch, identity, kind };
    return { origin, encoder: recordEncoder(origin) };
  };
  return { node, http: source('http'), tcp: source(log.endsWith('/connection') ? 'connection' : 'tcp') };
}

function collectRecords(
  entries: readonly Buffer[],
  whole: { readonly bytes: Buffer; readonly suspects: Suspects },
  { origin, encoder }: EntrySource,
  { rules, clock, refusals, observer }: AlsStreamOptions,
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
        continue;
      }
      into.push(record);
      if (!hasCommonProperties(entry)) observer.incomplete();
      if (marks.length > 0) observer.redacted(marks.length);
    } catch (caught) {
      report(caught, observer);
    }
  }
}

function lengthOf({ length }: EncodedRecord): number {
  return length;
}

/** What one bad message or entry throws is told, and the stream goes on; anything else goes up, and so does all of it without an observer. */
function report(caught: unknown, observer: AlsObserver | undefined): void {
  const error = SekishoError.from(caught);
  if (observer === undefined || (error.code !== 'record_malformed' && error.code !== 'record_too_large')) throw error;
  observer.refused(error.code === 'record_too_large' ? 'too_large' : 'malformed', error);
}

function anonymous(): SekishoError {
  return new SekishoError(
    'record_malformed',
    'The first message of an access-log stream does not name its node and log. Start Envoy with a node id (--service-node) ' +
      `and give the access logger a log_name; each has at most ${longestName} characters.`,
  );
}

function mismatch(claimed: string, proven: string): SekishoError {
  const shown = claimed.slice(0, longestName);
  return new SekishoError(
    'identity_mismatch',
    `An access-log stream says that it comes from node ${JSON.stringify(shown)}, but it belongs to ${proven}. ` +
      "Start Envoy with the node id that its certificate names, or give it that node's certificate.",
    { facts: { claimed: shown, proven } },
  );
}

function unknown(node: string): SekishoError {
  return new SekishoError(
    'node_unknown',
    `Node ${JSON.stringify(node)} sends access logs, but the policy has no such node. Add it under fleet.nodes, or stop that Envoy.`,
    { facts: { node } },
  );
}
