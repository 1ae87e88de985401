import type * as grpc from '@grpc/grpc-js';
import {
  decodeRecordsResponse,
  recordsService,
  type RecordForm,
  type RecordsItem,
  type RecordsResponse,
} from '../wire/records-api.ts';
import { failureOf } from './failure.ts';
import type { Found, NamedRecord } from './found.types.ts';

/** One call: its responses, read no faster than they are asked for. Throws what ended it, unless that was the signal. */
export async function* responsesOf(
  client: grpc.Client,
  method: keyof typeof recordsService,
  request: Buffer,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordsResponse, void> {
  const { path, requestSerialize, responseDeserialize } = recordsService[method];
  if (signal?.aborted === true) return;
  const call = client.makeServerStreamRequest<Buffer, Buffer>(path, requestSerialize, responseDeserialize, request);
  const cancel = (): void => {
    call.cancel();
  };
  signal?.addEventListener('abort', cancel);
  try {
    for await (const bytes of call as AsyncIterable<Buffer>) yield decodeRecordsResponse(bytes);
  } catch (caught) {
    if (!isAborted(signal)) throw failureOf(caught);
  } finally {
    signal?.removeEventListener('abort', cancel);
    // A caller who has had enough, or who threw: the server is told.
    call.on('error', () => undefined);
    call.cancel();
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

export function foundOf<F extends RecordForm>({ index, payload, json, error }: RecordsItem): Found<F> {
  if (error !== undefined) return { kind: 'unreadable', index, ...error };
  const record = json === undefined ? undefined : (JSON.parse(json) as NamedRecord);
  // The server sends what the form asks for, which the compiler cannot know.
  return { kind: 'record', index, record, payload } as Found<F>;
}
