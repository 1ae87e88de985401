import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFleetTable } from '../../../src/control/fleet/fleet-table.ts';
import { clusterType } from '../../../src/control/xds/type-urls.ts';
import { FleetStory } from './story.ts';

test('an empty fleet is said to be empty', () => {
  assert.match(renderFleetTable(new FleetStory().fleet.snapshot(), 80), /^No node .*\n$/);
});

test('each node has a row that says how it stands, and its findings below it', () => {
  const story = new FleetStory();
  story.fleet.expect(['egress-1', 'egress-2']);
  const inStep = story.connect('egress-1');
  inStep({ kind: 'targeted', version: '0123456789abcdef' });
  story.clock.at += 5_000;
  inStep({ kind: 'settled', version: '0123456789abcdef' });
  const behind = story.connect('host-1', { identity: 'loopback' });
  behind({ kind: 'targeted', version: 'fedcba9876543210' });
  const refused = story.connect('host-2');
  refused({ kind: 'nacked', type: clusterType, version: 'fedcba9876543210', text: 'no such field' });
  story.connect('host-3')({ kind: 'disconnected' });
  assert.equal(
    renderFleetTable(story.fleet.snapshot(), 120),
    `\
NODE      ENVOY   STATE       SINCE                 WANTED    RUNNING   RUNNING SINCE         IDENTITY
egress-1  1.40.0  in step     2026-11-24T00:00:00Z  01234567  01234567  2026-11-24T00:00:05Z  certificate
egress-2  -       never seen  -                     -         -         -                     -
  never-connected: The policy names egress-2, but it never came; start its Envoy with this node id.
host-1    1.40.0  behind      2026-11-24T00:00:05Z  fedcba98  -         -                     loopback
host-2    1.40.0  refused     2026-11-24T00:00:05Z  -         -         -                     certificate
  nack: It refused Cluster of fedcba9876543210: no such field
host-3    1.40.0  left        2026-11-24T00:00:05Z  -         -         -                     certificate
  disconnected: It has no stream open; it goes on with what it has until it comes back.
`,
  );
});

test('no line is longer than the terminal, and what a node says of itself does not steer it', () => {
  const story = new FleetStory();
  const tell = story.connect('egress-1');
  tell({
    kind: 'nacked',
    type: clusterType,
    version: 'a',
    text: `\u001b[2J\r\nforged  1.40.0  in step${'x'.repeat(500)}`,
  });
  const table = renderFleetTable(story.fleet.snapshot(), 60);
  assert.ok(table.split('\n').every((line) => line.length <= 60));
  assert.equal(table.split('\n').length, 4);
  assert.doesNotMatch(table.replaceAll('\n', ''), /\p{Cc}/u);
});
