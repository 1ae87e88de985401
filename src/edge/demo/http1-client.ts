import { once } from 'node:events';
import type { ClientRequest, ClientRequestArgs, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { bodyWithin } from './body-within.ts';
import type { ConsoleTarget } from './console-connection.ts';
import type { ProxyDialer } from './proxy-dial.ts';

/** The part of a request that is the same in every protocol. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Present where the tunnel is for this request only. */
  readonly connectTo?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How a client comes to a TLS connection with the host behind a tunnel. */
export type ConnectConsole = (
  target: ConsoleTarget,
  protocol: 'http/1.1' | 'h2',
  signal: AbortSignal,
) => Promise<TLSSocket>;

export interface Http1Client {
  readonly request: (url: URL, target: ConsoleTarget, asked: Asked, signal: AbortSignal) => Promise<Answered>;
  /** In plain text, with the whole URL as target (RFC 9112 section 3.2.2). */
  readonly plain: (url: URL, asked: Asked, signal: AbortSignal) => Promise<Answered>;
}

/** HTTP/1.1 requests; one after another in the same tunnel, more tunnels where they overlap. */
export function http1Client(
  dialer: ProxyDialer,
  connect: ConnectConsole,
  proxyHeaders: Readonly<Record<string, string>>,
): Http1Client {
  const agents = new Map<string, TunnelAgent>();
  const agentFor = (target: ConsoleTarget): TunnelAgent => {
    const known = agents.get(target.authority);
    const agent = known ?? new TunnelAgent((signal) => connect(target, 'http/1.1', signal));
    agents.set(target.authority, agent);
    return agent;
  };
  return {
    request: async (url, target, asked, signal) => {
      const alone = asked.connectTo !== undefined;
      const agent = alone ? new TunnelAgent((own) => connect(target, 'http/1.1', own)) : agentFor(target);
      const headers = { host: url.host, ...asked.headers };
      try {
        return await answered(
          request({ agent, method: asked.method, path: pathOf(url), headers, signal }),
          asked,
          signal,
        );
      } finally {
        if (alone) agent.destroy();
      }
    },
    plain: async (url, asked, signal) => {
      const connection = await dialer.dial('http/1.1', signal);
      const headers = { host: url.host, ...proxyHeaders, ...asked.headers };
      const path = url.href.split('#')[0] ?? '';
      return answered(
        request({ createConnection: () => connection, method: asked.method, path, headers, signal }),
        asked,
        signal,
      );
    },
  };
}

/** Node's own pool of connections, with tunnels for connections. */
class TunnelAgent extends Agent {
  readonly #connect: (signal: AbortSignal) => Promise<TLSSocket>;

  constructor(connect: (signal: AbortSignal) => Promise<TLSSocket>) {
    super({ keepAlive: true, maxSockets: 16, maxFreeSockets: 16 });
    this.#connect = connect;
  }

  override createConnection(
    _options: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#connect(AbortSignal.timeout(openMilliseconds)).then(
      (socket) => done?.(null, socket),
      // The type forgets that there is no stream beside an error.
      (error: unknown) => (done as ((error: unknown) => void) | undefined)?.(error),
    );
  }
}

/** For a tunnel, which may outlive the request that asked for it. */
const openMilliseconds = 10_000;

async function answered(asking: ClientRequest, asked: Asked, signal: AbortSignal): Promise<Answered> {
  // The waits below see a failure as well; this one is for what comes when they have ended.
  asking.on('error', () => undefined).end(asked.body);
  const [response] = (await once(asking, 'response', { signal })) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await bodyWithin(response, signal) };
}

/** Path and query, as a request line or `:path` carries them. */
export function pathOf(url: URL): string {
  return url.pathname + url.search;
}
