import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { startEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import { resource, type ResourceInput, type Snapshot, type XdsEvent } from '../../src/xds/index.ts';
import { eventually, findEnvoy, ownLoopback } from '../support/envoy.ts';
import { atEnd } from '../support/serve.ts';
import { bootstrapOf, envoyType as type, modes, sourceOf, startPlane, type Mode } from '../support/xds-plane.ts';

for (const mode of modes) {
  describe(`an Envoy that asks by ${mode.mode}`, () => {
    test('moves from one cluster to another under load without an error, and is told nothing again when the control plane comes back', async (t) => {
      const place = await openPlace(t, mode);
      place.publish('one');
      await eventually('the door is open', async () => (await place.ask()) === 'one');

      const load = place.underLoad();
      for (const [color, next] of [
        ['one', 'two'],
        ['two', 'one'],
        ['one', 'two'],
      ] as const) {
        // Without ADS nothing keeps a route from arriving before its cluster, or a cluster from going before the route.
        if (!mode.aggregated) {
          for (const way of [color, next]) {
            place.publish(way, [color, next]);
            await eventually('both clusters are there', () => place.inStep());
          }
        }
        place.publish(next);
        await eventually(`${next} answers`, async () => (await place.ask()) === next);
        await eventually('in step', () => place.inStep());
      }
      assert.deepEqual(await load(), []);

      // A version of the state-of-the-world variant speaks of the names that were asked for when it was shown.
      place.publish('two', ['two'], 2);
      await eventually('its endpoints are told', () => place.inStep());
      const before = place.sent().length;
      await place.restart();
      await eventually('the Envoy is back and in step', () => place.inStep());
      assert.equal(await place.ask(), 'two');
      const again = place
        .sent()
        .slice(before)
        .filter(({ names, removed }) => names + removed > 0);
      assert.deepEqual(again, []);

      place.publish('one');
      await eventually('it is told what changes after that', async () => (await place.ask()) === 'one');
    });
  });
}

type Color = 'one' | 'two';
type Sent = Extract<XdsEvent, { kind: 'sent' }>;

interface Place {
  publish(color: Color, clusters?: readonly Color[], weight?: number): void;
  /** What answers at the door; the status where nobody does. */
  ask(): Promise<string>;
  /** Asks all the time; gives what went wrong until it is called. */
  underLoad(): () => Promise<string[]>;
  inStep(): Promise<boolean>;
  sent(): readonly Sent[];
  /** Ends the control plane without a word and starts another on the same address. */
  restart(): Promise<void>;
}

async function openPlace(t: TestContext, mode: Mode): Promise<Place> {
  const address = ownLoopback();
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-xds-'));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const upstreams = { one: await upstream(t, address, 'one'), two: await upstream(t, address, 'two') };
  const plane = await startPlane(address);
  atEnd(t, () => {
    plane.end();
  });
  const envoy = await startEnvoy({
    path: (await findEnvoy()).path,
    bootstrap: { text: JSON.stringify(bootstrapOf(address, plane.port, mode)) },
    nodeId: 'modes',
    cluster: 'test',
    workDir: folder,
    log: silentLog,
  });
  atEnd(t, () => envoy.stop());
  const agent = new Agent({ keepAlive: true });
  atEnd(t, () => {
    agent.destroy();
  });

  const ask = (): Promise<string> => askDoor(agent, address);
  return {
    publish: (color, clusters = [color], weight = 1) => {
      plane.publish(resources({ address, mode, color, clusters, upstreams, weight }));
    },
    ask,
    underLoad: () => {
      const stopping = new AbortController();
      atEnd(t, () => {
        stopping.abort();
      });
      const workers = Array.from({ length: 4 }, async () => {
        const wrong: string[] = [];
        while (!stopping.signal.aborted) {
          const answer = await ask();
          if (answer !== 'one' && answer !== 'two') wrong.push(answer);
        }
        return wrong;
      });
      return async () => {
        stopping.abort();
        return (await Promise.all(workers)).flat();
      };
    },
    inStep: () => Promise.resolve(isInStep(plane.events, plane.published, mode)),
    sent: () => plane.allEvents.filter((event): event is Sent => event.kind === 'sent'),
    restart: () => plane.restart(),
  };
}

/** Whether every open stream has acknowledged the newest snapshot, and there are as many as there must be: without ADS one for each cluster's endpoints. */
function isInStep(events: readonly XdsEvent[], published: Snapshot | undefined, { aggregated }: Mode): boolean {
  const settled = new Map<number, string>();
  for (const event of events) {
    if (event.kind === 'settled') settled.set(event.stream, event.version);
    if (event.kind === 'disconnected') settled.delete(event.stream);
  }
  const clusters = published?.types.get(type('config.cluster.v3.Cluster'))?.size ?? 0;
  const streams = aggregated ? 1 : 3 + clusters;
  return settled.size >= streams && [...settled.values()].every((version) => version === published?.version);
}

function resources(facts: {
  readonly address: string;
  readonly mode: Mode;
  readonly color: Color;
  readonly clusters: readonly Color[];
  readonly upstreams: Readonly<Record<Color, number>>;
  readonly weight: number;
}): ResourceInput[] {
  const { address, mode, color, clusters, upstreams, weight } = facts;
  const source = sourceOf(mode);
  const manager = {
    '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'door',
    rds: { route_config_name: 'routes', config_source: source },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': type('extensions.filters.http.router.v3.Router') },
      },
    ],
  };
  const socket = (port: number): object => ({ socket_address: { address, port_value: port } });
  return [
    resource({
      '@type': type('config.listener.v3.Listener'),
      name: 'door',
      address: socket(8000),
      filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
    }),
    resource({
      '@type': type('config.route.v3.RouteConfiguration'),
      name: 'routes',
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: `${color}-cluster` } }] },
      ],
    }),
    ...clusters.flatMap((one) => [
      resource({
        '@type': type('config.cluster.v3.Cluster'),
        name: `${one}-cluster`,
        type: 'EDS',
        connect_timeout: '2s',
        eds_cluster_config: { eds_config: source },
      }),
      resource({
        '@type': type('config.endpoint.v3.ClusterLoadAssignment'),
        cluster_name: `${one}-cluster`,
        endpoints: [
          { lb_endpoints: [{ endpoint: { address: socket(upstreams[one]) }, load_balancing_weight: weight }] },
        ],
      }),
    ]),
  ];
}

async function upstream(t: TestContext, address: string, says: Color): Promise<number> {
  const server: Server = createServer((_request, response) => {
    response.end(says);
  });
  server.listen(0, address);
  await once(server, 'listening');
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function askDoor(agent: Agent, host: string): Promise<string> {
  return new Promise((resolve) => {
    const asking = request({ agent, host, port: 8000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve(response.statusCode === 200 ? text : String(response.statusCode));
      });
      response.on('error', (error) => {
        resolve(error.message);
      });
    });
    asking.on('error', (error) => {
      resolve(error.message);
    });
    asking.end();
  });
}
