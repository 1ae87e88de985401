import type { TestContext } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { systemClock } from '../../src/base/clock.ts';
import { alsStream, type AlsStream } from '../../src/sink/intake/als.ts';
import { receiptsIntake } from '../../src/sink/intake/receipts.ts';
import { frameHeaderBytes } from '../../src/sink/journal/format.ts';
import type { Frames } from '../../src/sink/journal/frames.ts';
import { decodeRecord } from '../../src/sink/record/decode.ts';
import { nameRecord, type NamedRecord } from '../../src/sink/record/name.ts';
import { redactionRules } from '../../src/sink/record/redaction-rules.ts';
import { logsService } from '../../src/wire/otlp-logs.ts';
import { rawService } from '../../src/wire/services.ts';

/** A sink without a disk that keeps the two copies of each entry apart: what each would store if it were the only one. */
export interface CapturedLogs {
  readonly port: number;
  readonly stream: NamedRecord[];
  readonly receipt: NamedRecord[];
  /** What was refused of either. */
  readonly refused: string[];
}

export async function captureLogs(t: TestContext, host: string): Promise<CapturedLogs> {
  const [stream, receipt, refused]: [NamedRecord[], NamedRecord[], string[]] = [[], [], []];
  const rules = redactionRules();
  const common = {
    rules: () => rules,
    clock: systemClock,
    refusals: { admits: () => true },
    observer: {
      message: () => undefined,
      redacted: () => undefined,
      incomplete: () => refused.push('incomplete'),
      suppressed: () => undefined,
      refused: (reason: string) => refused.push(reason),
    },
  };
  const intake = receiptsIntake(common);
  const server = new grpc.Server();
  server.addService(rawService('envoy.service.accesslog.v3.AccessLogService'), {
    StreamAccessLogs: (call: grpc.ServerReadableStream<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) => {
      const opened: AlsStream = alsStream({ ...common, identity: { kind: 'loopback' } });
      call.on('data', (bytes: Buffer) => stream.push(...rowsOf(opened.message(bytes))));
      call.on('error', () => undefined);
      call.on('end', () => {
        answer(null, Buffer.alloc(0));
      });
    },
  });
  server.addService(logsService, {
    Export: (call: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) => {
      for (const frames of intake.message(call.request, { kind: 'loopback' })) receipt.push(...rowsOf(frames));
      answer(null, Buffer.alloc(0));
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:0`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  t.after(() => {
    server.forceShutdown();
  });
  return { port, stream, receipt, refused };
}

function rowsOf({ bytes, ends }: Frames): NamedRecord[] {
  return ends.map((end, index) => {
    const payload = bytes.subarray((ends[index - 1] ?? 0) + frameHeaderBytes, end);
    return nameRecord(decodeRecord(payload), 0);
  });
}
