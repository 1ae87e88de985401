import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Conversation, Fields } from './conversation.ts';
import { deltaOnly, everyCell, holds, otherTypes, rootTypes, sotwOnly, type Story } from './matrix.ts';
import { Rig } from './rig.ts';

const rig = await Rig.start();
/** Another process, or this one after a restart: it knows nothing of what the first one said. */
const other = await Rig.start();

/** What a client that comes back says that it has: in delta names and versions, in the state of the world the version that it was shown last. */
function brings(story: Story, stream: Conversation): Fields {
  if (!story.isDelta) return { version_info: stream.last(story.kind).version };
  return { initial_resource_versions: Object.fromEntries(versionsOf(stream)) };
}

/** Name → version of all that came and was not removed later. */
function versionsOf(stream: Conversation): Map<string, string> {
  const held = new Map<string, string>();
  for (const { versions, removed } of stream.responses) {
    for (const [name, version] of versions) held.set(name, version);
    for (const name of removed) held.delete(name);
  }
  return held;
}

/** A first stream that is told A and B, acknowledges them and ends; gives what its client has from it. */
async function before(story: Story, names: readonly string[] = ['A', 'B']): Promise<Fields> {
  const stream = story.open();
  stream.ask(story.kind, names);
  await stream.settle();
  const brought = brings(story, stream);
  stream.halfClose();
  await stream.ended();
  return brought;
}

describe('a client that comes back', () => {
  holds(rig, 'is told nothing again that is still the same', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1, C: 1 });
    const brought = await before(story);
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B'], brought);
    assert.deepEqual(await stream.settle(), []);
    await story.publish({ A: 1, B: 2, C: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
  });

  holds(rig, 'to another process is told nothing again that is still the same', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const brought = await before(story);
    other.publish(story.node, { [story.kind]: { A: 1, B: 1 } });
    const stream = story.open(other);
    stream.ask(story.kind, ['A', 'B'], brought);
    assert.deepEqual(await stream.settle(), []);
    other.publish(story.node, { [story.kind]: { A: 2, B: 1 } });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+A'], delta: ['+A'] }));
  });

  holds(rig, 'is told only what changed meanwhile', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const brought = await before(story);
    await story.publish({ A: 1, B: 2 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B'], brought);
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
  });

  holds(rig, 'has removed from it what was deleted meanwhile', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const brought = await before(story);
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B'], brought);
    const isEarly = story.isAggregated && story.kind === 'CDS';
    assert.deepEqual(
      await stream.settle(),
      isEarly
        ? story.says({ whole: ['+A +B', '+A'], partial: [], delta: ['', '-B'] })
        : story.says({ whole: ['+A'], partial: [], delta: ['-B'] }),
      'a cluster goes only when it is known whether a listener leads to it',
    );
    await story.publish({ A: 1, B: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
  });

  holds(
    rig,
    'under the wildcard is told only what changed meanwhile, deletions included',
    [rootTypes],
    async (story) => {
      await story.publish({ A: 1, B: 1, C: 1 });
      const brought = await before(story, []);
      await story.publish({ A: 1, B: 2, D: 1 });
      const stream = story.open();
      stream.ask(story.kind, [], brought);
      const isEarly = story.isAggregated && story.kind === 'CDS';
      assert.deepEqual(
        await stream.settle(),
        isEarly
          ? story.says({ whole: ['+A +B +C +D', '+A +B +D'], partial: [], delta: ['+B +D', '-C'] })
          : story.says({ whole: ['+A +B +D'], partial: [], delta: ['+B +D -C'] }),
        'a cluster goes only when it is known whether a listener leads to it',
      );
    },
  );

  holds(rig, 'under * is told only what changed meanwhile', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const brought = await before(story, ['*']);
    await story.publish({ A: 2, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['*'], brought);
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+A'], delta: ['+A'] }));
  });

  holds(rig, 'and asks for more than before is told that', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1, C: 1 });
    const brought = await before(story);
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B', 'C'], brought);
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B +C'], partial: ['+C'], delta: ['+C'] }));
  });

  holds(rig, 'before there is a snapshot is told only what differs once there is one', [deltaOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const brought = await before(story);
    const stream = story.open(other);
    stream.ask(story.kind, ['A', 'B', 'C'], brought);
    assert.deepEqual(await stream.settle(), []);
    other.publish(story.node, { [story.kind]: { A: 1, B: 2, C: 1 } });
    assert.deepEqual(
      (await stream.settle()).sort(),
      story.lines('+B', '+C'),
      'the new one may come before the changed one',
    );
  });

  holds(rig, 'with versions that nobody gave is told everything anew', [deltaOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B'], { initial_resource_versions: { A: 'x', B: '', gone: '1' } });
    assert.deepEqual(await stream.settle(), story.lines('+A +B'));
  });

  holds(rig, 'brings along only what it asks for', [deltaOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const brought = await before(story);
    const stream = story.open();
    stream.ask(story.kind, ['A'], brought);
    assert.deepEqual(await stream.settle(), []);
    stream.ask(story.kind, ['B']);
    assert.deepEqual(await stream.settle(), story.lines('+B'), 'asked for by name, so answered');
  });

  holds(rig, 'brings versions along in its first request of a type, and in no other', [deltaOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const brought = await before(story);
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.settle();
    stream.ask(story.kind, ['B'], brought);
    assert.deepEqual(await stream.settle(), story.lines('+B'));
  });
});

describe('a version_info', () => {
  holds(rig, 'that is not ours is not believed', [sotwOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B'], { version_info: '1' });
    assert.deepEqual(await stream.settle(), story.lines('+A +B'));
  });

  holds(rig, 'of another node is not believed where that had something else', [sotwOnly], async (story) => {
    await story.publish({ A: 1 });
    const brought = await before(story, ['A']);
    other.publish(story.node, { [story.kind]: { A: 2 } });
    const stream = story.open(other);
    stream.ask(story.kind, ['A'], brought);
    assert.deepEqual(await stream.settle(), story.lines('+A'));
  });

  holds(
    rig,
    'of an owner’s choice is not believed by another process, where it may stand for something else',
    [sotwOnly],
    async (story) => {
      await story.publish({ A: 1, B: 1 }, '1');
      const brought = await before(story);
      assert.deepEqual(brought, { version_info: '1' });
      other.publish(story.node, { [story.kind]: { A: 1, B: 2 } }, '1');
      const stream = story.open(other);
      stream.ask(story.kind, ['A', 'B'], brought);
      assert.deepEqual(await stream.settle(), story.lines('+A +B'));
    },
  );

  holds(rig, 'of an owner’s choice hides no change that was made under it', [sotwOnly], async (story) => {
    await story.publish({ A: 1, B: 1 }, '1');
    const brought = await before(story);
    await story.publish({ A: 1, B: 2 }, '1');
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B'], brought);
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: [] }));
  });

  holds(rig, 'of a refused response is not taken for what the client has', [sotwOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.hear();
    const good = stream.last(story.kind).version;
    stream.ack(story.kind);
    await story.publish({ A: 2, B: 1 });
    await stream.hear();
    stream.nack(story.kind, 'no', good);
    await stream.heard();
    stream.halfClose();
    await stream.ended();
    const again = story.open();
    again.ask(story.kind, ['A', 'B'], { version_info: good });
    const told = await again.settle();
    assert.ok(told.join().includes('+A'), `the new A is tried again: ${told.join('; ')}`);
  });

  holds(
    rig,
    'that two streams of the node were shown for different content is believed of neither',
    [sotwOnly, otherTypes],
    async (story) => {
      await story.publish({ A: 1 }, '1');
      const [first, second] = [story.open(), story.open()];
      first.ask(story.kind, ['A']);
      await first.settle();
      first.halfClose();
      await first.ended();
      await story.publish({ A: 2 }, '1');
      second.ask(story.kind, ['A']);
      await second.settle();
      second.halfClose();
      await second.ended();
      const again = story.open();
      again.ask(story.kind, ['A'], { version_info: '1' });
      assert.deepEqual(await again.settle(), story.lines('+A'), 'this may be the client of the first');
    },
  );
});
