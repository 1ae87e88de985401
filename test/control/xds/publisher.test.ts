import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SekishoError } from '../../../src/base/errors.ts';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import type { Snapshot } from '../../../src/control/xds/snapshot.ts';
import type { StreamState } from '../../../src/control/xds/stream-state.ts';
import { node, snapshotOf } from './model.ts';

class Recorder {
  readonly got: Snapshot[] = [];
  refused: SekishoError | undefined;

  update(snapshot: Snapshot): void {
    this.got.push(snapshot);
  }

  refuse(error: SekishoError): void {
    this.refused = error;
  }

  describe(): StreamState {
    return { stream: 1, node, resources: () => [] };
  }
}

const [one, two] = [snapshotOf({ clusters: { a: { clusters: [] } } }), snapshotOf({})];

test('a follower gets what is published for its node, before it came or after', () => {
  const publisher = new Publisher({ resolve: ({ id }) => id });
  const [early, late, other] = [new Recorder(), new Recorder(), new Recorder()];
  publisher.follow(node, early);
  publisher.follow({ ...node, id: 'other' }, other);
  publisher.publish(node.id, one);
  publisher.publish(node.id, one);
  publisher.follow(node, late);
  assert.deepEqual([early.got, late.got, other.got], [[one], [one], []]);
});

test('a follower that ended gets nothing more', () => {
  const publisher = new Publisher({ resolve: () => 'group' });
  const follower = new Recorder();
  const following = publisher.follow(node, follower);
  following.end();
  following.end();
  publisher.publish('group', one);
  assert.deepEqual(follower.got, []);
});

test('a node that is not of the fleet is refused', () => {
  const publisher = new Publisher({ resolve: () => undefined });
  assert.throws(() => publisher.follow(node, new Recorder()), { code: 'node_unknown' });
});

test('when the policy changes, streams move to where their node belongs now, or are refused', () => {
  const groups = new Map([
    ['mover', 'old'],
    ['leaver', 'old'],
    ['stayer', 'old'],
  ]);
  const publisher = new Publisher({ resolve: ({ id }) => groups.get(id) });
  publisher.publish('old', one);
  publisher.publish('new', two);
  const [mover, leaver, stayer] = [new Recorder(), new Recorder(), new Recorder()];
  publisher.follow({ ...node, id: 'mover' }, mover);
  publisher.follow({ ...node, id: 'leaver' }, leaver);
  publisher.follow({ ...node, id: 'stayer' }, stayer);
  groups.set('mover', 'new');
  groups.delete('leaver');
  publisher.resolveAgain();
  assert.deepEqual([mover.got, leaver.got, stayer.got], [[one, two], [one], [one]]);
  assert.equal(leaver.refused?.code, 'node_unknown');
  assert.equal(mover.refused ?? stayer.refused, undefined);
});

test('what is withdrawn is forgotten; a stream keeps what it has', () => {
  const publisher = new Publisher({ resolve: () => 'group' });
  publisher.publish('group', one);
  publisher.withdraw('group');
  assert.deepEqual(publisher.keys, []);
  const follower = new Recorder();
  publisher.follow(node, follower);
  assert.deepEqual(follower.got, []);
});
