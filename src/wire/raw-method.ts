/** A gRPC method whose messages stay bytes on both sides. */
export interface RawMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (bytes: Buffer) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Buffer;
  readonly responseSerialize: (bytes: Buffer) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Buffer;
}

const same = (bytes: Buffer): Buffer => bytes;

/** The shape is that of a `MethodDefinition` of grpc-js. */
export function rawMethod(
  path: string,
  streams: { readonly requestStream: boolean; readonly responseStream: boolean },
): RawMethod {
  return {
    path,
    ...streams,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}
