import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SekishoError } from '../../../src/base/errors.ts';
import { clusterType, listenerType, secretType } from '../../../src/control/xds/type-urls.ts';
import { FleetStory } from './story.ts';

test('a node is in step when it says that it runs what it shall have, and only while it is connected', () => {
  const story = new FleetStory();
  const tell = story.connect('egress-1');
  assert.equal(story.node('egress-1').inStep, false, 'nothing is known to be wanted yet');
  tell({ kind: 'targeted', version: 'a' });
  assert.equal(story.node('egress-1').inStep, false);
  tell({ kind: 'settled', version: 'a' });
  assert.equal(story.node('egress-1').inStep, true);
  assert.equal(story.fleet.snapshot().healthy, true);
  tell({ kind: 'targeted', version: 'b' });
  assert.equal(story.node('egress-1').inStep, false);
  tell({ kind: 'settled', version: 'b' });
  tell({ kind: 'disconnected' });
  const { inStep, running, target, connected } = story.node('egress-1');
  assert.deepEqual(
    { inStep, running, target, connected },
    { inStep: false, running: 'b', target: 'b', connected: false },
  );
  assert.equal(story.fleet.snapshot().healthy, false);
});

test('since when a node shall have its version and has had it does not change when it is told the same again', () => {
  const story = new FleetStory();
  const tell = story.connect('egress-1');
  const since = () => [story.node('egress-1').targetSince, story.node('egress-1').runningSince];
  assert.deepEqual(since(), [null, null]);
  for (const kind of ['targeted', 'settled', 'targeted', 'settled'] as const) {
    tell({ kind, version: 'a' });
    story.clock.at += 1000;
  }
  assert.deepEqual(since(), ['2026-11-24T00:00:00.500Z', '2026-11-24T00:00:01.500Z']);
});

test('who is there, who is behind, and how one stands can be asked without the whole fleet', () => {
  const story = new FleetStory();
  story.connect('gone')({ kind: 'disconnected' });
  const tell = story.connect('egress-1');
  story.connect('egress-2');
  tell({ kind: 'targeted', version: 'a' });
  assert.deepEqual([story.fleet.connected(), story.fleet.behind()], [['egress-1', 'egress-2'], 2]);
  tell({ kind: 'settled', version: 'a' });
  tell({ kind: 'subscribed', type: listenerType, wildcard: false, names: 3 });
  assert.equal(story.fleet.behind(), 1);
  assert.deepEqual(story.fleet.node('egress-1'), story.node('egress-1'));
  assert.equal(story.fleet.node('egress-1')?.types[0]?.names, 3);
  assert.equal(story.fleet.node('nobody'), undefined);
});

test('a fleet that nobody expects and nobody joined is healthy', () => {
  assert.deepEqual(new FleetStory().fleet.snapshot(), {
    time: '2026-11-24T00:00:00.500Z',
    healthy: true,
    nodes: [],
  });
});

test('a node that the policy names is listed, and found missing, before it ever comes', () => {
  const story = new FleetStory();
  story.fleet.expect(['egress-2', 'egress-1']);
  assert.deepEqual(story.ids(), ['egress-1', 'egress-2']);
  assert.deepEqual(story.findings('egress-1'), ['never-connected']);
  assert.equal(story.node('egress-1').lastSeen, null);
  assert.equal(story.fleet.snapshot().healthy, false);
  story.connect('egress-1');
  assert.deepEqual(story.findings('egress-1'), []);
  story.fleet.expect(['egress-1']);
  assert.deepEqual(story.ids(), ['egress-1']);
});

test('what a stream was sent, took in and refused is shown by type, in order of the types', () => {
  const story = new FleetStory();
  const tell = story.connect('egress-1');
  tell({ kind: 'subscribed', type: listenerType, wildcard: true, names: 0 });
  tell({ kind: 'sent', type: clusterType, version: 'a', names: 1, removed: 0, bytes: 1 });
  const types = () => story.node('egress-1').types;
  assert.deepEqual(
    types().map(({ type, inStep }) => [type, inStep]),
    [
      ['Cluster', false],
      ['Listener', true],
    ],
  );
  tell({ kind: 'nacked', type: clusterType, version: 'a', text: 'bad' });
  assert.deepEqual(types()[0]?.nack, { time: '2026-11-24T00:00:00.500Z', version: 'a', text: 'bad' });
  assert.deepEqual(story.findings('egress-1'), ['nack']);
  tell({ kind: 'sent', type: clusterType, version: 'b', names: 1, removed: 0, bytes: 1 });
  assert.deepEqual(story.findings('egress-1'), ['nack'], 'a refusal stands until the type is taken in');
  tell({ kind: 'acked', type: clusterType, version: 'b' });
  assert.deepEqual(types()[0], { type: 'Cluster', sent: 'b', acked: 'b', names: 0, nack: null, inStep: true });
});

test('of two streams the newer is the node, and what the older still says does not count', () => {
  const story = new FleetStory();
  const older = story.connect('egress-1', { version: '1.40.0' });
  older({ kind: 'targeted', version: 'a' });
  older({ kind: 'settled', version: 'a' });
  story.clock.at += 1000;
  const newer = story.connect('egress-1', { version: '1.41.0' });
  newer({ kind: 'targeted', version: 'b' });
  older({ kind: 'nacked', type: clusterType, version: 'a', text: 'old' });
  const { envoy, streams, inStep, running, connectedSince } = story.node('egress-1');
  assert.deepEqual(
    { envoy, streams, inStep, running, connectedSince },
    { envoy: '1.41.0', streams: 2, inStep: false, running: 'a', connectedSince: '2026-11-24T00:00:00.500Z' },
  );
  assert.deepEqual(story.findings('egress-1'), []);
  older({ kind: 'disconnected' });
  newer({ kind: 'settled', version: 'b' });
  assert.equal(story.node('egress-1').inStep, true);
  assert.equal(story.node('egress-1').connectedSince, '2026-11-24T00:00:01.500Z');
});

test('where the newer stream ends first the older one is the node again, with all that happened on it meanwhile', () => {
  const story = new FleetStory();
  const older = story.connect('egress-1', { version: '1.40.0' });
  older({ kind: 'targeted', version: 'a' });
  older({ kind: 'settled', version: 'a' });
  const newer = story.connect('egress-1', { version: '1.41.0' });
  newer({ kind: 'targeted', version: 'a' });
  older({ kind: 'targeted', version: 'b' });
  newer({ kind: 'disconnected' });
  assert.equal(story.node('egress-1').envoy, '1.40.0');
  assert.equal(story.node('egress-1').target, 'b');
  assert.equal(story.node('egress-1').inStep, false);
  older({ kind: 'settled', version: 'b' });
  assert.equal(story.node('egress-1').inStep, true);
});

test('a node that comes back is taken to run what it ran', () => {
  const story = new FleetStory();
  const first = story.connect('egress-1');
  first({ kind: 'targeted', version: 'a' });
  first({ kind: 'settled', version: 'a' });
  first({ kind: 'disconnected' });
  story.connect('egress-1')({ kind: 'targeted', version: 'a' });
  assert.equal(story.node('egress-1').inStep, true);
});

test('its last sign of life is what a node said or that it left, not what it was sent', () => {
  const story = new FleetStory();
  const tell = story.connect('egress-1');
  story.clock.at += 1000;
  tell({ kind: 'targeted', version: 'a' });
  tell({ kind: 'sent', type: clusterType, version: 'a', names: 1, removed: 0, bytes: 1 });
  assert.equal(story.node('egress-1').lastSeen, '2026-11-24T00:00:00.500Z');
  tell({ kind: 'acked', type: clusterType, version: 'a' });
  assert.equal(story.node('egress-1').lastSeen, '2026-11-24T00:00:01.500Z');
});

test('nodes that left are forgotten after a while, unless the policy names them', () => {
  const story = new FleetStory({ keepMs: 1000, departed: 100 });
  story.fleet.expect(['egress-1']);
  for (const id of ['egress-1', 'host-1']) story.connect(id)({ kind: 'disconnected' });
  story.connect('host-2');
  story.clock.at += 1000;
  assert.deepEqual(story.ids(), ['egress-1', 'host-1', 'host-2']);
  story.clock.at += 1;
  assert.deepEqual(story.ids(), ['egress-1', 'host-2']);
  assert.deepEqual(story.findings('egress-1'), ['disconnected']);
});

test('of nodes that left only so many are remembered, the last to leave', () => {
  const story = new FleetStory({ keepMs: 1_000_000, departed: 2 });
  const tells = ['host-1', 'host-2', 'host-3', 'host-4'].map((id) => story.connect(id));
  for (const tell of tells.reverse()) tell({ kind: 'disconnected' });
  assert.deepEqual(story.ids(), ['host-1', 'host-2']);
});

test('a refused stream leaves no node behind', () => {
  const story = new FleetStory();
  story.fleet.observe({ kind: 'refused', peer: 'x', node: 'stranger', error: new SekishoError('node_unknown', 'no') });
  assert.deepEqual(story.ids(), []);
});

test('without limits of its own a fleet remembers a day', () => {
  const story = new FleetStory();
  story.connect('host-1')({ kind: 'disconnected' });
  story.clock.advanceDays(1);
  assert.deepEqual(story.ids(), ['host-1']);
  story.clock.advanceDays(1);
  assert.deepEqual(story.ids(), []);
});

test('what is wrong with a node is found, the most urgent first', () => {
  const story = new FleetStory();
  const old = story.connect('host-old', { version: '1.39.9' });
  old({ kind: 'nacked', type: listenerType, version: 'a', text: 'bad' });
  old({ kind: 'withheld', type: secretType });
  for (let i = 0; i < 9; i++) old({ kind: 'unknown-type', type: `madeup.Type${i}${'x'.repeat(5000)}` });
  old({ kind: 'disconnected' });
  const codes = story.findings('host-old');
  assert.deepEqual(
    [...new Set(codes)],
    ['disconnected', 'version-too-old', 'nack', 'secrets-withheld', 'unknown-type'],
  );
  assert.equal(codes.filter((code) => code === 'unknown-type').length, 4, 'a node cannot fill the answer with types');
  assert.ok(JSON.stringify(story.node('host-old').findings).length < 2000);
});

const versions: readonly [version: string, found: string[]][] = [
  ['1.40.0', []],
  ['1.41.2', []],
  ['2.0.0', []],
  ['1.39.9', ['version-too-old']],
  ['0.99.0', ['version-too-old']],
  ['', ['version-untold']],
  ['new', ['version-untold']],
  ['1.40', ['version-untold']],
];
for (const [version, found] of versions) {
  test(`an Envoy that says it is ${JSON.stringify(version)} has ${found.join() || 'nothing'} against it`, () => {
    const story = new FleetStory();
    story.connect('egress-1', { version });
    assert.deepEqual(story.findings('egress-1'), found);
  });
}
