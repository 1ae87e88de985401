import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Convergence } from '../../../src/control/fleet/convergence.ts';
import type { StreamFacts, XdsEvent } from '../../../src/control/xds/events.types.ts';
import { listenerType } from '../../../src/control/xds/type-urls.ts';
import { FakeClock } from '../ca/ca-fixture.ts';

type Kind = 'connected' | 'targeted' | 'settled' | 'nacked' | 'disconnected';

/** Streams and what was found of the changes that they were to get: `acknowledged after 5`. */
class Story {
  readonly clock = new FakeClock();
  readonly ended: string[] = [];
  readonly convergence = new Convergence(this.clock, (outcome, ms) => {
    this.ended.push(outcome === 'acknowledged' ? `${outcome} after ${ms}` : outcome);
  });

  /** A node with one stream, which has `version`. */
  connect(stream: number, version = 'a'): void {
    this.tell(stream, 'connected');
    this.tell(stream, 'targeted', version);
    this.tell(stream, 'settled', version);
  }

  /** As the control plane does it: first what is wanted, then the streams are told. */
  publish(version: string, nodes?: readonly number[]): void {
    this.convergence.begin(this.clock.now(), ({ id }) =>
      nodes === undefined || nodes.includes(Number(id)) ? version : undefined,
    );
  }

  tell(stream: number, kind: Kind, version = ''): void {
    const facts: StreamFacts = {
      stream,
      node: { id: `${stream}`, cluster: 'tokyo', agent: 'envoy' },
      peer: '192.0.2.1:1',
      identity: 'certificate',
    };
    const event: Record<Kind, XdsEvent> = {
      connected: { kind: 'connected', ...facts },
      targeted: { kind: 'targeted', version, ...facts },
      settled: { kind: 'settled', version, ...facts },
      nacked: { kind: 'nacked', type: listenerType, version, text: 'no', ...facts },
      disconnected: { kind: 'disconnected', ...facts },
    };
    this.convergence.observe(event[kind]);
  }

  /** It is told and has taken everything in, `ms` later. */
  take(stream: number, version: string, ms: number): void {
    this.tell(stream, 'targeted', version);
    this.clock.at += ms;
    this.tell(stream, 'settled', version);
  }
}

test('a change has arrived when the last of the streams has acknowledged everything, and not before', () => {
  const story = new Story();
  story.connect(1);
  story.connect(2);
  story.publish('b');
  story.take(1, 'b', 3);
  assert.deepEqual(story.ended, []);
  story.take(2, 'b', 4);
  assert.deepEqual(story.ended, ['acknowledged after 7']);
});

test('the time begins when the change was noticed, which may be long before anything is published', () => {
  const story = new Story();
  story.connect(1);
  const since = story.clock.now();
  story.clock.at += 100;
  story.convergence.begin(since, () => 'b');
  story.take(1, 'b', 1);
  assert.deepEqual(story.ended, ['acknowledged after 101']);
});

const others: { what: string; happens: (story: Story) => void; ended: string[] }[] = [
  {
    what: 'what is for nobody who is there, or is what they have, is no change',
    happens: (story) => {
      story.publish('a');
      story.publish('b', []);
      story.take(1, 'a', 1);
    },
    ended: [],
  },
  {
    what: 'who comes meanwhile is not waited for',
    happens: (story) => {
      story.publish('b');
      story.tell(3, 'connected');
      story.tell(3, 'targeted', 'b');
      story.take(1, 'b', 2);
      story.take(2, 'b', 2);
    },
    ended: ['acknowledged after 4'],
  },
  {
    what: 'who leaves is waited for no longer, and the time is that of the last who acknowledged',
    happens: (story) => {
      story.publish('b');
      story.take(1, 'b', 2);
      story.clock.at += 50;
      story.tell(2, 'disconnected');
    },
    ended: ['acknowledged after 2'],
  },
  {
    what: 'where all leave nobody has it',
    happens: (story) => {
      story.publish('b');
      story.tell(1, 'disconnected');
      story.tell(2, 'disconnected');
    },
    ended: ['abandoned'],
  },
  {
    what: 'a refusal leaves it open, for a stream that takes it after all',
    happens: (story) => {
      story.publish('b');
      story.take(1, 'b', 2);
      story.tell(2, 'nacked', 'b');
      assert.deepEqual(story.ended, []);
      story.take(2, 'b', 3);
    },
    ended: ['acknowledged after 5'],
  },
  {
    what: 'a refusal that is mended by the next change was one, and the next is counted by itself',
    happens: (story) => {
      story.publish('b');
      story.take(1, 'b', 2);
      story.tell(2, 'nacked', 'b');
      story.publish('c');
      story.take(1, 'c', 1);
      story.take(2, 'c', 1);
    },
    ended: ['refused', 'acknowledged after 2'],
  },
  {
    what: 'one that is overtaken by the next has not arrived, and an ACK of it that comes late is none of the next',
    happens: (story) => {
      story.publish('b');
      story.publish('c');
      for (const stream of [1, 2]) story.tell(stream, 'settled', 'b');
      story.take(1, 'c', 1);
      story.take(2, 'c', 1);
    },
    ended: ['superseded', 'acknowledged after 2'],
  },
  {
    what: 'the same thing published again goes on with the first',
    happens: (story) => {
      story.publish('b');
      story.clock.at += 5;
      story.publish('b');
      story.take(1, 'b', 1);
      story.take(2, 'b', 1);
    },
    ended: ['acknowledged after 7'],
  },
  {
    what: 'a part of the streams is a change of its own',
    happens: (story) => {
      story.publish('b', [1]);
      story.take(1, 'b', 1);
      story.publish('b');
      story.take(2, 'b', 2);
    },
    ended: ['acknowledged after 1', 'acknowledged after 2'],
  },
];

for (const { what, happens, ended } of others) {
  test(what, () => {
    const story = new Story();
    story.connect(1);
    story.connect(2);
    happens(story);
    assert.deepEqual(story.ended, ended);
  });
}
