import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { deltaOnly, everyCell, holds, otherTypes, rootTypes, sotwOnly } from './matrix.ts';
import { Rig } from './rig.ts';

const rig = await Rig.start();

describe('the wildcard', () => {
  holds(rig, 'a first request without names asks for everything', [rootTypes], async (story) => {
    await story.publish({ A: 1, B: 1, C: 1 });
    const stream = story.open();
    stream.ask(story.kind);
    assert.deepEqual(await stream.settle(), story.lines('+A +B +C'));
    await story.publish({ A: 1, B: 2, C: 1, D: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B +C +D'], partial: [], delta: ['+B +D'] }));
    await story.publish({ A: 1, B: 2 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: [], delta: ['-C -D'] }));
    await story.publish({});
    assert.deepEqual(await stream.settle(), story.says({ whole: [''], partial: [], delta: ['-A -B'] }));
  });

  holds(rig, 'a first request without names is answered even where there is nothing', [rootTypes], async (story) => {
    await story.publish({});
    const stream = story.open();
    stream.ask(story.kind);
    assert.deepEqual(await stream.settle(), story.lines(''));
    await story.publish({ A: 1 });
    assert.deepEqual(await stream.settle(), story.lines('+A'));
  });

  holds(rig, 'a first request without names asks for nothing', [otherTypes], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind);
    assert.deepEqual(await stream.settle(), []);
    await story.publish({ A: 2, B: 1 });
    assert.deepEqual(await stream.settle(), []);
    stream.ask(story.kind, ['B']);
    assert.deepEqual(await stream.settle(), story.lines('+B'));
  });

  holds(rig, 'an explicit * asks for everything', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['*']);
    assert.deepEqual(await stream.settle(), story.lines('+A +B'));
    await story.publish({ A: 2, B: 1, C: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B +C'], partial: ['+A +C'], delta: ['+A +C'] }));
    await story.publish({ A: 2, C: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +C'], partial: [], delta: ['-B'] }));
  });

  holds(rig, 'a name beside * is a subscription of its own, which stays when * goes', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['*', 'A']);
    assert.deepEqual(await stream.settle(), story.lines('+A +B'));
    stream.drop(story.kind, ['*']);
    const left = await stream.settle();
    assert.ok(left.length === 0 || left.join() === story.lines('+A').join(), 'at most A is said once more');
    await story.publish({ A: 2, B: 2, C: 1 });
    assert.deepEqual(await stream.settle(), story.lines('+A'));
  });

  holds(
    rig,
    'the legacy wildcard goes on beside a name in delta, and ends with *',
    [rootTypes, deltaOnly],
    async (story) => {
      await story.publish({ A: 1, B: 1 });
      const stream = story.open();
      stream.ask(story.kind);
      await stream.settle();
      stream.ask(story.kind, ['A']);
      assert.deepEqual(await stream.settle(), story.lines('+A'), 'asked for, so told again');
      await story.publish({ A: 1, B: 2 });
      assert.deepEqual(await stream.settle(), story.lines('+B'));
      stream.drop(story.kind, ['*']);
      await story.publish({ A: 2, B: 3 });
      assert.deepEqual(await stream.settle(), story.lines('+A'));
      stream.drop(story.kind, ['A']);
      await story.publish({ A: 3, B: 4 });
      assert.deepEqual(await stream.settle(), [], 'nothing is asked for, which is not everything');
    },
  );

  holds(
    rig,
    'the legacy wildcard ends with the first list of names in the state of the world',
    [rootTypes, sotwOnly],
    async (story) => {
      await story.publish({ A: 1, B: 1 });
      const stream = story.open();
      stream.ask(story.kind);
      await stream.settle();
      stream.ask(story.kind, ['*', 'A']);
      await stream.settle();
      await story.publish({ A: 1, B: 2 });
      assert.deepEqual(await stream.settle(), story.lines('+A +B'), '* was said, so it goes on');
      stream.drop(story.kind, ['*']);
      await stream.settle();
      await story.publish({ A: 2, B: 3 });
      assert.deepEqual(await stream.settle(), story.lines('+A'));
      stream.drop(story.kind, ['A']);
      await story.publish({ A: 3, B: 4 });
      assert.deepEqual(await stream.settle(), [], 'an empty list is no wildcard any more');
    },
  );

  holds(rig, 'a name taken back under * is answered with what becomes of it', [deltaOnly], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['*', 'A', 'Z']);
    assert.deepEqual(await stream.settle(), story.lines('+A -Z'));
    stream.drop(story.kind, ['A']);
    assert.deepEqual(await stream.settle(), story.lines('+A'));
    stream.drop(story.kind, ['Z']);
    assert.deepEqual(await stream.settle(), story.lines('-Z'));
    await story.publish({ A: 2, Z: 1 });
    assert.deepEqual(await stream.settle(), story.lines('+A +Z'), '* still asks for both');
  });

  holds(rig, '* that comes after names brings what is missing', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.settle();
    stream.ask(story.kind, ['*']);
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
  });
});

describe('names', () => {
  holds(rig, 'only those are sent that are asked for, and when they change', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1, C: 1, D: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['B', 'D']);
    assert.deepEqual(await stream.settle(), story.lines('+B +D'));
    await story.publish({ A: 2, B: 1, C: 2, D: 1 });
    assert.deepEqual(await stream.settle(), []);
    await story.publish({ A: 2, B: 2, C: 2, D: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+B +D'], partial: ['+B'], delta: ['+B'] }));
  });

  holds(rig, 'one more is answered with that one', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1, C: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.settle();
    stream.ask(story.kind, ['B']);
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
    await story.publish({ A: 2, B: 2, C: 2 });
    assert.deepEqual(await stream.settle(), story.lines('+A +B'));
  });

  holds(rig, 'one that is taken back is not sent any more', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1, C: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B', 'C']);
    await stream.settle();
    stream.drop(story.kind, ['B', 'C']);
    assert.deepEqual(await stream.settle(), []);
    await story.publish({ A: 2, B: 2, C: 2 });
    assert.deepEqual(await stream.settle(), story.lines('+A'));
  });

  holds(rig, 'when all are taken back nothing is sent any more', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.settle();
    stream.drop(story.kind, ['A', 'B']);
    assert.deepEqual(await stream.settle(), []);
    await story.publish({ A: 2, B: 2, C: 1 });
    assert.deepEqual(await stream.settle(), []);
  });

  holds(rig, 'one that was taken back and is asked for again is sent again', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.settle();
    stream.drop(story.kind, ['A']);
    assert.deepEqual(await stream.settle(), []);
    stream.ask(story.kind, ['A']);
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+A'], delta: ['+A'] }));
  });

  holds(rig, 'one that was taken back and is asked for in one breath is sent again', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.settle();
    stream.drop(story.kind, ['A']);
    stream.ask(story.kind, ['A']);
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+A'], delta: ['+A'] }));
  });

  holds(rig, 'one that is known and asked for again is sent again, as often as it is', [deltaOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.settle();
    for (let times = 0; times < 3; times += 1) {
      stream.ask(story.kind, ['A']);
      assert.deepEqual(await stream.settle(), story.lines('+A'));
    }
  });

  holds(rig, 'the same list once more is not answered', [sotwOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.settle();
    stream.ask(story.kind, ['B']);
    stream.say(story.kind, { resource_names: ['B', 'A', 'B'], response_nonce: stream.last(story.kind).nonce });
    assert.deepEqual(await stream.settle(), [], 'nor in another order');
  });

  holds(
    rig,
    'one that does not exist is told at once in delta, and arrives when it appears',
    [everyCell],
    async (story) => {
      await story.publish({ A: 1 });
      const stream = story.open();
      stream.ask(story.kind, ['A', 'Z']);
      assert.deepEqual(await stream.settle(), story.says({ whole: ['+A'], partial: ['+A'], delta: ['+A -Z'] }));
      await story.publish({ A: 1, Z: 1 });
      assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +Z'], partial: ['+Z'], delta: ['+Z'] }));
      await story.publish({ A: 1 });
      assert.deepEqual(await stream.settle(), story.says({ whole: ['+A'], partial: [], delta: ['-Z'] }));
    },
  );

  holds(
    rig,
    'when none of them exists delta says so, and the state of the world is silent',
    [everyCell],
    async (story) => {
      await story.publish({ A: 1 });
      const stream = story.open();
      stream.ask(story.kind, ['Y', 'Z']);
      assert.deepEqual(await stream.settle(), story.says({ whole: [], partial: [], delta: ['-Y -Z'] }));
      await story.publish({ A: 1, Y: 1 });
      assert.deepEqual(await stream.settle(), story.lines('+Y'));
    },
  );

  holds(rig, 'one that went and came again is sent again', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.settle();
    await story.publish({ A: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A'], partial: [], delta: ['-B'] }));
    await story.publish({ A: 1, B: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
  });

  holds(rig, 'a subscription may come with an ACK', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.hear();
    const { nonce, version } = stream.last(story.kind);
    stream.ask(story.kind, ['B'], {
      response_nonce: nonce,
      ...(!story.isDelta && { version_info: version }),
    });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
    assert.equal(rig.eventsOf(story.node, 'acked').length, 2);
  });

  holds(
    rig,
    'before there is a snapshot of the node nothing is said, and then all that was asked for',
    [everyCell],
    async (story) => {
      const stream = story.open();
      stream.ask(story.kind, ['A', 'Z']);
      stream.ask(story.kind, ['B']);
      assert.deepEqual(await stream.settle(), []);
      await story.publish({ A: 1, B: 1, C: 1 });
      assert.deepEqual(
        await stream.settle(),
        story.says({ whole: ['+A +B'], partial: ['+A +B'], delta: ['+A +B -Z'] }),
      );
    },
  );
});
