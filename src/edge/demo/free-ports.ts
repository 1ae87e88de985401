import { once } from 'node:events';
import net from 'node:net';

/**
 * Each port that is wanted where it is free on loopback, else one that the system chooses; 0 always lets the system choose. No two are
 * the same, for each is held until all are chosen.
 */
export async function freePorts<Name extends string>(
  wanted: Readonly<Record<Name, number>>,
): Promise<Record<Name, number>> {
  const held: net.Server[] = [];
  const chosen: Record<Name, number> = { ...wanted };
  for (const name of Object.keys(wanted) as Name[]) {
    const server = (await hold(wanted[name])) ?? (await hold(0));
    const address = server?.address();
    if (server) held.push(server);
    if (typeof address === 'object' && address !== null) chosen[name] = address.port;
  }
  for (const server of held) await once(server.close(), 'close');
  return chosen;
}

function hold(port: number): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ host: '127.0.0.1', port }, () => {
      resolve(server);
    });
  });
}
