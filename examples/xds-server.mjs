// An xDS server made with sekisho/xds. Every Envoy that comes gets a door that leads to the addresses of a file, one IP:PORT a line; when the file
// changes the Envoys follow. What happens on the streams is printed.
//   node examples/xds-server.mjs backends.txt
//   .envoy/1.40.0/envoy -c examples/xds-envoy.yaml
import { readFileSync, watchFile } from 'node:fs';
import { createServer } from 'node:http2';
import { discoveryServices, grpcStreams, makeSnapshot, Publisher, resource } from 'sekisho/xds';

const [file = 'backends.txt'] = process.argv.slice(2);
const { LISTEN: listen = '127.0.0.1:18000', DOOR: door = '127.0.0.1:10000' } = process.env;

// Nodes under one key get the same snapshot; who is given no key is refused.
const publisher = new Publisher({ resolve: ({ cluster }) => (cluster === 'example' ? 'all' : undefined) });
publish();
watchFile(file, { interval: 200 }, publish);

const discovery = discoveryServices({ publisher, observe: print });
const sessions = new Set();
const server = createServer();
server.on('stream', grpcStreams(discovery.services));
server.on('session', (session) => sessions.add(session.once('close', () => sessions.delete(session))));
const [, host, port] = /^(.*):(\d+)$/.exec(listen);
server.listen(Number(port), host, () => console.log(`listening on ${listen}`));
process.once('SIGTERM', () => {
  discovery.close();
  for (const session of sessions) session.close();
  server.close(() => process.exit());
});

function publish() {
  const backends = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  try {
    // Versions are hashes of content: what is as before is not sent again, not even by the next process.
    publisher.publish('all', makeSnapshot(resources(backends), { previous: publisher.current('all') }));
  } catch (error) {
    console.log(`${file} is not used: ${error.message}`);
  }
}

function print({ kind, node, ...event }) {
  const type = event.type?.split('.').at(-1);
  if (kind === 'connected' || kind === 'disconnected') console.log(`${node.id} ${kind}`);
  else if (kind === 'sent') console.log(`${node.id} is sent ${type}: ${event.names} new, ${event.removed} removed`);
  else if (kind === 'nacked') console.log(`${node.id} refused ${type}: ${event.text}`);
  else if (kind === 'settled') console.log(`${node.id} runs ${event.version}`);
  else if (kind === 'refused') console.log(`${event.peer} is refused: ${event.error.message}`);
}

/** As in Envoy's own YAML, field by field. */
function resources(backends) {
  const ads = { ads: {}, resource_api_version: 'V3' };
  const http = {
    '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'door',
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'backends' } }] },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': type('extensions.filters.http.router.v3.Router') } }],
  };
  return [
    {
      '@type': type('config.listener.v3.Listener'),
      name: 'door',
      address: socket(door),
      filter_chains: [{ filters: [{ name: 'http', typed_config: http }] }],
    },
    {
      '@type': type('config.cluster.v3.Cluster'),
      name: 'backends',
      type: 'EDS',
      eds_cluster_config: { eds_config: ads },
    },
    {
      '@type': type('config.endpoint.v3.ClusterLoadAssignment'),
      cluster_name: 'backends',
      endpoints: [{ lb_endpoints: backends.map((backend) => ({ endpoint: { address: socket(backend) } })) }],
    },
  ].map(resource);
}

function type(name) {
  return `type.googleapis.com/envoy.${name}`;
}

function socket(text) {
  const colon = text.lastIndexOf(':');
  return { socket_address: { address: text.slice(0, colon), port_value: Number(text.slice(colon + 1)) } };
}
