import assert from 'node:assert/strict';
import test from 'node:test';
import { createMetrics, latencySeconds } from '../../src/base/metrics.ts';

test('a counter adds up per set of labels', async () => {
  const metrics = createMetrics({ process: false });
  const stored = metrics.counter({ name: 'sekisho_records_total', help: 'Records stored.', labels: ['kind'] });
  stored.add({ kind: 'http' });
  stored.add({ kind: 'http' }, 2);
  stored.add({ kind: 'tcp' });
  assert.deepEqual(await samples(metrics), [
    'sekisho_records_total{kind="http"} 3',
    'sekisho_records_total{kind="tcp"} 1',
  ]);
});

test('a counter refuses to count down', () => {
  const counter = createMetrics({ process: false }).counter({ name: 'sekisho_x_total', help: 'X.' });
  assert.throws(() => {
    counter.add({}, -1);
  });
});

test('a gauge is set, and forgets what is gone', async () => {
  const metrics = createMetrics({ process: false });
  const streams = metrics.gauge({ name: 'sekisho_streams', help: 'Open streams.', labels: ['node'] });
  streams.set({ node: 'a' }, 2);
  streams.set({ node: 'b' }, 1);
  streams.forget({ node: 'a' });
  assert.deepEqual(await samples(metrics), ['sekisho_streams{node="b"} 1']);
});

test('a gauge of something is asked for at every reading', async () => {
  const metrics = createMetrics({ process: false });
  let queued = 1;
  metrics.gaugeOf({ name: 'sekisho_queued_bytes', help: 'Bytes waiting.' }, () => queued++);
  assert.deepEqual(await samples(metrics), ['sekisho_queued_bytes 1']);
  assert.deepEqual(await samples(metrics), ['sekisho_queued_bytes 2']);
});

test('counters that somebody else keeps are asked for at every reading, and are counters to whoever reads', async () => {
  const metrics = createMetrics({ process: false });
  const kept = new Map([['acked', 1]]);
  metrics.countersOf({ name: 'sekisho_kept_total', help: 'Kept elsewhere.', labels: ['result'] }, () =>
    [...kept].map(([result, count]) => [{ result }, count] as const),
  );
  assert.deepEqual(await samples(metrics), ['sekisho_kept_total{result="acked"} 1']);
  kept.set('acked', 3).set('nacked', 1);
  assert.deepEqual(await samples(metrics), [
    'sekisho_kept_total{result="acked"} 3',
    'sekisho_kept_total{result="nacked"} 1',
  ]);
  assert.match(await metrics.text(), /^# TYPE sekisho_kept_total counter$/m);
});

test('a histogram counts into its buckets, latency unless told', async () => {
  const metrics = createMetrics({ process: false });
  metrics.histogram({ name: 'sekisho_a_bytes', help: 'A.', buckets: [10, 100] }).observe({}, 50);
  metrics.histogram({ name: 'sekisho_b_seconds', help: 'B.', labels: ['door'] }).observe({ door: 'office' }, 0.003);
  const read = await samples(metrics);
  assert.deepEqual(
    read.filter((line) => line.startsWith('sekisho_a_bytes_bucket')),
    ['sekisho_a_bytes_bucket{le="10"} 0', 'sekisho_a_bytes_bucket{le="100"} 1', 'sekisho_a_bytes_bucket{le="+Inf"} 1'],
  );
  assert.equal(read.filter((line) => line.startsWith('sekisho_b_seconds_bucket')).length, latencySeconds.length + 1);
});

test('a name is used once', () => {
  const metrics = createMetrics({ process: false });
  metrics.gauge({ name: 'sekisho_x', help: 'X.' });
  assert.throws(() => metrics.gauge({ name: 'sekisho_x', help: 'X.' }));
});

test('two registries share nothing, and both know their process', async () => {
  const [a, b] = [createMetrics(), createMetrics()];
  a.counter({ name: 'sekisho_x_total', help: 'X.' }).add({});
  assert.match(await a.text(), /^sekisho_x_total 1$/m);
  assert.doesNotMatch(await b.text(), /sekisho_x_total/);
  assert.match(await b.text(), /^process_cpu_seconds_total /m);
});

async function samples(metrics: { text(): Promise<string> }): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('gauges that are asked for on reading forget a series that is no longer among the answers', async () => {
  const metrics = createMetrics({ process: false });
  let answers: [string, number][] = [
    ['one', 1],
    ['two', 2],
  ];
  metrics.gaugesOf({ name: 'sekisho_test_lag_seconds', help: 'For the test.', labels: ['output'] }, () =>
    answers.map(([output, value]) => [{ output }, value] as const),
  );
  assert.match(await metrics.text(), /lag_seconds\{output="one"\} 1\n.*\{output="two"\} 2\n/);
  answers = [['two', 5]];
  const text = await metrics.text();
  assert.match(text, /\{output="two"\} 5\n/);
  assert.doesNotMatch(text, /one/);
});
