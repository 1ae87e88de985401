import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referencesOf, refersTo } from '../../../src/control/xds/references.ts';
import {
  clusterType,
  endpointType,
  extensionType,
  listenerType,
  routeType,
  secretType,
  type TypeUrl,
} from '../../../src/control/xds/type-urls.ts';
import { bytesField } from '../../../src/wire/protobuf.ts';
import { encodeAny, type TypedJson } from '../../../src/wire/proto-json.ts';

const ads = { ads: {}, resource_api_version: 'V3' };
const extension = (name: string, type: string, config: object): object => ({
  name,
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.${type}`, ...config },
});
const listenerWith = (...filters: object[]): TypedJson => ({
  '@type': listenerType,
  name: 'own',
  filter_chains: [{ filters }],
});
const hcm = (config: object): object =>
  extension('hcm', 'filters.network.http_connection_manager.v3.HttpConnectionManager', { stat_prefix: 'x', ...config });
const routed = (route: object): TypedJson => ({
  '@type': routeType,
  name: 'own',
  virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, ...route }] }],
});

const cases: Readonly<Record<string, readonly [TypedJson, TypeUrl, string]>> = {
  'a route to its cluster': [routed({ route: { cluster: 'up' } }), clusterType, 'up'],
  'a route to each of its weighted clusters': [
    routed({ route: { weighted_clusters: { clusters: [{ name: 'up', weight: 1 }] } } }),
    clusterType,
    'up',
  ],
  'a route to the cluster that it mirrors to': [
    routed({ route: { cluster: 'x', request_mirror_policies: [{ cluster: 'up' }] } }),
    clusterType,
    'up',
  ],
  'a TCP proxy to its cluster': [
    listenerWith(extension('tcp', 'filters.network.tcp_proxy.v3.TcpProxy', { stat_prefix: 'x', cluster: 'up' })),
    clusterType,
    'up',
  ],
  'a TCP proxy to each of its weighted clusters': [
    listenerWith(
      extension('tcp', 'filters.network.tcp_proxy.v3.TcpProxy', {
        stat_prefix: 'x',
        weighted_clusters: { clusters: [{ name: 'up', weight: 1 }] },
      }),
    ),
    clusterType,
    'up',
  ],
  'a connection manager to its routes': [
    listenerWith(hcm({ rds: { config_source: ads, route_config_name: 'up' } })),
    routeType,
    'up',
  ],
  'a filter to the extension that configures it': [
    listenerWith(
      hcm({
        http_filters: [
          {
            name: 'up',
            config_discovery: { config_source: ads, type_urls: ['type.googleapis.com/envoy.Any'] },
          },
        ],
      }),
    ),
    extensionType,
    'up',
  ],
  'an access logger to its cluster': [
    {
      '@type': listenerType,
      name: 'own',
      access_log: [
        extension('als', 'access_loggers.grpc.v3.HttpGrpcAccessLogConfig', {
          common_config: { log_name: 'x', grpc_service: { envoy_grpc: { cluster_name: 'up' } } },
        }),
      ],
    },
    clusterType,
    'up',
  ],
  'a TLS context to its secrets': [
    {
      '@type': listenerType,
      name: 'own',
      filter_chains: [
        {
          transport_socket: extension('tls', 'transport_sockets.tls.v3.DownstreamTlsContext', {
            common_tls_context: { tls_certificate_sds_secret_configs: [{ name: 'up', sds_config: ads }] },
          }),
        },
      ],
    },
    secretType,
    'up',
  ],
  'a cluster to its endpoints by its name': [
    { '@type': clusterType, name: 'up', type: 'EDS', eds_cluster_config: { eds_config: ads } },
    endpointType,
    'up',
  ],
  'a cluster to its endpoints by their own name': [
    { '@type': clusterType, name: 'x', type: 'EDS', eds_cluster_config: { eds_config: ads, service_name: 'up' } },
    endpointType,
    'up',
  ],
  'a cluster to the internal listener behind it': [
    {
      '@type': clusterType,
      name: 'x',
      load_assignment: {
        cluster_name: 'x',
        endpoints: [
          {
            lb_endpoints: [
              { endpoint: { address: { envoy_internal_address: { server_listener_name: 'up', endpoint_id: 'e' } } } },
            ],
          },
        ],
      },
    },
    listenerType,
    'up',
  ],
};

for (const [what, [json, type, name]] of Object.entries(cases)) {
  test(`the reference of ${what} is found, and no other`, () => {
    const references = referencesOf({ name: 'own', version: '1', bytes: encodeAny(json) });
    assert.ok(refersTo(references, type, name));
    assert.ok(!refersTo(references, type, 'another'));
    assert.ok(!refersTo(references, type, 'own'));
  });
}

test('endpoints refer to nothing, not even to the cluster that they name', () => {
  const json = { '@type': endpointType, cluster_name: 'own', endpoints: [] };
  const references = referencesOf({ name: 'own', version: '1', bytes: encodeAny(json) });
  assert.equal(references.names.size, 0);
  assert.deepEqual(references.opaque, []);
});

test('in what nobody here can read any mention of a name counts', () => {
  const any = Buffer.concat([bytesField(1, 'type.googleapis.com/example.Unknown'), bytesField(2, bytesField(7, 'up'))]);
  const references = referencesOf({ name: 'own', version: '1', bytes: any });
  assert.ok(refersTo(references, clusterType, 'up'));
  assert.ok(!refersTo(references, clusterType, 'down'));
  assert.ok(
    refersTo(referencesOf({ name: 'own', version: '1', bytes: Buffer.from('no message: up') }), routeType, 'up'),
  );
});
