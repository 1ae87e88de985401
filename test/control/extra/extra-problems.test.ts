import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { extraProblems } from '../../../src/control/extra/extra-problems.ts';
import { formatProblem, type Problem } from '../../../src/policy/problem.ts';
import { loadWith, policyWith } from '../../support/extra-files.ts';
import { sections } from '../../support/markdown.ts';
import * as yaml from './yaml.ts';

const { cluster, endpoints, extensionConfig, filter, hcm, listener, routes, secret } = yaml;

/** What is wrong with the documents of one file; `notes` stand beside it in the policy. */
async function problemsOf(documents: readonly string[], notes = ''): Promise<Problem[]> {
  const files = { '/etc/sekisho/x.yaml': documents.join('---\n') };
  const loaded = await loadWith(policyWith(`[{files: [x.yaml]${notes}}]`), files);
  assert.ok('policy' in loaded, JSON.stringify(loaded));
  return extraProblems(loaded.policy);
}

const adsSource = 'config_source: {ads: {}}';
const tcp = (fields: string) => filter(yaml.tcpProxyType, `stat_prefix: s, ${fields}`);
const own = [cluster('own')];
const onEgress = ', on: egress';

/** Documents that may stand beside ours. */
const good: Readonly<Record<string, readonly [readonly string[], string?]>> = {
  'a listener that answers by itself': [[listener('a', 1)]],
  'two listeners on one port of two addresses': [[listener('a', 1), listener('b', 1, hcm(), '127.0.0.2')]],
  'a listener on the IPv6 side of a port of a door': [[listener('a', 3128, hcm(), '::')]],
  'a listener on the port of a door of other nodes': [[listener('a', 3128)], ', on: host'],
  'a listener without a socket, on the port of a door': [[`${listener('a', 3128)}bind_to_port: false\n`]],
  'two listeners on whatever port is left': [[listener('a', 0), listener('b', 0)]],
  'an internal listener and the way to it': [
    [
      listener('a', 1).replace(/address:.*/, 'internal_listener: {}'),
      cluster(
        'c',
        'load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: {envoy_internal_address: {server_listener_name: a}}}}]}]}',
      ),
    ],
  ],
  QUIC: [
    [
      listener('a', 1)
        .replace('port_value: 1', 'port_value: 1, protocol: UDP')
        .concat('udp_listener_config: {quic_options: {}}\n'),
    ],
  ],
  'names of ours under another type': [[cluster('office/connect'), secret('console', 'generic_secret: {}')]],
  'a TCP proxy to clusters of its own': [
    [
      ...own,
      cluster('b'),
      listener('a', 1, tcp('weighted_clusters: {clusters: [{name: own, weight: 1}, {name: b, weight: 1}]}')),
    ],
  ],
  'filters before the last one': [
    [
      ...own,
      listener(
        'a',
        1,
        `${filter('envoy.extensions.filters.network.rbac.v3.RBAC', 'stat_prefix: r')}, ${tcp('cluster: own')}`,
      ),
    ],
  ],
  'routes that lead to the console': [[routes('r', 'route: {cluster: console}')], onEgress],
  'the certificate of a door': [
    [
      listener('a', 1).replace(
        'filter_chains: [{',
        `filter_chains: [{transport_socket: {name: t, typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, common_tls_context: {tls_certificate_sds_secret_configs: [{name: leaf/office, sds_config: {ads: {}}}]}}}, `,
      ),
    ],
    onEgress,
  ],
  'what comes from elsewhere': [
    [
      cluster(
        'c',
        'type: EDS\neds_cluster_config: {service_name: there, eds_config: {path_config_source: {path: /x}}}',
      ),
      listener('a', 1, hcm('rds: {route_config_name: there, config_source: {path_config_source: {path: /x}}}')),
    ],
  ],
  'endpoints of a cluster': [[cluster('c', 'type: EDS\neds_cluster_config: {eds_config: {ads: {}}}'), endpoints('c')]],
  'a word of free text that would be a reference elsewhere': [
    [cluster('c', 'metadata: {filter_metadata: {a: {cluster: nowhere}}}')],
  ],
  'a service name that is none of ours': [
    [
      cluster(
        'c',
        'health_checks: [{timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, grpc_health_check: {service_name: s}}]',
      ),
    ],
  ],
  'a filter that comes by itself, inside HTTP': [
    [
      extensionConfig('late', 'envoy.extensions.filters.http.lua.v3.Lua'),
      listener(
        'a',
        1,
        hcm().replace(
          'http_filters: [',
          `http_filters: [{name: late, config_discovery: {${adsSource}, type_urls: [x]}}, `,
        ),
      ),
    ],
  ],
  'what records nothing, and says why': [
    [listener('a', 1, filter('envoy.extensions.filters.network.direct_response.v3.Config'))],
    ', unrecorded: health',
  ],
};
for (const [name, [documents, notes]] of Object.entries(good)) {
  test(`nothing is wrong with: ${name}`, async () => {
    assert.deepEqual((await problemsOf(documents, notes)).map(formatProblem), []);
  });
}

/** Documents → problems as `LINE WORD code path`, where WORD begins at the column. Further documents begin behind a line `---`. */
const bad: Readonly<Record<string, readonly [readonly string[], readonly string[], string?]>> = {
  // By themselves
  'no type': [['name: x\n'], ['1 name: missing-key ']],
  'an unknown type': [['"@type": a/b.C\n'], ['1 a/b.C value ["@type"]']],
  'a type that no Envoy asks for': [
    [
      '"@type": a/envoy.service.runtime.v3.Runtime\nname: r\n',
      '"@type": a/envoy.config.route.v3.VirtualHost\nname: v\n',
    ],
    ['1 a/envoy.service.runtime.v3.Runtime value ["@type"]', '4 a/envoy.config.route.v3.VirtualHost value ["@type"]'],
  ],
  'no name': [['"@type": a/envoy.config.cluster.v3.Cluster\n'], ['1 "@type" missing-key name']],
  'no name of endpoints': [
    ['"@type": a/envoy.config.endpoint.v3.ClusterLoadAssignment\n'],
    ['1 "@type" missing-key cluster_name'],
  ],
  'an empty name': [[cluster('""')], ['2 "" missing-key name']],
  'a name that is too long': [[cluster('x'.repeat(201))], [`2 ${'x'.repeat(201)} limit name`]],
  'an unknown field, deep inside and in camel case': [
    [
      listener('a', 1)
        .replace('stat_prefix: s', 'statPrefix: s, accesLog: []')
        .replace('filter_chains', 'filterChains'),
    ],
    ['4 accesLog: unknown-key filterChains[0].filters[0].typed_config.accesLog'],
  ],
  'a wrong value': [[cluster('x', 'lb_policy: FASTEST')], ['3 FASTEST type lb_policy']],
  'a field twice, by both of its names': [
    [cluster('x', 'altStatName: a\nalt_stat_name: b')],
    ['4 alt_stat_name: duplicate alt_stat_name'],
  ],
  'a private key': [
    [secret('s', 'tls_certificate: {private_key: {inline_string: k}}')],
    ['3 inline_string: secret tls_certificate.private_key.inline_string'],
  ],
  'a password of Redis': [
    [
      listener(
        'a',
        1,
        filter(
          'envoy.extensions.filters.network.redis_proxy.v3.RedisProxy',
          'downstream_auth_passwords: [{inline_string: p}]',
        ),
      ),
    ],
    ['4 inline_string: secret filter_chains[0].filters[0].typed_config.downstream_auth_passwords[0].inline_string'],
    ', unrecorded: r',
  ],
  'several at once, each in its place': [
    [cluster('x', 'nope: 1\nlb_policy: NO'), cluster('""')],
    ['3 nope: unknown-key nope', '4 NO type lb_policy', '7 "" missing-key name'],
  ],

  // Names
  'the names of ours, on whatever node': [
    [
      cluster('console'),
      cluster('office/inside'),
      cluster('sekisho'),
      routes('lan/http', 'direct_response: {status: 200}'),
      secret('leaf/office', 'generic_secret: {}'),
      endpoints('pin/console.aws.amazon.com'),
    ],
    [
      '2 console duplicate name',
      '6 office/inside duplicate name',
      '10 sekisho duplicate name',
      '14 lan/http duplicate name',
      '18 leaf/office duplicate name',
      '22 pin/console.aws.amazon.com duplicate cluster_name',
    ],
    ', on: host',
  ],
  'the name of a listener of ours': [[listener('office/connect', 1)], ['2 office/connect duplicate name']],
  'a name twice': [[cluster('x'), endpoints('x'), cluster('x')], ['10 x duplicate name']],

  // Ports
  'the port of a door': [[listener('a', 3128)], ['3 3128 overlap address.socket_address.port_value']],
  'the port of a door, on every address': [
    [listener('a', 8443, hcm(), '0.0.0.0')],
    ['3 8443 overlap address.socket_address.port_value'],
  ],
  'the port of a door, on the address of both families': [
    [listener('a', 8443, hcm(), '::').replace('8443', '8443, ipv4_compat: true')],
    ['3 8443 overlap address.socket_address.port_value'],
  ],
  'the port of another one, by a further address': [
    [
      listener('a', 1),
      `${listener('b', 2)}additional_addresses: [{address: {socket_address: {address: 127.0.0.1, port_value: 1}}}]\n`,
    ],
    ['10 1 overlap additional_addresses[0].address.socket_address.port_value'],
  ],

  // References
  'a cluster that there is not': [
    [routes('r', 'route: {cluster: gone}')],
    ['3 gone unknown-name virtual_hosts[0].routes[0].route.cluster'],
  ],
  'a cluster that other nodes have': [
    [routes('r', 'route: {cluster: console}')],
    ['3 console unknown-name virtual_hosts[0].routes[0].route.cluster'],
  ],
  'one of several clusters': [
    [...own, routes('r', 'route: {weighted_clusters: {clusters: [{name: own, weight: 1}, {name: gone, weight: 1}]}}')],
    ['7 gone unknown-name virtual_hosts[0].routes[0].route.weighted_clusters.clusters[1].name'],
  ],
  'a mirror': [
    [...own, routes('r', 'route: {cluster: own, request_mirror_policies: [{cluster: gone}]}')],
    ['7 gone unknown-name virtual_hosts[0].routes[0].route.request_mirror_policies[0].cluster'],
  ],
  'one of an aggregate': [
    [
      ...own,
      cluster(
        'all',
        'cluster_type: {name: a, typed_config: {"@type": a/envoy.extensions.clusters.aggregate.v3.ClusterConfig, clusters: [own, gone]}}',
      ),
    ],
    ['7 gone] unknown-name cluster_type.typed_config.clusters[1]'],
  ],
  'routes, endpoints, a secret and a filter that there are not': [
    [
      listener('a', 1, hcm(`rds: {route_config_name: gone, ${adsSource}}`)),
      cluster('c', 'type: EDS\neds_cluster_config: {eds_config: {ads: {}}}'),
      cluster('d', 'type: EDS\neds_cluster_config: {eds_config: {ads: {}}, service_name: gone}'),
      listener(
        'e',
        2,
        hcm().replace(
          'http_filters: [',
          `http_filters: [{name: gone, config_discovery: {${adsSource}, type_urls: [x]}}, `,
        ),
      ),
    ],
    [
      '4 gone unknown-name filter_chains[0].filters[0].typed_config.rds.route_config_name',
      '7 c unknown-name name',
      '14 gone unknown-name eds_cluster_config.service_name',
      '19 gone unknown-name filter_chains[0].filters[0].typed_config.http_filters[0].name',
    ],
  ],

  // Back ways
  'the cluster of Sekisho itself': [
    [routes('r', 'route: {cluster: sekisho}')],
    ['3 sekisho exposed virtual_hosts[0].routes[0].route.cluster'],
  ],
  'a logger of its own that speaks to Sekisho': [
    [
      listener('a', 1).concat(
        'access_log: [{name: l, typed_config: {"@type": a/envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig, common_config: {log_name: office/http, grpc_service: {envoy_grpc: {cluster_name: sekisho}}}}}]\n',
      ),
    ],
    ['5 sekisho exposed access_log[0].typed_config.common_config.grpc_service.envoy_grpc.cluster_name'],
  ],
  'what lies behind a door: by its cluster, its routes, its listener': [
    [
      routes('r', 'route: {cluster: office/inside}'),
      listener('a', 1, hcm(`rds: {route_config_name: office/connect, ${adsSource}}`)),
      cluster(
        'c',
        'load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: {envoy_internal_address: {server_listener_name: office/http}}}}]}]}',
      ),
    ],
    [
      '3 office/inside exposed virtual_hosts[0].routes[0].route.cluster',
      '8 office/connect exposed filter_chains[0].filters[0].typed_config.rds.route_config_name',
      '12 office/http exposed load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.envoy_internal_address.server_listener_name',
    ],
    onEgress,
  ],
  'a cluster that the client chooses': [
    [
      routes('r', 'route: {clusterHeader: x-to}'),
      ...own,
      listener(
        'a',
        1,
        `${filter('envoy.extensions.filters.network.sni_cluster.v3.SniCluster')}, ${tcp('cluster: own')}`,
      ),
      listener(
        'b',
        2,
        `${filter('envoy.extensions.filters.network.set_filter_state.v3.Config', 'on_new_connection: [{object_key: envoy.tcp_proxy.cluster}]')}, ${tcp('cluster: own')}`,
      ),
    ],
    [
      '3 x-to exposed virtual_hosts[0].routes[0].route.clusterHeader',
      '12 type.googleapis.com/envoy.extensions.filters.network.sni_cluster.v3.SniCluster exposed filter_chains[0].filters[0].typed_config["@type"]',
      '17 envoy.tcp_proxy.cluster exposed filter_chains[0].filters[0].typed_config.on_new_connection[0].object_key',
    ],
  ],
  'the DNS cache of ours, described differently': [
    [
      cluster(
        'c',
        'cluster_type: {name: d, typed_config: {"@type": a/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig, dns_cache_config: {name: console}}}',
      ),
    ],
    ['3 console duplicate cluster_type.typed_config.dns_cache_config.name'],
  ],
  'the counters of a door': [
    [listener('a', 1, hcm().replace('stat_prefix: s', 'stat_prefix: office/http'))],
    ['4 office/http duplicate filter_chains[0].filters[0].typed_config.stat_prefix'],
  ],

  // Records
  'a chain without filters': [[listener('a', 1, '')], ['4 {filters: unrecorded filter_chains[0]']],
  'no chain': [[listener('a', 1).replace(/filter_chains.*/, '')], ['1 "@type" unrecorded ']],
  'a chain that ends in what records nothing': [
    [listener('a', 1, filter('envoy.extensions.filters.network.echo.v3.Echo'))],
    ['4 {name: unrecorded filter_chains[0].filters[0]'],
  ],
  'the same in the chain for all others': [
    [
      listener('a', 1).concat(
        `default_filter_chain: {filters: [${filter('envoy.extensions.filters.network.echo.v3.Echo')}]}\n`,
      ),
    ],
    ['5 {name: unrecorded default_filter_chain.filters[0]'],
  ],
  'a filter that comes by itself': [
    [
      extensionConfig('late', yaml.hcmType),
      listener('a', 1, `{name: late, config_discovery: {${adsSource}, type_urls: [x]}}`),
      listener('b', 2, `{name: late, config_discovery: {${adsSource}, type_urls: [x]}}, ${hcm()}`),
    ],
    ['8 {name: unrecorded filter_chains[0].filters[0]', '13 {name: unrecorded filter_chains[0].filters[0]'],
  ],
  'a filter without configuration': [
    [listener('a', 1, '{name: envoy.filters.network.http_connection_manager}')],
    ['4 {name: unrecorded filter_chains[0].filters[0]'],
  ],
  'a filter inside another message': [
    [
      listener('a', 1, filter('xds.type.v3.TypedStruct', `type_url: x/${yaml.hcmType}, value: {}`)),
      listener('b', 2, `${filter('envoy.extensions.common.matching.v3.ExtensionWithMatcher')}, ${hcm()}`),
      listener(
        'c',
        3,
        filter('envoy.extensions.filters.network.http_connection_manager.v3.EnvoyMobileHttpConnectionManager'),
      ),
    ],
    [4, 9, 14].map((line) => `${line} {name: unrecorded filter_chains[0].filters[0]`),
  ],
  datagrams: [
    [
      listener('a', 1).replace('port_value: 1', 'port_value: 1, protocol: 1'),
      `${listener('b', 2)}udp_listener_config: {}\n`,
    ],
    ['3 {socket_address: unrecorded address', '8 {socket_address: unrecorded address'],
  ],
  'an API listener': [
    [listener('a', 1).concat(`api_listener: {api_listener: {"@type": a/${yaml.hcmType}}}\n`)],
    ['5 {api_listener: unrecorded api_listener'],
  ],
};
for (const [name, [documents, expected, notes]] of Object.entries(bad)) {
  test(`problems of: ${name}`, async () => {
    const problems = await problemsOf(documents, notes);
    const lines = documents.join('---\n').split('\n');
    const shown = problems.map(({ line, column, code, path }) => {
      const [word] = /^("[^"]*"|[^\s,}]*)/.exec((lines[line - 1] ?? '').slice(column - 1)) ?? [];
      return `${line} ${word ?? ''} ${code} ${path}`;
    });
    assert.deepEqual(shown, expected);
    assert.ok(problems.every(({ line, column }) => column === 1 || /[\s[{]/.test(lines[line - 1]?.[column - 2] ?? '')));
    for (const problem of problems) {
      assert.equal(problem.file, '/etc/sekisho/x.yaml');
      assert.doesNotMatch(formatProblem(problem), /\n|undefined|\[object/);
    }
  });
}

test('a policy without resources of its own is not even looked at', async () => {
  const loaded = await loadWith(policyWith('[]'), {});
  assert.ok('policy' in loaded);
  assert.deepEqual(extraProblems(loaded.policy), []);
});

test('the file that docs/policy.md shows is good', async () => {
  const page = sections(await readFile(new URL('../../../docs/policy.md', import.meta.url), 'utf8'), 2);
  const shown = /```yaml\n('@type'[^`]+)```/.exec(page.get('Resources of your own') ?? '')?.[1];
  assert.deepEqual((await problemsOf([shown ?? ''])).map(formatProblem), []);
});
