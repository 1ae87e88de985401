/**
 * `sekisho/xds`, as it is built for its users, as a server to be measured: plain text on 127.0.0.1:18500, and POST 127.0.0.1:18501/update changes one endpoint set for all nodes.
 * Its resources are those of bench/peers/xds: 100 clusters with their endpoint sets, 10 listeners with their routes.
 */
import { createServer } from 'node:http';
import * as http2 from 'node:http2';
import {
  discoveryServices,
  grpcStreams,
  makeSnapshot,
  Publisher,
  resource,
  type ResourceInput,
  type Snapshot,
} from 'sekisho/xds';

const numbers = { clusters: 100, endpoints: 3, listeners: 10, routes: 10 };
const type = (name: string): string => `type.googleapis.com/envoy.${name}`;
const ads = { ads: {}, resource_api_version: 'V3' };
const address = (ip: string, port: number): object => ({ socket_address: { address: ip, port_value: port } });
const count = (length: number): number[] => Array.from({ length }, (_, index) => index);

function cluster(index: number): ResourceInput {
  return resource({
    '@type': type('config.cluster.v3.Cluster'),
    name: `cluster-${index}`,
    connect_timeout: '5s',
    type: 'EDS',
    eds_cluster_config: { eds_config: ads },
  });
}

function endpoints(index: number, generation: number): ResourceInput {
  const host = (last: number): object =>
    address(`10.${Math.floor(index / 250)}.${index % 250}.${last + 1}`, 10_000 + (generation % 50_000));
  return resource({
    '@type': type('config.endpoint.v3.ClusterLoadAssignment'),
    cluster_name: `cluster-${index}`,
    endpoints: [{ lb_endpoints: count(numbers.endpoints).map((last) => ({ endpoint: { address: host(last) } })) }],
  });
}

function routes(index: number): ResourceInput {
  return resource({
    '@type': type('config.route.v3.RouteConfiguration'),
    name: `route-${index}`,
    virtual_hosts: [
      {
        name: 'all',
        domains: ['*'],
        routes: count(numbers.routes).map((route) => ({
          match: { prefix: `/svc-${route}/` },
          route: { cluster: `cluster-${(index * numbers.routes + route) % numbers.clusters}` },
        })),
      },
    ],
  });
}

function listener(index: number): ResourceInput {
  const router = { '@type': type('extensions.filters.http.router.v3.Router') };
  const manager = {
    '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: `in-${index}`,
    rds: { config_source: ads, route_config_name: `route-${index}` },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: router }],
  };
  return resource({
    '@type': type('config.listener.v3.Listener'),
    name: `listener-${index}`,
    address: address('0.0.0.0', 20_000 + index),
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  });
}

const constant = [
  ...count(numbers.clusters).map(cluster),
  ...count(numbers.clusters - 1).map((index) => endpoints(index + 1, 0)),
  ...count(numbers.listeners).map(listener),
  ...count(numbers.listeners).map(routes),
];
const publisher = new Publisher({ resolve: () => 'all' });
let previous: Snapshot | undefined;
let generation = 0;

function publish(): void {
  previous = makeSnapshot([...constant, endpoints(0, generation)], previous && { previous });
  publisher.publish('all', previous);
  generation += 1;
}

publish();
const { services } = discoveryServices({ publisher });
http2
  .createServer()
  .on('stream', grpcStreams(services))
  .listen(18_500, '127.0.0.1', () => {
    process.stdout.write(`pid ${process.pid} listening on 127.0.0.1:18500\n`);
  });
createServer((_request, response) => {
  publish();
  response.writeHead(204).end();
}).listen(18_501, '127.0.0.1');
process.once('SIGINT', () => process.exit());
