import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { encode } from '../sink/record/entries.ts';
import { Conversation, requestOf } from './conversation.ts';
import { kindNames, kinds, type KindName } from './kinds.ts';
import { everyCell, holds, onlyAggregated, onlySeparate } from './matrix.ts';
import { Rig } from './rig.ts';

const rig = await Rig.start();
const unknownType = 'type.googleapis.com/example.Thing';

describe('a stream', () => {
  holds(
    rig,
    'is told the node in its first request, and does not look for it in others',
    [everyCell],
    async (story) => {
      await story.publish({ A: 1, B: 1 });
      const stream = story.open();
      stream.ask(story.kind, ['A']);
      await stream.settle();
      stream.ask(story.kind, ['B'], { node: { id: 'stranger' } });
      assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
    },
  );

  holds(
    rig,
    'whose client has said its last is answered what it asked for, and ends well',
    [everyCell],
    async (story) => {
      await story.publish({ A: 1 });
      const stream = story.open();
      stream.ask(story.kind, ['A']);
      stream.halfClose();
      assert.equal((await stream.ended()).code, status.OK);
      assert.deepEqual(await stream.hear(), story.lines('+A'));
      await story.publish({ A: 2 });
      assert.deepEqual(rig.eventsOf(story.node, 'disconnected').length, 1);
    },
  );

  holds(rig, 'that says nothing at all ends well', [everyCell], async (story) => {
    const stream = story.open();
    stream.halfClose();
    assert.equal((await stream.ended()).code, status.OK);
  });

  holds(rig, 'is one of several of its node, and each is told what it asks for', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const [first, second] = [story.open(), story.open()];
    first.ask(story.kind, ['A']);
    second.ask(story.kind, ['A', 'B']);
    assert.deepEqual(await first.settle(), story.lines('+A'));
    assert.deepEqual(await second.settle(), story.lines('+A +B'));
    first.cancel();
    await story.publish({ A: 2, B: 1 });
    assert.deepEqual(await second.settle(), story.says({ whole: ['+A +B'], partial: ['+A'], delta: ['+A'] }));
    const third = story.open();
    third.ask(story.kind, ['A']);
    assert.deepEqual(await third.settle(), story.lines('+A'), 'it brought nothing along');
  });

  holds(rig, 'without a node, or of one that is not admitted, is refused', [everyCell], async (story) => {
    const request = {
      type_url: kinds[story.kind].type,
      [story.isDelta ? 'resource_names_subscribe' : 'resource_names']: ['A'],
    };
    for (const [node, code] of [
      [{}, status.INVALID_ARGUMENT],
      [{ node: { id: '' } }, status.INVALID_ARGUMENT],
      [{ node: { id: 'stranger' } }, status.NOT_FOUND],
    ] as const) {
      const stream = story.open();
      stream.write(encode(requestOf(story.variant), { ...request, ...node }));
      assert.equal((await stream.ended()).code, code);
    }
  });

  holds(
    rig,
    'that gets bytes which are no request is refused, and the others of its node live on',
    [everyCell],
    async (story) => {
      await story.publish({ A: 1 });
      const [good, bad] = [story.open(), story.open()];
      good.ask(story.kind, ['A']);
      await good.settle();
      bad.write(Buffer.from([0x0a, 0xff, 0xff]));
      assert.equal((await bad.ended()).code, status.INVALID_ARGUMENT);
      await story.publish({ A: 2 });
      assert.deepEqual(await good.settle(), story.lines('+A'));
    },
  );
});

describe('a service of one type', () => {
  holds(rig, 'implies its type, so that a request need not name it', [onlySeparate], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A'], { type_url: '' });
    assert.deepEqual(await stream.settle(), story.lines('+A'));
  });

  holds(rig, 'refuses any other type, known or not, with INVALID_ARGUMENT', [onlySeparate], async (story) => {
    await story.publish({ A: 1 });
    const other: KindName = story.kind === 'CDS' ? 'EDS' : 'CDS';
    for (const type of [unknownType, other, 'nonsense']) {
      const stream = story.open();
      stream.say(type);
      assert.equal((await stream.ended()).code, status.INVALID_ARGUMENT);
    }
  });

  for (const variant of ['sotw', 'delta'] as const) {
    test(`of every type stands beside the others: ${variant} clients of all of them are served over one connection`, async () => {
      const node = `all ${variant}`;
      rig.publish(node, Object.fromEntries(kindNames.map((kind) => [kind, { A: 1 }])));
      const streams = kindNames.map((service) => new Conversation(rig, { variant, service, node }));
      for (const stream of streams) if (stream.service !== 'ADS') stream.ask(stream.service, ['A']);
      for (const stream of streams) assert.deepEqual(await stream.settle(), [`${stream.service} +A`]);
      rig.publish(node, Object.fromEntries(kindNames.map((kind) => [kind, { A: 2 }])));
      for (const stream of streams) assert.deepEqual(await stream.settle(), [`${stream.service} +A`]);
      for (const stream of streams) stream.cancel();
    });
  }
});

describe('a type that nobody knows', () => {
  holds(
    rig,
    'has no resources: delta says so of each name, the state of the world is silent; both tell the owner',
    [onlyAggregated],
    async (story) => {
      await story.publish({ A: 1 });
      const stream = story.open();
      stream.ask(story.kind, ['A']);
      await stream.settle();
      const fields = story.isDelta ? { resource_names_subscribe: ['x', 'y'] } : { resource_names: ['x', 'y'] };
      stream.say(unknownType, fields);
      assert.deepEqual(await stream.hear(), story.isDelta ? [`${unknownType} -x -y`] : []);
      const told = rig.eventsOf(story.node, 'unknown-type');
      assert.deepEqual(
        told.map((event) => event.kind === 'unknown-type' && event.type),
        [unknownType],
      );
      await story.publish({ A: 2 });
      assert.deepEqual(await stream.settle(), story.lines('+A'), 'the other types live on');
    },
  );

  holds(rig, 'may be asked for first', [onlyAggregated], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.say(unknownType);
    stream.say('');
    assert.equal((await stream.ended()).code, status.INVALID_ARGUMENT, 'no type at all is no request');
    const next = story.open();
    next.say(unknownType);
    next.ask(story.kind, ['A']);
    assert.deepEqual(await next.settle(), story.lines('+A'));
  });

  holds(rig, 'does not fill the log, however many of them are asked for', [onlyAggregated], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    for (let index = 0; index < 300; index += 1) stream.say(`${unknownType}${index % 150}`);
    await story.publish({ A: 2 });
    await stream.heard();
    stream.ack(story.kind);
    await stream.heard();
    assert.equal(stream.last(story.kind).names.join(), 'A');
    assert.ok(rig.eventsOf(story.node, 'unknown-type').length <= 32);
  });
});
