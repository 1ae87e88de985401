import { once } from 'node:events';
import type { Http2SecureServer } from 'node:http2';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { listenFailure } from '../http/listen-failure.ts';
import type { Request, Response } from './answer.ts';
import { answer, sight } from './answer.ts';
import type { SeenRequest } from './seen-requests.ts';
import { SeenRequests } from './seen-requests.ts';
import { echoSockets } from './stand-in-sockets.ts';

export interface StandInOptions {
  /** A chain for the hosts that the stand-in plays, and its key; PEM. */
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** Something that answers in the console's place, and remembers who asked for what. */
export interface StandIn {
  readonly host: string;
  readonly port: number;
  /** The newest requests in the order of their arrival; bounded. */
  readonly requests: readonly SeenRequest[];
  /** Exact however many came. `forgotten` are those no longer in `requests`. */
  counts(): { readonly total: number; readonly forgotten: number };
  /** Stops and hangs up on everybody. May be called twice. */
  close(): Promise<void>;
}

/**
 * Plays the AWS console over HTTPS (h2 and HTTP/1.1 by ALPN) and WebSocket, with pages in the shape of its flows and words of its own.
 * Throws `address_in_use` where the port is taken.
 */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const seen = new SeenRequests();
  const stopping = new AbortController();
  const server = createSecureServer({ ...options.certificate, allowHTTP1: true });
  server.maxConnections = maxConnections;
  const sockets = connectionsOf(server);
  const webSockets = echoSockets(server, (request) => seen.add(sight(request, true)));
  server.on('request', (request: Request, response: Response) => {
    const entry = seen.add(sight(request, false));
    answer(request, response, entry, stopping.signal).catch(() => {
      // The client went away or the stand-in stops; what was seen is noted, and nobody is left to tell.
      response.destroy();
    });
  });
  await listen(server, options);
  let closed: Promise<void> | undefined;
  const close = async () => {
    stopping.abort();
    webSockets.close();
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return {
    host: options.host,
    port: (server.address() as AddressInfo).port,
    requests: seen.requests,
    counts: () => ({ total: seen.total, forgotten: seen.forgotten }),
    close: () => (closed ??= close()),
  };
}

const maxConnections = 1024;

/** The TCP connections; HTTP/2 has no way to hang up on all sessions at once. */
function connectionsOf(server: Http2SecureServer): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

async function listen(server: Http2SecureServer, { host, port }: StandInOptions): Promise<void> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (caught) {
    throw listenFailure(caught, host, port);
  }
}
