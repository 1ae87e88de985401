import type { Readable } from 'node:stream';
import { addAbortSignal } from 'node:stream';
import { SekishoError } from '../../base/errors.ts';

/**
 * The whole body of an answer: up to `length` bytes where that is told, else to the end of the stream. More than 16 MiB is an error,
 * because a client that is led astray must not fill the memory; `signal` bounds the time.
 */
export async function bodyWithin(
  stream: Readable,
  signal: AbortSignal,
  options: { readonly length?: number } = {},
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (options.length === 0) return Buffer.alloc(0);
  for await (const chunk of addAbortSignal(signal, stream) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBodyBytes)
      throw new SekishoError('internal', `an answer of more than ${maxBodyBytes} bytes; that is no page`);
    if (options.length !== undefined && bytes >= options.length) break;
  }
  return Buffer.concat(chunks).subarray(0, options.length);
}

const maxBodyBytes = 16 * 1024 * 1024;
