import net, { isIP } from 'node:net';
import tls from 'node:tls';
import { listenFailure } from '../http/listen-failure.ts';
import type { SocketAddress } from '../../policy/policy.types.ts';

/** What became of a connection to the gRPC address. */
export type Arrival = 'tls' | 'plaintext' | 'refused_plaintext' | 'refused_garbage' | 'refused_silent' | 'tls_failed';

/** PEM: what the server shows, and the authority of those whom it lets in. */
export interface ServerCredentials {
  readonly certificate: string;
  readonly privateKey: string;
  readonly clientAuthority: string;
}

export interface Doorkeeper {
  readonly port: number;
  /** New handshakes use these from now on; open connections stay. */
  renew(credentials: ServerCredentials): void;
  /** Takes no more connections; those that are open belong to whoever was given them. */
  close(): Promise<void>;
}

/** A TLS record of type handshake (RFC 8446 §5.1); the first byte of the HTTP/2 preface (RFC 9113 §3.4). */
const tlsHandshake = 0x16;
const http2Preface = 0x50;

/** A client that says nothing for so long, or does not end its handshake, is no gRPC client. */
const longestSilenceMs = 10_000;

/**
 * Opens the gRPC address and decides by the first byte who comes in: TLS with a client certificate of the fleet's authority from anywhere,
 * plain text only over loopback and only where the address itself is on loopback, and nobody else.
 * @throws SekishoError address_in_use
 */
export async function openDoorkeeper(options: {
  readonly listen: SocketAddress;
  readonly credentials: ServerCredentials;
  readonly admit: (socket: net.Socket) => void;
  readonly arrived: (what: Arrival, remote: string, why?: string) => void;
  readonly silenceMs?: number;
}): Promise<Doorkeeper> {
  const { listen, admit, arrived, silenceMs = longestSilenceMs } = options;
  const plainAllowed = isLoopback(listen.host);
  /** Who has not shown yet what he is. */
  const waiting = new Set<net.Socket>();
  /** Handshakes under way, by the two ends of the connection: a TLS socket that failed may no longer know them. */
  const handshakes = new Map<string, net.Socket>();

  const secure = tls.createServer(tlsOptions(options.credentials, silenceMs));
  secure.on('secureConnection', (socket) => {
    handshakes.delete(endsOf(socket));
    if (socket.alpnProtocol !== 'h2') {
      arrived('tls_failed', remoteOf(socket), 'the client does not offer HTTP/2 (ALPN h2)');
      socket.destroy();
      return;
    }
    arrived('tls', remoteOf(socket));
    admit(socket);
  });
  secure.on('tlsClientError', (error, socket) => {
    const gone = socket.remoteAddress === undefined ? [...handshakes].find(([, raw]) => raw.destroyed) : undefined;
    const ends = gone?.[0] ?? endsOf(socket);
    handshakes.delete(ends);
    arrived('tls_failed', ends.split(' ')[0] ?? '', whyOf(error, socket));
    socket.destroy();
  });

  const server = net.createServer({ noDelay: true }, (socket) => {
    waiting.add(socket);
    // A reset before the first byte is nobody's failure; afterwards the session owns the socket's errors.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => waiting.delete(socket));
    socket.setTimeout(silenceMs, () => {
      arrived('refused_silent', remoteOf(socket));
      socket.destroy();
    });
    socket.once('readable', () => {
      const first = socket.read(1) as Buffer | null;
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      waiting.delete(socket);
      if (first === null) {
        arrived('refused_silent', remoteOf(socket));
        socket.destroy();
        return;
      }
      socket.unshift(first);
      if (first[0] === tlsHandshake) {
        shakeHands(socket);
        return;
      }
      const plain = first[0] === http2Preface;
      if (plain && plainAllowed && isLoopback(socket.remoteAddress ?? '')) {
        arrived('plaintext', remoteOf(socket));
        admit(socket);
        return;
      }
      arrived(plain ? 'refused_plaintext' : 'refused_garbage', remoteOf(socket));
      socket.destroy();
    });
  });

  function shakeHands(socket: net.Socket): void {
    const ends = endsOf(socket);
    handshakes.set(ends, socket);
    // Only after the TLS socket has told of its failure, which it does when this one is closed.
    socket.once('close', () => setImmediate(() => handshakes.get(ends) === socket && handshakes.delete(ends)));
    secure.emit('connection', socket);
  }

  const port = await listening(server, listen);
  return {
    port,
    renew: (credentials) => {
      secure.setSecureContext(tlsOptions(credentials, silenceMs));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        // Whoever was not let in yet must not hold up those who leave.
        for (const socket of [...waiting, ...handshakes.values()]) socket.destroy();
      }),
  };
}

function tlsOptions(
  { certificate, privateKey, clientAuthority }: ServerCredentials,
  handshakeTimeout: number,
): tls.TlsOptions {
  return {
    cert: certificate,
    key: privateKey,
    ca: clientAuthority,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
    handshakeTimeout,
  };
}

function listening(server: net.Server, { host, port }: SocketAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    // After the first, an error is that of one connection that could not be accepted, and ends nothing else.
    server.on('error', (error) => {
      reject(listenFailure(error, host, port));
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** 127.0.0.0/8, ::1 and the IPv4 ones mapped into IPv6. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  const address = host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host;
  return isIP(address) === 4 && address.startsWith('127.');
}

/** What OpenSSL has against the certificate, where that is it; the error then says only that the connection ended. */
function whyOf(error: Error, { authorizationError }: tls.TLSSocket): string {
  const objection: unknown = authorizationError;
  return typeof objection === 'string' ? objection : error.message;
}

/** Both ends of a connection; unique among those that are open. */
function endsOf(socket: net.Socket): string {
  return `${remoteOf(socket)} ${socket.localAddress ?? ''}`;
}

function remoteOf(socket: net.Socket): string {
  return socket.remoteAddress === undefined ? 'gone' : `${socket.remoteAddress}:${socket.remotePort ?? 0}`;
}
