import * as grpc from '@grpc/grpc-js';
import { serverName } from '../wire/server-name.ts';

/** PEM texts of the folder that `sekisho ca reader NAME` makes. */
export interface TlsFiles {
  /** `fleet-ca.crt` */
  readonly ca: Uint8Array | string;
  /** `reader.key` */
  readonly key: Uint8Array | string;
  /** `reader.crt` */
  readonly certificate: Uint8Array | string;
}

export interface Connection {
  /** HOST:PORT of the sink's gRPC address. */
  readonly address: string;
  /** Absent: plain text, which a sink takes over loopback only. */
  readonly tls?: TlsFiles;
}

/** A channel of its own: two clients in one process do not share a connection, so that one that does not read holds up no other. */
export function openChannel({ address, tls }: Connection): grpc.Client {
  const credentials = tls
    ? grpc.credentials.createSsl(Buffer.from(tls.ca), Buffer.from(tls.key), Buffer.from(tls.certificate))
    : grpc.credentials.createInsecure();
  return new grpc.Client(address, credentials, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 5000,
    // A server that vanished without a word is found within a minute.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 20_000,
    ...(tls && { 'grpc.ssl_target_name_override': serverName }),
  });
}
