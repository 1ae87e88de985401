import { once } from 'node:events';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { SekishoError } from '../../base/errors.ts';
import { reasonOf } from './proxy-dial.ts';
import type { Tunnels } from './tunnel.ts';
import { TunnelRefused } from './tunnel.ts';

export interface ConsoleTarget {
  /** Host and port of the URL: the server name that is asked for, and that the certificate must bear. */
  readonly hostname: string;
  /** What CONNECT asks for, `host:port`. */
  readonly authority: string;
}

/**
 * TLS to a host through a tunnel, in one protocol. Throws TunnelRefused where the proxy did not grant the tunnel, and
 * `server_unreachable` where what is behind it did not prove to be the host, or does not speak the protocol.
 */
export async function connectConsole(
  tunnels: Tunnels,
  target: ConsoleTarget,
  protocol: 'http/1.1' | 'h2',
  ca: string,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const tunnel = await tunnels.open(target.authority, signal).catch((caught: unknown) => {
    throw caught instanceof TunnelRefused ? caught : failure(target, caught);
  });
  const secure = connect({
    socket: tunnel,
    host: target.hostname,
    ...(isIP(target.hostname) === 0 && { servername: target.hostname }),
    ca,
    ALPNProtocols: [protocol],
  });
  // Whoever uses it sees a failure; this is for the time when nobody does.
  secure.on('error', () => undefined);
  try {
    await once(secure, 'secureConnect', { signal });
    if (protocol === 'h2' && secure.alpnProtocol !== 'h2') throw new Error('it does not speak HTTP/2');
    return secure;
  } catch (cause) {
    secure.destroy();
    tunnel.destroy();
    throw failure(target, cause);
  }
}

/** What went wrong on the way to a host, as an error of ours. */
export function failure({ hostname, authority }: ConsoleTarget, cause: unknown): SekishoError {
  if (cause instanceof SekishoError) return cause;
  return new SekishoError('server_unreachable', `no way to ${hostname} through the proxy: ${reasonOf(cause)}`, {
    facts: { hostname, authority },
    cause,
  });
}
