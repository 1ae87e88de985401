import type { TestContext } from 'node:test';
import type * as grpc from '@grpc/grpc-js';
import { SekishoError } from '../../../src/base/errors.ts';
import type { ServerCredentials } from '../../../src/edge/grpc/doorkeeper.ts';
import { readerOf, type Reader } from '../../../src/edge/grpc/reader.ts';
import { recordsService } from '../../../src/edge/grpc/records.ts';
import { startGrpcServer, type GrpcServer } from '../../../src/edge/grpc/server.ts';
import {
  decodeRecordsResponse,
  encodeQueryRequest,
  encodeTailRequest,
  recordsService as definition,
  type QueryRequest,
  type RecordsItem,
  type TailRequest,
} from '../../../src/wire/records-api.ts';
import { Source } from '../../sink/outputs/fixture.ts';

/** A server with nothing but records, over a journal that the test fills. */
export interface RecordsHouse {
  readonly source: Source;
  readonly server: GrpcServer;
  readonly to: string;
  /** Calls that were taken and have ended. */
  readonly ended: { reader: Reader; items: number }[];
  readonly began: Reader[];
  /** Codes of the calls that failed. */
  readonly failed: string[];
  /** As when the service stops. */
  readonly finish: () => void;
}

export async function startRecords(
  t: TestContext,
  options: { credentials: ServerCredentials; calls?: number; source?: Source; port?: number },
): Promise<RecordsHouse> {
  const source = options.source ?? (await new Source().open());
  const house = { ended: [] as RecordsHouse['ended'], began: [] as Reader[], failed: [] as string[] };
  const service = recordsService({
    journal: source.followed,
    identify: (call) => readerOf(call, 'tokyo'),
    clock: source.clock,
    observer: {
      began: (_, reader) => house.began.push(reader),
      ended: (_, reader, items) => house.ended.push({ reader, items }),
      failed: (caught) => house.failed.push(SekishoError.from(caught).code),
    },
    ...(options.calls !== undefined && { calls: options.calls }),
  });
  const server = await startGrpcServer({
    listen: { host: '127.0.0.1', port: options.port ?? 0 },
    credentials: options.credentials,
    services: [service],
    arrived: () => undefined,
    refused: () => undefined,
  });
  const finish = (): void => {
    service.close();
  };
  t.after(async () => {
    finish();
    await server.close(50);
  });
  return { ...house, source, server, to: `127.0.0.1:${server.port}`, finish };
}

/** A call as any gRPC client makes it. */
export interface RecordsCall {
  readonly call: grpc.ClientReadableStream<Buffer>;
  readonly items: RecordsItem[];
  /** `next` of the last response; undefined before the first one. */
  next(): number | undefined;
  readonly ended: Promise<grpc.StatusObject>;
}

export function query(client: grpc.Client, request: Partial<QueryRequest> = {}): RecordsCall {
  return open(client, 'Query', encodeQueryRequest({ filter: {}, form: 'json', from: 0, to: 0, limit: 0, ...request }));
}

export function tail(client: grpc.Client, request: Partial<TailRequest> = {}): RecordsCall {
  return open(client, 'Tail', encodeTailRequest({ filter: {}, form: 'payload', from: 0, ...request }));
}

/** `read` false: the responses behind the first one are left where they are. */
export function open(client: grpc.Client, method: 'Query' | 'Tail', request: Buffer, read = true): RecordsCall {
  const { path, requestSerialize, responseDeserialize } = definition[method];
  const call = client.makeServerStreamRequest<Buffer, Buffer>(path, requestSerialize, responseDeserialize, request);
  const items: RecordsItem[] = [];
  let next: number | undefined;
  const ended = new Promise<grpc.StatusObject>((resolve) => {
    call.on('status', resolve);
  });
  call.on('error', () => undefined);
  // Before it is asked for the first one, grpc-js takes all that comes into memory of the client.
  if (!read) call.once('data', () => call.pause());
  else {
    call.on('data', (bytes: Buffer) => {
      const response = decodeRecordsResponse(bytes);
      items.push(...response.items);
      next = response.next;
    });
  }
  return { call, items, ended, next: () => next };
}
