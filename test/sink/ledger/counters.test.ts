import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsFields, readCounters } from '../../../src/sink/ledger/counters.ts';
import { messageType } from '../../../src/wire/envoy-api.ts';

const type = messageType('envoy.service.metrics.v3.StreamMetricsMessage');
assert.ok(type);
const message = type;

test('of all that an Envoy counts its requests are read, with who it is, when, and since when', () => {
  const of = (name: string, value: object, kind = 0) => ({
    name,
    type: kind,
    metric: [{ ...value, timestamp_ms: 1_795_605_160_891 }],
  });
  const sent = message.create({
    identifier: { node: { id: 'egress-1', metadata: { fields: { 'sekisho.epoch': { stringValue: '17' } } } } },
    envoy_metrics: [
      of('cluster.sekisho.upstream_rq_total', { counter: { value: 9 } }),
      of('http.lab/http.downstream_rq_total', { counter: { value: 20 } }),
      of('http.lab/http.downstream_rq_active', { gauge: { value: 3 } }, 1),
      of('http.lab/connect.downstream_rq_total', { counter: {} }),
      of('http.lab/http.downstream_rq_time', { histogram: { sample_count: 2 } }, 4),
      of('server.uptime', { gauge: { value: 7 } }, 1),
      of('listener_manager.listener_stopped', { counter: { value: 2 } }),
    ],
  });
  assert.deepEqual(readCounters(Buffer.from(message.encode(sent).finish())), {
    envoy: { node: 'egress-1', epoch: 17 },
    at: 1_795_605_160_891,
    uptime: 7,
    http: new Map([
      ['lab/http', { total: 20, active: 3 }],
      ['lab/connect', { total: 0, active: 0 }],
    ]),
    listenersStopped: 2,
  });
});

test('the field numbers are those of the .proto files', () => {
  const names: Record<keyof typeof metricsFields, string> = {
    streamMetricsMessage: 'envoy.service.metrics.v3.StreamMetricsMessage',
    identifier: 'envoy.service.metrics.v3.StreamMetricsMessage.Identifier',
    metricFamily: 'io.prometheus.client.MetricFamily',
    metric: 'io.prometheus.client.Metric',
    value: 'io.prometheus.client.Gauge',
  };
  for (const [key, name] of Object.entries(names)) {
    for (const [field, number] of Object.entries(metricsFields[key as keyof typeof metricsFields])) {
      assert.equal(message.root.lookupType(name).fields[field]?.id, number, `${name}.${field}`);
    }
  }
});

test('bytes that are no metrics are refused', () => {
  assert.throws(() => readCounters(Buffer.from([0x12, 9, 1])), { code: 'record_malformed' });
});
