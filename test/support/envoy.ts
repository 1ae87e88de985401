import { randomInt } from 'node:crypto';
import { createServer, request, type Server } from 'node:http';
import { findEnvoy as find, type EnvoyBinary } from '../../src/edge/envoy/find-envoy.ts';

let found: Promise<EnvoyBinary> | undefined;

/** The Envoy of the tests; installed into the project once, when the machine has none. */
export function findEnvoy(): Promise<EnvoyBinary> {
  found ??= find();
  return found;
}

/**
 * An address in 127.0.0.0/8 that no other test is likely to have, so that ports can be fixed. An Envoy that is started by a script
 * cannot say which port it chose.
 */
export function ownLoopback(): string {
  return `127.${randomInt(64, 127)}.${randomInt(256)}.${randomInt(1, 255)}`;
}

/** The bootstrap of an Envoy that passes everything at `address`:10000 to `upstreamPort` of the same address; admin at 9901. */
export function staticBootstrap(address: string, upstreamPort: number): object {
  const at = (port: number) => ({ address: { socket_address: { address, port_value: port } } });
  return {
    node: { metadata: { from: 'bootstrap' } },
    admin: at(9901),
    static_resources: {
      listeners: [{ name: 'door', ...at(10000), filter_chains: [{ filters: [connectionManager] }] }],
      clusters: [
        {
          name: 'upstream',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'upstream',
            endpoints: [{ lb_endpoints: [{ endpoint: at(upstreamPort) }] }],
          },
        },
      ],
    },
  };
}

const connectionManager = {
  name: 'http',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'door',
    drain_timeout: '0.5s',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream', timeout: '0s' } }],
        },
      ],
    },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  },
};

/** An upstream that answers when told to. */
export interface HeldUpstream {
  readonly port: number;
  /** Resolves when a request is waiting for its answer. */
  arrived(): Promise<void>;
  /** Answers everything that waits. */
  answer(): void;
  close(): Promise<void>;
}

export async function heldUpstream(address: string): Promise<HeldUpstream> {
  const waiting: (() => void)[] = [];
  const watchers: (() => void)[] = [];
  const server = createServer((incoming, response) => {
    if (incoming.url !== '/held') {
      response.end('at once');
      return;
    }
    waiting.push(() => response.end('at last'));
    watchers.splice(0).forEach((seen) => {
      seen();
    });
  });
  const port = await listen(server, address);
  return {
    port,
    arrived: async () => {
      if (waiting.length > 0) return;
      await new Promise<void>((seen) => watchers.push(seen));
    },
    answer: () => {
      waiting.splice(0).forEach((one) => {
        one();
      });
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function listen(server: Server, address: string): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, address, listening));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

/** Status and body of a GET on a connection of its own; rejects as the socket does. */
export async function get(url: string): Promise<{ status: number; body: string; closes: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, headers: { connection: 'keep-alive' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          closes: response.headers.connection === 'close',
        });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Asks again until the answer is yes; fails after `ms`. For facts that nobody announces. */
export async function eventually(what: string, ask: () => Promise<boolean>, ms = 20_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 25));
  }
}
