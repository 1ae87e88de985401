import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { AuthorizationRequest } from '../../wire/authorization.ts';
import type { RecordIdentity } from '../../wire/control-event.ts';
import { framesOf } from '../journal/frames.ts';
import type { Journal } from '../journal/journal.types.ts';
import { recordEncoder, writeRecord } from '../record/envelope.ts';
import { intentEntry, intentType, type IntentFacts } from '../record/intent.ts';
import { redactEntry } from '../record/redact.ts';
import type { RedactionRules } from '../record/redaction-rules.ts';

/** Who asks, and where the outcome will be. */
export interface Asker {
  readonly node: string;
  readonly identity: Extract<RecordIdentity, 'certificate' | 'loopback'>;
  /** DOOR/connect, DOOR/http or DOOR/tcp. */
  readonly log: string;
}

/** The sink's end of the question whether something may leave. */
export interface GateIntake {
  /**
   * Stores what is about to leave as a record of the kind `intent`; resolves when it is on disk. Rejects at once, and nothing may leave, with
   * disk_full or disk_failed while the disk refuses, with limit_exceeded where too much waits for it already (of this node, or of all), with
   * record_malformed or record_too_large where the question is none that a record can be made of.
   */
  take(asker: Asker, question: AuthorizationRequest, facts: IntentFacts): Promise<void>;
  /** Bytes of intents that wait for the disk. */
  readonly waitingBytes: number;
}

export interface GateIntakeOptions {
  readonly journal: Pick<Journal, 'append' | 'failing'>;
  /** Asked for every question, so that a new policy holds at once. */
  readonly rules: () => RedactionRules;
  readonly clock: Clock;
  /** Of intents that wait for the disk. Default 16 MiB: some 20,000 questions, more than a disk stores before Envoy gives them up. */
  readonly waitingBytes?: number;
}

/** Knows no gRPC. */
export function gateIntake(options: GateIntakeOptions): GateIntake {
  const { journal, rules, clock, waitingBytes: limit = 16 * 2 ** 20 } = options;
  const ofNodes = new Map<string, number>();
  let waiting = 0;

  const count = (node: string, bytes: number): void => {
    waiting += bytes;
    const left = (ofNodes.get(node) ?? 0) + bytes;
    if (left > 0) ofNodes.set(node, left);
    else ofNodes.delete(node);
  };

  return {
    get waitingBytes() {
      return waiting;
    },
    take: async (asker, question, facts) => {
      if (journal.failing !== undefined) throw journal.failing;
      const { bytes, marks } = redactEntry(intentEntry(question, facts), intentType(asker.log), rules());
      const record = recordEncoder({ ...asker, epoch: 0, kind: 'intent' }).encode(clock.now(), marks, bytes);
      // A node may take as much as it leaves to the others, so one that floods takes half, and another one always finds room.
      if ((ofNodes.get(asker.node) ?? 0) + record.length > limit - waiting) throw full(asker.node);
      count(asker.node, record.length);
      try {
        await journal.append(
          framesOf([record], ({ length }) => length, writeRecord),
          { urgent: true },
        );
      } finally {
        count(asker.node, -record.length);
      }
    },
  };
}

function full(node: string): SekishoError {
  return new SekishoError(
    'limit_exceeded',
    `More questions of node ${node} wait for the disk than it may have there; those beyond are refused until it has written some.`,
    { facts: { node } },
  );
}
