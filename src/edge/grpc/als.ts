import type { Journal } from '../../sink/journal/journal.types.ts';
import type { AlsStream } from '../../sink/intake/als.ts';
import { rawService } from '../../wire/services.ts';
import type { Answer, ReadableCall } from './call.types.ts';
import type { Caller } from './caller.ts';
import type { GrpcService } from './grpc-service.types.ts';
import { statusOf } from './status.ts';

/** Envoy reads nothing from the answer, which comes only at the end of a stream. */
const emptyResponse = Buffer.alloc(0);

/**
 * envoy.service.accesslog.v3.AccessLogService: every message goes to the journal as it comes. While the journal has no room, the stream
 * is not read, and HTTP/2 flow control makes the Envoy wait.
 */
export function alsService(options: {
  readonly journal: Pick<Journal, 'append' | 'hasRoom' | 'room'>;
  readonly identify: (call: ReadableCall) => Caller;
  readonly open: (caller: Caller) => AlsStream;
  readonly failed: (caught: unknown, peer: string) => void;
}): GrpcService {
  const { journal } = options;

  function streamAccessLogs(call: ReadableCall, answer: Answer): void {
    let unwritten = 0;
    let ended = false;
    let answered = false;

    const finish = (): void => {
      if (!ended || unwritten > 0 || answered) return;
      answered = true;
      answer(null, emptyResponse);
    };
    const fail = (caught: unknown): void => {
      if (answered) return;
      answered = true;
      options.failed(caught, call.getPeer());
      answer(statusOf(caught));
      // What still arrives is read and dropped: the status is on its way, and nobody may block on us.
      call.resume();
    };

    let stream: AlsStream;
    try {
      stream = options.open(options.identify(call));
    } catch (caught) {
      fail(caught);
      return;
    }
    call.on('data', (message: Buffer) => {
      if (answered) return;
      try {
        const records = stream.message(message);
        if (records.ends.length === 0) return;
        unwritten += 1;
        journal.append(records).then(() => {
          unwritten -= 1;
          finish();
        }, fail);
        if (journal.hasRoom()) return;
        call.pause();
        journal.room().then(() => call.resume(), fail);
      } catch (caught) {
        fail(caught);
      }
    });
    call.on('end', () => {
      ended = true;
      finish();
    });
    // A reset (an Envoy that went away, a message over the limit) ends the stream; what was appended stays.
    call.on('error', fail);
  }

  return {
    definition: rawService('envoy.service.accesslog.v3.AccessLogService'),
    implementation: { StreamAccessLogs: streamAccessLogs },
  };
}
