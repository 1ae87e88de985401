import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, type ConnectionOptions, createServer, type TLSSocket, type TlsOptions } from 'node:tls';

/** What the two ends of one TLS connection on loopback thought of each other: an error's code, or undefined for trust. */
export interface Handshake {
  /** The client's refusal: OpenSSL's code, or Node's for a certificate of another name. */
  readonly refusedByClient: string | undefined;
  /** What the server has against the client's certificate, where it asked for one. */
  readonly refusedByServer: string | undefined;
  /** The text of the client certificate's alternative names, as a server sees it. */
  readonly clientNames: string | undefined;
}

/** Makes one real connection. The server records instead of refusing, so that its reason can be read. */
export async function handshake(server: TlsOptions, client: ConnectionOptions): Promise<Handshake> {
  const listener = createServer({ ...server, rejectUnauthorized: false });
  const accepted = new Promise<TLSSocket | undefined>((resolve) => {
    listener.on('secureConnection', (socket) => {
      socket.on('error', () => socket.destroy());
      socket.end();
      resolve(socket);
    });
    listener.on('tlsClientError', () => {
      resolve(undefined);
    });
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  try {
    const { port } = listener.address() as AddressInfo;
    const refusedByClient = await dial({ host: '127.0.0.1', port, ...client });
    const socket = await accepted;
    return {
      refusedByClient,
      refusedByServer: reasonOf(socket?.authorizationError),
      clientNames: socket?.getPeerCertificate().subjectaltname,
    };
  } finally {
    listener.close();
  }
}

async function dial(options: ConnectionOptions): Promise<string | undefined> {
  const socket = connect(options);
  const failed = new Promise<string>((resolve) => {
    socket.on('error', (error: Error) => {
      resolve(reasonOf(error) ?? 'unknown');
    });
  });
  const trusted = once(socket, 'secureConnect').then(
    () => undefined,
    () => failed,
  );
  const outcome = await trusted;
  socket.resume();
  socket.end();
  return outcome;
}

/** Node names the reasons it knows (`INVALID_PURPOSE`); the others are OpenSSL's sentence (`permitted subtree violation`). */
function reasonOf(error: Error | string | undefined | null): string | undefined {
  if (error === undefined || error === null) return undefined;
  if (typeof error === 'string') return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNSPECIFIED';
  return code === 'UNSPECIFIED' ? error.message : code;
}
