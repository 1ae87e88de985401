import { noFrames, type Frames } from '../journal/frames.ts';
import { sliceAls, type AlsIdentifier, type AlsMessage } from '../record/slice.ts';
import { entryRecords, reportBad, type EntryObserver, type EntryRules } from './entry-records.ts';
import { logSource, type LogSource } from './log-source.ts';
import { acceptSender, senderMismatch, type SenderRules } from './sender.ts';

export interface AlsObserver extends EntryObserver {
  /** A message was read: so many entries in so many bytes. */
  message(facts: { readonly entries: number; readonly bytes: number }): void;
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

export interface AlsStreamOptions extends SenderRules, EntryRules {
  readonly observer: AlsObserver;
}

/** Turns the messages of one access-log stream into records. Knows no gRPC and no disk. */
export function alsStream(options: AlsStreamOptions): AlsStream {
  const { observer } = options;
  let source: LogSource | undefined;

  return {
    message(bytes) {
      let message: AlsMessage;
      try {
        message = sliceAls(bytes);
      } catch (caught) {
        if (source === undefined) throw caught;
        reportBad(caught, observer);
        return noFrames;
      }
      const { http, tcp } = message;
      source = knownSource(source, message.identifier, options);
      observer.message({ entries: http.length + tcp.length, bytes: bytes.length });
      return entryRecords({ bytes, http, tcp }, source, options);
    },
  };
}

/** The sender: from the first message; a later one may repeat it, but never change it. */
function knownSource(
  known: LogSource | undefined,
  identifier: AlsIdentifier | undefined,
  options: AlsStreamOptions,
): LogSource {
  if (known === undefined) return logSource(acceptSender(identifier, options), options.identity.kind);
  if (identifier === undefined || identifier.node === known.node) return known;
  throw senderMismatch(identifier.node, known.node);
}
