// Everything that a host with doors may reach, as one process in a namespace of its own: web servers, each on an address, and DNS. It says
// in a line of JSON what it saw. Argument: a file with a FarSide.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { Socket } from 'node:net';
import { startDns } from './dns.ts';

export interface FarSide {
  readonly servers: readonly {
    readonly address: string;
    readonly cert: string;
    readonly key: string;
  }[];
  readonly dns: readonly { readonly address: string; readonly zone: Readonly<Record<string, readonly string[]>> }[];
}

/** One line of what it says; `ready` comes first and once. */
export type FarSight =
  | { readonly saw: 'ready' }
  | { readonly saw: 'connection' | 'request' | 'datagram'; readonly at: string; readonly from: string };

const file = process.argv[2];
if (file !== undefined) await serve(JSON.parse(await readFile(file, 'utf8')) as FarSide);

async function serve({ servers, dns }: FarSide): Promise<void> {
  for (const { address, ...pair } of servers) {
    const server = createServer(pair, (request, response) => {
      const from = request.socket.remoteAddress ?? '';
      say({ saw: 'request', at: address, from });
      response.setHeader('connection', 'close').end(`${address} answers ${from}\n`);
    });
    server.on('connection', (socket) => {
      say({ saw: 'connection', at: address, from: socket instanceof Socket ? (socket.remoteAddress ?? '') : '' });
    });
    server.listen(443, address);
    await once(server, 'listening');
    await quic(address);
  }
  for (const { address, zone } of dns) await startDns(address, zone, 53);
  say({ saw: 'ready' });
}

/** It answers what could be the start of QUIC, so that a client which hears nothing was not let through. */
async function quic(address: string): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (_, { address: from, port }) => {
    say({ saw: 'datagram', at: address, from });
    socket.send(`${address} answers\n`, port, from);
  });
  socket.bind(443, address);
  await once(socket, 'listening');
}

function say(sight: FarSight): void {
  process.stdout.write(`${JSON.stringify(sight)}\n`);
}
