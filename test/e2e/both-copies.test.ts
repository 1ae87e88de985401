import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { request as requestOverTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connectionLog, requestLog, tunnelLog, visitorAt } from '../../src/control/resources/access-log.ts';
import { startEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import type { Door, Policy } from '../../src/policy/policy.types.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { captureLogs } from '../support/captured-logs.ts';
import { eventually, findEnvoy, ownLoopback } from '../support/envoy.ts';
import { authority } from '../support/house.ts';

/** Fields that the two copies cannot have in common, as docs/records.md says. */
const own = new Set(['sekisho.received', 'sekisho.copy', 'sekisho.connection_id']);
const server = 'us-east-1.console.aws.amazon.com';
const secret = 'Zm9yYmlkZGVu';

test('the same 1,000 requests, stored once each way, make the same rows', async (t) => {
  const { address, logs } = await openEnvoy(t);
  const count = 1000;
  for (let from = 0; from < count; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, one) => ask(address, from + one)));
  }
  await raw(address, 10443, 'no TLS\r\n\r\n');
  await raw(address, 10000, 'GET / HTTP/1.1\r\n\r\n');
  await raw(address, 10001, 'GET /through HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  await eventually('both copies of all', () =>
    Promise.resolve(logs.stream.length > count + 3 && logs.stream.length === logs.receipt.length),
  );
  assert.deepEqual(logs.refused, []);
  const [stream, receipt] = [logs.stream, logs.receipt].map(keyed);
  assert.ok(stream && receipt);
  assert.equal(stream.size, logs.stream.length, 'every row has a key of its own');
  for (const [key, row] of stream) assert.deepEqual(receipt.get(key), row);
  assert.ok(!JSON.stringify([logs.stream, logs.receipt]).includes(secret));
  const names = new Set(logs.receipt.flatMap((row) => Object.keys(row)));
  for (const name of wanted) assert.ok(names.has(name), `some row has ${name}`);
});

/** What shows that the comparison was one: fields that come a long way. */
const wanted = [
  ...['sekisho.duration_ms', 'tls.client.ja3', 'tls.protocol.version', 'sekisho.upstream.failure', 'sekisho.epoch'],
  ...[
    'http.request.header.origin',
    'http.response.header.location',
    'sekisho.response_flags',
    'sekisho.received_bytes',
  ],
  ...[
    'sekisho.denied.reason',
    'sekisho.redactions',
    'client.port',
    'http.request.header.x-request-id',
    'sekisho.route',
  ],
];

/** Without what differs, by what tells them apart. */
function keyed(rows: readonly NamedRecord[]): Map<string, NamedRecord> {
  return new Map(
    rows.map((row) => {
      const { 'sekisho.log': log, 'sekisho.stream_id': id = '', 'sekisho.entry_type': type = '', time } = row;
      const key = [log, id, type, time, row['client.port']].join(' ');
      // Until a connection is over its duration is that of the moment in which each copy was made.
      const running = type === 'TcpUpstreamConnected';
      const left = Object.entries(row).filter(
        ([name]) => !own.has(name) && !(running && name === 'sekisho.duration_ms'),
      );
      return [key, Object.fromEntries(left)];
    }),
  );
}

/** Requests of all sorts: refused, redirected, failed, with and without what records show. */
function ask(address: string, index: number): Promise<void> {
  const paths = ['/', '/down', '/moved', `/q?code=${secret}&n=${index}`, '/denied', `/long/${'x'.repeat(index % 97)}`];
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'];
  return new Promise((resolve, reject) => {
    const sent = requestOverTls(
      {
        host: address,
        port: 10443,
        servername: server,
        rejectUnauthorized: false,
        path: paths[index % paths.length],
        method: methods[(index >> 2) % methods.length],
        headers: {
          host: index % 5 === 0 ? `${server}:443` : server,
          ...(index % 3 === 0 && { referer: `https://${server}/?token=${secret}`, origin: `https://${server}` }),
          ...(index % 4 === 0 && { 'content-type': 'text/plain' }),
          ...(index % 7 === 0 && { 'x-forwarded-for': '8.8.8.8' }),
          'user-agent': `visitor ${index} "quoted"`,
        },
      },
      (response) => {
        response.resume().on('end', resolve);
      },
    );
    sent.on('error', reject);
    sent.end(index % 2 === 0 ? undefined : 'body');
  });
}

/** Bytes on a connection of their own, until the other end closes it. */
function raw(address: string, port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, address, () => socket.end(bytes));
    socket.on('error', () => undefined).resume();
    socket.on('close', () => {
      resolve();
    });
  });
}

async function openEnvoy(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'sekisho-copies-'));
  t.after(() => rm(dir, { recursive: true }));
  const address = ownLoopback();
  const logs = await captureLogs(t, address);
  const pair = await (await authority(dir, [server])).issue([server]);
  const silent = () => undefined;
  const log = { error: silent, warn: silent, info: silent, debug: silent, child: () => log };
  const envoy = await startEnvoy({
    path: (await findEnvoy()).path,
    bootstrap: { text: JSON.stringify(bootstrapOf(address, logs.port, pair)) },
    nodeId: 'egress-1',
    cluster: 'tokyo',
    workDir: dir,
    log,
    epoch: 1_795_442_040_000,
  });
  t.after(() => envoy.stop());
  return { address, logs };
}

function bootstrapOf(address: string, sink: number, pair: { cert: string; key: string }): object {
  const at = (port: number) => ({ address: { socket_address: { address, port_value: port } } });
  const cluster = (name: string, port: number) => ({
    name,
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: at(port) }] }] },
  });
  const http2 = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const visitor = visitorAt(door);
  const http = filter('http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'x',
    use_remote_address: true,
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
    access_log: requestLog(door, policy, visitor),
  });
  const tls = {
    name: 'tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      common_tls_context: {
        tls_certificates: [
          { certificate_chain: { inline_string: pair.cert }, private_key: { inline_string: pair.key } },
        ],
      },
    },
  };
  const inspector = {
    name: 'inspector',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
      enable_ja3_fingerprinting: true,
    },
  };
  const unfinished = connectionLog(door, policy, visitor);
  return {
    admin: at(0),
    static_resources: {
      listeners: [
        { name: 'plain', ...at(10000), access_log: unfinished, filter_chains: [{ filters: [http] }] },
        {
          name: 'tls',
          ...at(10443),
          access_log: unfinished,
          listener_filters: [inspector],
          filter_chains: [{ filter_chain_match: { server_names: [server] }, transport_socket: tls, filters: [http] }],
        },
        {
          name: 'tcp',
          ...at(10001),
          access_log: unfinished,
          filter_chains: [
            {
              filters: [
                filter('tcp_proxy.v3.TcpProxy', {
                  stat_prefix: 't',
                  cluster: 'plain',
                  access_log: tunnelLog(door, policy, visitor),
                  access_log_options: { flush_access_log_on_connected: true },
                }),
              ],
            },
          ],
        },
      ],
      clusters: [
        cluster('plain', 10000),
        cluster('down', 1),
        {
          ...cluster('sekisho', sink),
          typed_extension_protocol_options: {
            [http2]: { '@type': `type.googleapis.com/${http2}`, explicit_http_config: { http2_protocol_options: {} } },
          },
        },
      ],
    },
  };
}

function filter(type: string, config: object): object {
  return {
    name: type,
    typed_config: { '@type': `type.googleapis.com/envoy.extensions.filters.network.${type}`, ...config },
  };
}

const routes = [
  { name: 'down', match: { prefix: '/down' }, route: { cluster: 'down' } },
  { name: 'moved', match: { prefix: '/moved' }, redirect: { path_redirect: `/q?code=${secret}` } },
  {
    name: 'denied',
    match: { prefix: '/denied' },
    metadata: { filter_metadata: { sekisho: { denied: 'host' } } },
    direct_response: { status: 403, body: { inline_string: 'no' } },
  },
  {
    name: 'all',
    match: { prefix: '/' },
    direct_response: { status: 200, body: { inline_string: 'hello' } },
    response_headers_to_add: [{ header: { key: 'x-amzn-requestid', value: 'r-1' } }],
  },
];

const policy = { record: { assurance: 'receipt' } } as unknown as Policy;
const door = {
  name: 'office',
  kind: 'reverse',
  users: { kind: 'certificate', authority: '' },
} as unknown as Door;
