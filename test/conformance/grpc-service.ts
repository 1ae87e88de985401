import * as grpc from '@grpc/grpc-js';
import type { TestContext } from 'node:test';
import { rawMethod } from '../../src/wire/raw-method.ts';
import { makeSnapshot, resource, type Snapshot } from '../../src/xds/index.ts';

/** What gRPC clients call in these tests: it answers with the name of the server that was reached. */
export const whoPath = '/sekisho.test.Who/Ask';

const who = { Ask: rawMethod(whoPath, { requestStream: false, responseStream: false }) };

/** Starts a server that answers with its name, as a google.protobuf.StringValue; gives its port. */
export async function startBackend(t: TestContext, name: string): Promise<number> {
  const server = new grpc.Server();
  const answer = Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name)]);
  server.addService(who, {
    Ask: (_call: unknown, reply: grpc.sendUnaryData<Buffer>) => {
      reply(null, answer);
    },
  });
  t.after(() => {
    server.forceShutdown();
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

/** What `answer` above says. */
export function nameIn(answer: Buffer): string {
  return answer.subarray(2).toString();
}

const envoy = (name: string): string => `type.googleapis.com/envoy.${name}`;
const ads = { ads: {}, resource_api_version: 'V3' };

/** `xds:///service` as gRPC clients want it: a listener for programs, its routes, a cluster and the endpoints at these ports. */
export function serviceAt(
  ports: readonly number[],
  options: { readonly cluster?: string; readonly previous?: Snapshot } = {},
): Snapshot {
  const { cluster = 'backends', previous } = options;
  const resources = [
    {
      '@type': envoy('config.listener.v3.Listener'),
      name: 'service',
      api_listener: {
        api_listener: {
          '@type': envoy('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
          rds: { config_source: ads, route_config_name: 'routes' },
          http_filters: [
            { name: 'router', typed_config: { '@type': envoy('extensions.filters.http.router.v3.Router') } },
          ],
        },
      },
    },
    {
      '@type': envoy('config.route.v3.RouteConfiguration'),
      name: 'routes',
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '' }, route: { cluster } }] }],
    },
    {
      '@type': envoy('config.cluster.v3.Cluster'),
      name: cluster,
      type: 'EDS',
      eds_cluster_config: { eds_config: ads, service_name: `${cluster}-endpoints` },
      lb_policy: 'ROUND_ROBIN',
    },
    {
      '@type': envoy('config.endpoint.v3.ClusterLoadAssignment'),
      cluster_name: `${cluster}-endpoints`,
      endpoints: [
        {
          locality: { region: 'here' },
          load_balancing_weight: 1,
          lb_endpoints: ports.map((port_value) => ({
            health_status: 'HEALTHY',
            endpoint: { address: { socket_address: { address: '127.0.0.1', port_value } } },
          })),
        },
      ],
    },
  ];
  return makeSnapshot(resources.map(resource), previous ? { previous } : {});
}

/** The bootstrap file of a gRPC client. */
export function bootstrapOf(rig: { readonly port: number }, node: string): string {
  return JSON.stringify({
    xds_servers: [
      {
        server_uri: `127.0.0.1:${rig.port}`,
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3'],
      },
    ],
    // grpc-js-xds refuses a node without cluster and locality.
    node: { id: node, cluster: 'test', locality: { zone: 'here' } },
  });
}
