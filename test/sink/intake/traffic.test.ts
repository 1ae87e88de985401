import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrafficMeter } from '../../../src/sink/intake/traffic.ts';
import { decodeTrafficReport } from '../../../src/wire/traffic-report.ts';
import { consoleRequest, httpEntry, tcpEntry } from '../record/entries.ts';

const http = (code: number, common: object = {}, request: object = {}) =>
  httpEntry(consoleRequest(request, common, { response_code: { value: code } }));
const tcp = (common: object) => tcpEntry({ common_properties: { custom_tags: { client: '127.0.0.7:1' }, ...common } });

/** What counts as what: kind, entry → requests, server errors, denied. */
const cases: Readonly<
  Record<string, readonly ['http' | 'tcp' | 'connection', Buffer, readonly [number, number, number]]>
> = {
  'a page': ['http', http(200), [1, 0, 0]],
  'a page that is not there': ['http', http(404), [1, 0, 0]],
  'the console is ill': ['http', http(500), [1, 1, 0]],
  'Envoy finds no way': ['http', http(503), [1, 1, 0]],
  'a client that left before any answer': ['http', http(0), [1, 0, 0]],
  'no answer at all': ['http', httpEntry({ common_properties: {} }), [1, 0, 0]],
  'a host off the list': ['http', http(403, { custom_tags: { client: 'x', denied: 'host' } }), [1, 0, 1]],
  'a person without credentials': ['http', http(407, { custom_tags: { barred: 'no_credentials' } }), [1, 0, 1]],
  'somebody barred because the sink is busy': ['http', http(503, { custom_tags: { barred: 'busy' } }), [1, 0, 1]],
  'a person who sends the name of our tag': [
    'http',
    http(200, { custom_tags: { client: 'x' } }, { path: '/\n\u0006denied\n\u0006barred' }),
    [1, 0, 0],
  ],
  'a connection is through': ['tcp', tcp({ access_log_type: 'TcpUpstreamConnected' }), [0, 0, 0]],
  'a connection goes on': ['tcp', tcp({ access_log_type: 'TcpPeriodic' }), [0, 0, 0]],
  'a connection ends': ['tcp', tcp({ access_log_type: 'TcpConnectionEnd' }), [1, 0, 0]],
  'a connection that its server ended': [
    'tcp',
    tcp({ access_log_type: 'TcpConnectionEnd', response_flags: { upstream_connection_termination: true } }),
    [1, 0, 0],
  ],
  'a connection that reached nobody': [
    'tcp',
    tcp({ access_log_type: 'TcpConnectionEnd', response_flags: { upstream_connection_failure: true } }),
    [1, 1, 0],
  ],
  'a connection whose server has no address': [
    'tcp',
    tcp({ access_log_type: 'TcpConnectionEnd', response_flags: { no_healthy_upstream: true } }),
    [1, 1, 0],
  ],
  'a connection that no door serves': ['connection', tcp({ response_flags: { no_route_found: true } }), [1, 0, 1]],
  'a handshake that failed': ['connection', tcp({}), [1, 0, 1]],
};
for (const [name, [kind, entry, [requests, serverErrors, denied]]] of Object.entries(cases)) {
  test(`${name}: ${requests} requests, ${serverErrors} server errors, ${denied} denied`, () => {
    const meter = new TrafficMeter(1000);
    meter.count('egress-1', kind, [entry], entry);
    const { nodes } = decodeTrafficReport(meter.report(2000));
    assert.deepEqual(nodes, requests === 0 ? [] : [{ node: 'egress-1', requests, serverErrors, denied }]);
  });
}

test('reports follow each other without a gap, each with what came in it, by node', () => {
  const meter = new TrafficMeter(1000);
  for (const node of ['egress-1', 'egress-2', 'egress-1'])
    meter.count(node, 'http', [http(node === 'egress-2' ? 503 : 200)], Buffer.alloc(0));
  const none = { serverErrors: 0, denied: 0 };
  assert.deepEqual(decodeTrafficReport(meter.report(2000)), {
    from: 1000,
    to: 2000,
    nodes: [
      { node: 'egress-1', requests: 2, ...none },
      { node: 'egress-2', requests: 1, serverErrors: 1, denied: 0 },
    ],
  });
  assert.deepEqual(decodeTrafficReport(meter.report(3000)), { from: 2000, to: 3000, nodes: [] });
});
