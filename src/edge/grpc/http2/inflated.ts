import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import type { Status } from '../call.types.ts';

/** What a message may be compressed with, as `grpc-accept-encoding` says it. */
export const encodings = 'identity,deflate,gzip';

const inflaters = new Map([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
]);

/** A message as it was before `grpc-encoding`, or the status that the call ends with. Source: "gRPC over HTTP2", Compression. */
export async function inflated(bytes: Buffer, encoding: string | undefined, limit: number): Promise<Buffer | Status> {
  if (encoding === undefined || encoding === 'identity') {
    return { code: status.INTERNAL, details: 'Received a compressed message without a grpc-encoding' };
  }
  const inflate = inflaters.get(encoding);
  if (!inflate) {
    return {
      code: status.UNIMPLEMENTED,
      details: `Received message compressed with unsupported encoding "${encoding.slice(0, 50)}"`,
    };
  }
  try {
    return await inflate(bytes, { maxOutputLength: limit });
  } catch (caught) {
    if (caught instanceof RangeError) {
      return {
        code: status.RESOURCE_EXHAUSTED,
        details: `Received message that decompresses to a size larger than ${limit}`,
      };
    }
    return { code: status.INTERNAL, details: 'Failed to decompress message' };
  }
}
