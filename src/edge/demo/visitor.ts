import type { IncomingHttpHeaders } from 'node:http';
import type { ConsoleTarget } from './console-connection.ts';
import { connectConsole, failure } from './console-connection.ts';
import { http1Client } from './http1-client.ts';
import { http2Client } from './http2-client.ts';
import type { ProxyAddress } from './proxy-dial.ts';
import { proxyDialer } from './proxy-dial.ts';
import { TunnelRefused, tunnelsOverHttp1, tunnelsOverHttp2 } from './tunnel.ts';
import type { Echo } from './web-socket-echo.ts';
import { webSocketEcho } from './web-socket-echo.ts';

export interface VisitorOptions {
  readonly proxy: ProxyAddress;
  /** PEM of the CA that the hosts behind the proxy must chain to: the console CA of the door. */
  readonly consoleCa: string;
  /** The address of this machine to come from. */
  readonly localAddress?: string;
  /** How to talk to the proxy: HTTP/1.1, a connection per tunnel, unless told 2, all tunnels in one connection. */
  readonly proxyHttp?: 1 | 2;
  /** Headers for every CONNECT and every request in plain text. */
  readonly proxyHeaders?: Readonly<Record<string, string>>;
  /** Milliseconds for one request or WebSocket, tunnel included; 10,000 unless told. */
  readonly timeout?: number;
}

export interface VisitRequest {
  /** GET unless told. */
  readonly method?: string;
  /** `https:` goes through a tunnel, `http:` to the proxy as it is (always HTTP/1.1). */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The protocol inside the tunnel; 1 unless told. */
  readonly http?: 1 | 2;
  /** What CONNECT asks for (`host:port`), where it is not the URL's own; such a tunnel serves this one request. */
  readonly connectTo?: string;
}

export interface VisitAnswer {
  /** What the proxy said to CONNECT; absent in plain text. Where it refused, the rest of the answer is its own. */
  readonly connectStatus?: number;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A person with a proxy set, less the browser. */
export interface Visitor {
  /** Follows no redirects and keeps no cookies. Throws `server_unreachable` where there is no answer, or none in time. */
  request(request: VisitRequest): Promise<VisitAnswer>;
  /** Sends each message after the echo of the one before, and gives the echoes; errors as `request`. */
  webSocket(
    url: string,
    messages: readonly string[],
    headers?: Readonly<Record<string, string>>,
  ): Promise<WebSocketVisit>;
  /** Hangs up everything. May be called twice. */
  close(): Promise<void>;
}

export interface WebSocketVisit extends Echo {
  readonly connectStatus: number;
}

/** A client that goes through a forward proxy, verifies what it meets, and uses tunnels again where the protocol allows. */
export function visitor(options: VisitorOptions): Visitor {
  const timeout = options.timeout ?? 10_000;
  const proxyHeaders = options.proxyHeaders ?? {};
  const dialer = proxyDialer(options.proxy, options.localAddress);
  const tunnels = (options.proxyHttp === 2 ? tunnelsOverHttp2 : tunnelsOverHttp1)(dialer, proxyHeaders);
  const connect = (target: ConsoleTarget, protocol: 'http/1.1' | 'h2', signal: AbortSignal) =>
    connectConsole(tunnels, target, protocol, options.consoleCa, signal);
  const http1 = http1Client(dialer, connect, proxyHeaders);
  const http2 = http2Client(connect);
  return {
    request: async (request) => {
      const signal = AbortSignal.timeout(timeout);
      const url = new URL(request.url);
      if (url.protocol === 'http:') return await http1.plain(url, request, signal).catch(rethrown(targetOf(url)));
      const target = targetOf(url, request.connectTo);
      const ask = request.http === 2 ? http2.request : http1.request;
      try {
        return { connectStatus: 200, ...(await ask(url, target, request, signal)) };
      } catch (caught) {
        if (!(caught instanceof TunnelRefused)) throw failure(target, caught);
        const { status, headers, body } = caught;
        return { connectStatus: status, status, headers, body };
      }
    },
    webSocket: async (address, messages, headers = {}) => {
      const signal = AbortSignal.timeout(timeout);
      const url = new URL(address);
      const target = targetOf(url);
      try {
        const socket = await connect(target, 'http/1.1', signal);
        return { connectStatus: 200, ...(await webSocketEcho(socket, url, messages, headers, signal)) };
      } catch (caught) {
        if (!(caught instanceof TunnelRefused)) throw failure(target, caught);
        return { connectStatus: caught.status, status: caught.status, echoed: [] };
      }
    },
    close: () => dialer.close(),
  };
}

function targetOf(url: URL, connectTo?: string): ConsoleTarget {
  const port = url.port === '' ? '443' : url.port;
  // A URL writes an IPv6 address in brackets, TLS without them.
  return { hostname: url.hostname.replace(/^\[|\]$/g, ''), authority: connectTo ?? `${url.hostname}:${port}` };
}

function rethrown(target: ConsoleTarget): (caught: unknown) => never {
  return (caught) => {
    throw failure(target, caught);
  };
}
