import { SekishoError } from '../../base/errors.ts';
import type { ReceiptsIntake } from '../../sink/intake/receipts.ts';
import type { Journal } from '../../sink/journal/journal.types.ts';
import { logsService } from '../../wire/otlp-logs.ts';
import type { Answer, UnaryCall } from './call.types.ts';
import type { Caller } from './caller.ts';
import type { GrpcService } from './grpc-service.types.ts';
import { statusOf } from './status.ts';

/** An ExportLogsServiceResponse that refuses nothing. */
const accepted = Buffer.alloc(0);

/** How many bytes of calls may wait while the journal has no room; of one node a quarter of it, so that a flood is its own. */
const waitingLimit = 16 * 1024 * 1024;

/**
 * opentelemetry.proto.collector.logs.v1.LogsService: a call is answered when all that it brought is on disk, in this copy or in the other one; until then,
 * and after RESOURCE_EXHAUSTED, Envoy keeps it and sends it again.
 */
export function receiptsService(options: {
  readonly journal: Pick<Journal, 'append' | 'hasRoom' | 'room' | 'settled'>;
  readonly identify: (call: UnaryCall) => Caller;
  readonly intake: ReceiptsIntake;
  readonly failed: (caught: unknown, peer: string) => void;
  /** Bytes; tests bring less. */
  readonly waitingBytes?: number;
}): GrpcService {
  const { journal, waitingBytes = waitingLimit } = options;
  const waiting = new Map<string, number>();
  let waitingAll = 0;

  async function roomFor(call: UnaryCall, caller: Caller): Promise<void> {
    const { length } = call.request;
    const who = caller.kind === 'certificate' ? caller.node : '';
    const own = waiting.get(who) ?? 0;
    const share = caller.kind === 'certificate' ? waitingBytes / 4 : waitingBytes;
    if (waitingAll + length > waitingBytes || own + length > share) throw full(waitingBytes);
    waiting.set(who, own + length);
    waitingAll += length;
    try {
      while (!journal.hasRoom() && !call.cancelled) await journal.room();
    } finally {
      waitingAll -= length;
      const left = (waiting.get(who) ?? 0) - length;
      if (left > 0) waiting.set(who, left);
      else waiting.delete(who);
    }
  }

  async function take(call: UnaryCall): Promise<void> {
    const caller = options.identify(call);
    if (!journal.hasRoom()) await roomFor(call, caller);
    // Whoever hung up sends it again.
    if (call.cancelled) return;
    const appended = options.intake.message(call.request, caller).map((frames) => journal.append(frames));
    // What the other copy brought may still be on its way.
    await Promise.all([...appended, journal.settled()]);
  }

  function exportLogs(call: UnaryCall, answer: Answer): void {
    take(call).then(
      () => {
        answer(null, accepted);
      },
      (caught: unknown) => {
        options.failed(caught, call.getPeer());
        answer(statusOf(caught));
      },
    );
  }

  return { definition: logsService, implementation: { Export: exportLogs } };
}

function full(bytes: number): SekishoError {
  return new SekishoError(
    'limit_exceeded',
    `${bytes} bytes of receipts wait for the disk; more are not taken until it writes again.`,
  );
}
