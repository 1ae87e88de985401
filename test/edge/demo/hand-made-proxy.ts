import { once } from 'node:events';
import { createServer as createPlain, type IncomingMessage } from 'node:http';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createSecure } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { testCertificates } from './test-certificates.ts';

/** What came to the proxy. */
export interface AtProxy {
  readonly method: string;
  /** What CONNECT asked for, or the whole URL of a request in plain text. */
  readonly target: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly from: string;
  /** Common name of the client's certificate. */
  readonly person: string | undefined;
}

export interface HandMadeProxy {
  readonly port: number;
  readonly came: readonly AtProxy[];
  /** Cuts every connection, and goes on. */
  cut(): void;
  close(): Promise<void>;
}

export interface ProxyBehaviour {
  /** Plain text and HTTP/1.1 unless told. */
  readonly speaks?: 'plain' | 'tls' | 'h2';
  /** Whether a client certificate is asked for. */
  readonly asksWho?: boolean;
  /** Every tunnel leads to this port of loopback, whatever it was asked for. */
  readonly leadsTo?: number;
  /** What is said to a CONNECT in the place of 200; 'nothing' leaves it without an answer. */
  readonly refuses?: (target: string) => Refusal | 'nothing' | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly body: string;
  /** Whether the body's length is told; it is unless told otherwise. */
  readonly tellsLength?: boolean;
}

/** A forward proxy in a page of code, which shares nothing with the one that the client is made for. */
export async function handMadeProxy(behaviour: ProxyBehaviour = {}): Promise<HandMadeProxy> {
  const came: AtProxy[] = [];
  const server = serverFor(behaviour);
  const sockets = new Set<Duplex>();
  const owned = <S extends Duplex>(socket: S): S => {
    sockets.add(socket);
    return socket.once('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  };
  const upstream = () => owned(connect(behaviour.leadsTo ?? 0, '127.0.0.1'));
  server.on('connection', owned);
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    // An answer over HTTP/2 is given below.
    if (request.httpVersionMajor === 2) return;
    owned(client);
    came.push(seen(request.method, request.url, request.headers, client));
    const refusal = behaviour.refuses?.(request.url ?? '');
    if (refusal === 'nothing') return;
    if (refusal !== undefined) client.end(refusalOf(refusal));
    else joined(client, upstream(), () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: Record<string, string>) => {
    stream.on('error', () => stream.destroy());
    came.push(seen(headers[':method'], headers[':authority'], headers, stream.session?.socket));
    const refusal = behaviour.refuses?.(headers[':authority'] ?? '');
    if (refusal === 'nothing') return;
    stream.respond({ ':status': refusal?.status ?? 200, via: '2 hand-made' });
    if (refusal !== undefined) stream.end(refusal.body);
    else joined(stream, upstream(), () => undefined);
  });
  server.on('request', (request: IncomingMessage, response: { end(text: string): void }) => {
    // An answer over HTTP/2 is given above.
    if (request.httpVersionMajor === 2) return;
    came.push(seen(request.method, request.url, request.headers, request.socket));
    response.end('plain answer');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    came,
    cut,
    close: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

function serverFor({ speaks = 'plain', asksWho = false }: ProxyBehaviour): Server {
  const { ca, cert, key } = testCertificates();
  const tls = { cert, key, ca, requestCert: asksWho, rejectUnauthorized: asksWho };
  switch (speaks) {
    case 'plain':
      return createPlain();
    case 'tls':
      return createSecure(tls);
    case 'h2':
      return createSecureServer(tls);
  }
}

function seen(
  method: string | undefined,
  target: string | undefined,
  headers: AtProxy['headers'],
  socket: Socket | undefined,
): AtProxy {
  // Empty where the client has shown none.
  const certificate: Partial<PeerCertificate> =
    (socket as Partial<TLSSocket> | undefined)?.getPeerCertificate?.() ?? {};
  const person = certificate.subject?.CN;
  return {
    method: method ?? '',
    target: target ?? '',
    headers,
    from: socket?.remoteAddress ?? '',
    person: typeof person === 'string' ? person : undefined,
  };
}

/** Tells no length by leaving it out, as HTTP/1.0 servers did. */
function refusalOf({ status, body, tellsLength = true }: Refusal): string {
  const length = tellsLength ? `content-length: ${body.length}\r\n` : '';
  return `HTTP/1.1 ${status} No\r\nvia: 1.1 hand-made\r\n${length}\r\n${body}`;
}

function joined(client: Duplex, upstream: Socket, connected: () => void): void {
  upstream.once('connect', () => {
    connected();
    client.pipe(upstream).pipe(client);
  });
  upstream.once('close', () => client.destroy());
  client.once('close', () => upstream.destroy());
}
