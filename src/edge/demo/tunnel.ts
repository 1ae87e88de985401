import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { connect as connectHttp2 } from 'node:http2';
import type { Duplex } from 'node:stream';
import { bodyWithin } from './body-within.ts';
import { answerOn } from './http2-answer.ts';
import type { ProxyDialer } from './proxy-dial.ts';
import { sharedSessions } from './shared-sessions.ts';

/** The proxy's answer to a CONNECT that it did not grant. */
export class TunnelRefused extends Error {
  override readonly name = 'TunnelRefused';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;

  constructor(status: number, headers: IncomingHttpHeaders, body: Buffer) {
    super(`the proxy answered CONNECT with ${status}`);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** Asks a proxy for ways to `host:port`. Throws TunnelRefused, or `server_unreachable` where the proxy itself is not there. */
export interface Tunnels {
  open(authority: string, signal: AbortSignal): Promise<Duplex>;
}

/** Each tunnel a connection of its own (RFC 9110 section 9.3.6). `headers` go with every CONNECT. */
export function tunnelsOverHttp1(dialer: ProxyDialer, headers: Readonly<Record<string, string>>): Tunnels {
  return {
    open: async (authority, signal) => {
      const connection = await dialer.dial('http/1.1', signal);
      const asked = request({
        method: 'CONNECT',
        path: authority,
        headers: { host: authority, ...headers },
        createConnection: () => connection,
      });
      asked.on('error', ignored).end();
      // To Node every answer to CONNECT ends HTTP on that connection. So a refusal's body is read by hand, if it tells its length.
      const [response, socket, head] = (await once(asked, 'connect', { signal }).catch((caught: unknown) => {
        connection.destroy();
        throw caught;
      })) as [IncomingMessage, Duplex, Buffer];
      if (head.length > 0) socket.unshift(head);
      if (isGranted(response.statusCode)) return socket;
      const body = await bodyWithin(socket, signal, { length: Number(response.headers['content-length'] ?? 0) });
      socket.destroy();
      throw new TunnelRefused(response.statusCode ?? 0, response.headers, body);
    },
  };
}

/** All tunnels as streams of one connection (RFC 9113 section 8.5), as browsers do with a proxy that offers h2. */
export function tunnelsOverHttp2(dialer: ProxyDialer, headers: Readonly<Record<string, string>>): Tunnels {
  const sessions = sharedSessions();
  return {
    open: async (authority, signal) => {
      const stream = (await sessions.get('proxy', signal, (own) => sessionTo(dialer, own))).request(
        { ':method': 'CONNECT', ':authority': authority, ...headers },
        { endStream: false },
      );
      stream.on('error', ignored);
      const answer = await answerOn(stream, signal).catch((caught: unknown) => {
        stream.destroy();
        throw caught;
      });
      if (isGranted(answer.status)) return stream;
      const body = await bodyWithin(stream, signal);
      stream.destroy();
      throw new TunnelRefused(answer.status, answer.headers, body);
    },
  };
}

async function sessionTo(dialer: ProxyDialer, signal: AbortSignal): Promise<ClientHttp2Session> {
  const connection = await dialer.dial('h2', signal);
  return connectHttp2(`https://${dialer.proxy.host}:${dialer.proxy.port}`, { createConnection: () => connection });
}

/** A failure that whoever waits for an answer, or uses the tunnel, sees anyway. */
function ignored(): void {
  return;
}

function isGranted(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}
