import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { proxyDialer } from '../../src/edge/demo/proxy-dial.ts';
import { tunnelsOverHttp1 } from '../../src/edge/demo/tunnel.ts';
import type { DoorEntry, House } from './house.ts';

interface Coming {
  /** The address of this machine to come from, by which a record is found. */
  readonly from?: string;
  /** Headers of the CONNECT at a proxy. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A connection with a door: TLS where the door is a proxy that speaks it, as taro.yamada where it wants a certificate. */
export function dialDoor(house: House, door: DoorEntry, { from }: Coming = {}): Promise<Socket> {
  return dialerOf(house, door, from).dial('http/1.1', AbortSignal.timeout(10_000));
}

/** Where the console's TLS begins: behind a CONNECT at a proxy (throws TunnelRefused), the door itself elsewhere. */
export async function dialConsole(house: House, door: DoorEntry, host: string, coming: Coming = {}): Promise<Duplex> {
  if (door.kind !== 'forward') return dialDoor(house, door, coming);
  const tunnels = tunnelsOverHttp1(dialerOf(house, door, coming.from), coming.headers ?? {});
  return tunnels.open(`${host}:443`, AbortSignal.timeout(10_000));
}

function dialerOf(house: House, door: DoorEntry, from?: string) {
  const [host = '', port] = door.listen.split(':');
  const named = door.kind === 'forward' && typeof door.users === 'object' && 'certificate' in door.users;
  const tls = door.tls === true && { tls: { ca: house.consoleCa, ...(named && house.person) } };
  return proxyDialer({ host, port: Number(port), ...tls }, from);
}

/** What comes until the other end hangs up, or for so long. */
export async function untilClosed(socket: Duplex, ms = 5000): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  if (!socket.destroyed) await once(socket, 'close', { signal: AbortSignal.timeout(ms) }).catch(() => undefined);
  socket.destroy();
  return Buffer.concat(chunks);
}
