import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SekishoError } from '../../base/errors.ts';

/** A forward proxy, as a client is told of it. */
export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  /** Present where the proxy speaks TLS itself. */
  readonly tls?: {
    /** PEM of the CA that the proxy's certificate must chain to. */
    readonly ca: string;
    /** The client's certificate chain and key, PEM, for a proxy that asks who comes. */
    readonly cert?: string;
    readonly key?: string;
    /** The name that the proxy's certificate must bear, where it is not `host`. */
    readonly servername?: string;
  };
}

/** Opens connections to one proxy, and knows all that are open. */
export interface ProxyDialer {
  readonly proxy: ProxyAddress;
  /** A connection over which the proxy will speak this protocol. Throws `server_unreachable`. */
  dial(protocol: 'http/1.1' | 'h2', signal: AbortSignal): Promise<Socket>;
  /** Hangs up every connection and opens no more. May be called twice. */
  close(): Promise<void>;
}

/** `localAddress` is the address of this machine to come from; the system chooses unless told. */
export function proxyDialer(proxy: ProxyAddress, localAddress?: string): ProxyDialer {
  const open = new Set<Socket>();
  let closed = false;
  return {
    proxy,
    dial: async (protocol, signal) => {
      if (closed) throw unreachable(proxy, 'this client has hung up');
      const socket = connect({
        host: proxy.host,
        port: proxy.port,
        ...(localAddress !== undefined && { localAddress }),
      });
      open.add(socket);
      // The waits here and whoever uses the connection see a failure; this is for the time between.
      socket.on('error', () => undefined);
      socket.once('close', () => open.delete(socket));
      try {
        await once(socket, 'connect', { signal });
        return proxy.tls === undefined ? socket : await secured(socket, proxy, proxy.tls, protocol, signal);
      } catch (cause) {
        socket.destroy();
        throw unreachable(proxy, cause);
      }
    },
    close: async () => {
      closed = true;
      await Promise.all([...open].map(hungUp));
    },
  };
}

/** Waits for the end alone: a connection may fail on the way to it, and that is an end, too. */
function hungUp(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
    socket.destroy();
  });
}

async function secured(
  socket: Socket,
  proxy: ProxyAddress,
  { ca, cert, key, servername }: NonNullable<ProxyAddress['tls']>,
  protocol: 'http/1.1' | 'h2',
  signal: AbortSignal,
): Promise<Socket> {
  // An IP address is no server name (RFC 6066 section 3), but the certificate is checked against it.
  const name = servername ?? (isIP(proxy.host) === 0 ? proxy.host : undefined);
  const secure = connectTls({
    socket,
    host: proxy.host,
    ca,
    ...(name !== undefined && { servername: name }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ALPNProtocols: [protocol],
  });
  secure.on('error', () => undefined);
  await once(secure, 'secureConnect', { signal });
  if (protocol === 'h2' && secure.alpnProtocol !== 'h2') throw new Error('it does not speak HTTP/2');
  return secure;
}

function unreachable({ host, port }: ProxyAddress, cause: unknown): SekishoError {
  const message = `no way to the proxy at ${host}:${port}: ${reasonOf(cause)}; is the door open there?`;
  return new SekishoError('server_unreachable', message, { facts: { host, port }, cause });
}

/** Why something on the way failed, in a few words. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.name === 'AbortError' || cause.name === 'TimeoutError' ? 'no answer in time' : cause.message;
}
