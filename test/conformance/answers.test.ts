import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Conversation } from './conversation.ts';
import { kindNames } from './kinds.ts';
import { deltaOnly, everyCell, holds, onlyAggregated, otherTypes, rootTypes, sotwOnly, type Story } from './matrix.ts';
import { Rig } from './rig.ts';

const rig = await Rig.start();

describe('an ACK', () => {
  holds(rig, 'is not answered, nor is one more of the same', [everyCell], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.hear();
    for (let times = 0; times < 3; times += 1) stream.ack(story.kind);
    assert.deepEqual(await stream.hear(), []);
    assert.equal(rig.eventsOf(story.node, 'acked').length, 1);
  });

  holds(rig, 'is waited for: of what changes meanwhile only the newest is sent', [everyCell], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.hear();
    for (let revision = 2; revision < 20; revision += 1) await story.publish({ A: revision });
    assert.deepEqual(await stream.hear(), []);
    stream.ack(story.kind);
    assert.deepEqual(await stream.hear(), story.lines('+A'));
    stream.ack(story.kind);
    assert.deepEqual(await stream.hear(), []);
  });

  holds(rig, 'of the last response answers those before it too', [otherTypes], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.hear();
    stream.ask(story.kind, ['B']);
    await stream.hear();
    stream.ack(story.kind);
    await story.publish({ A: 2, B: 2 });
    assert.deepEqual(await stream.hear(), story.lines('+A +B'));
  });

  holds(rig, 'may be one for two responses that say the same', [deltaOnly], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.settle();
    for (let times = 0; times < 3; times += 1) stream.ask(story.kind, ['A']);
    assert.deepEqual(await stream.hear(), story.lines('+A', '+A', '+A'));
    stream.ack(story.kind);
    await story.publish({ A: 2 });
    assert.deepEqual(await stream.hear(), story.lines('+A'));
  });
});

describe('a nonce', () => {
  holds(rig, 'is another one for every response of a type, whatever it says', [everyCell], async (story) => {
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    for (let round = 0; round < 4; round += 1) {
      await story.publish({ A: 1, B: 1 });
      await stream.settle();
      await story.publish({ A: 2, B: 1 });
      await stream.settle();
      if (story.isDelta) stream.ask(story.kind, ['A']);
      await stream.settle();
    }
    const nonces = stream.responses.map(({ nonce }) => nonce);
    assert.ok(nonces.length >= 8 && !nonces.includes(''));
    assert.equal(new Set(nonces).size, nonces.length, nonces.join(' '));
  });

  holds(rig, 'that is not that of the last response makes a request say nothing', [sotwOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.hear();
    const old = stream.last(story.kind).nonce;
    stream.ack(story.kind);
    await story.publish({ A: 2, B: 1 });
    await stream.hear();
    for (const response_nonce of [old, '', 'never given'])
      stream.say(story.kind, { resource_names: ['A', 'B'], response_nonce });
    assert.deepEqual(await stream.hear(), []);
    stream.ask(story.kind, ['B']);
    assert.deepEqual(
      await stream.settle(),
      story.says({ whole: ['+A +B'], partial: ['+B'], delta: [] }),
      'the request with the newest nonce holds',
    );
  });

  holds(rig, 'that is not that of the last response does not make a subscription void', [deltaOnly], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.settle();
    stream.ask(story.kind, ['B'], { response_nonce: 'never given' });
    assert.deepEqual(await stream.settle(), story.lines('+B'));
    stream.say(story.kind, { response_nonce: 'never given', error_detail: { code: 3, message: 'no' } });
    await story.publish({ A: 2, B: 1 });
    assert.deepEqual(await stream.settle(), story.lines('+A'), 'a NACK of nothing holds nothing back');
    assert.deepEqual(rig.eventsOf(story.node, 'nacked'), []);
  });
});

describe('a NACK', () => {
  /** A stream that has refused the change from A 1 to A 2. */
  async function refusal(story: Story, message = 'no good'): Promise<Conversation> {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A', 'B']);
    await stream.settle();
    const good = stream.last(story.kind).version;
    await story.publish({ A: 2, B: 1 });
    await stream.hear();
    stream.nack(story.kind, message, good);
    return stream;
  }

  holds(rig, 'is not answered until the content changes', [everyCell], async (story) => {
    const stream = await refusal(story);
    assert.deepEqual(await stream.hear(), []);
    await story.publish({ A: 2, B: 1 });
    assert.deepEqual(await stream.hear(), [], 'the same again');
    await story.publish({ A: 3, B: 1 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+A'], delta: ['+A'] }));
  });

  holds(rig, 'is recorded with node, type, version and a cut message', [everyCell], async (story) => {
    const stream = await refusal(story, `line\none ${'x'.repeat(5000)}`);
    await stream.hear();
    const [event, ...more] = rig.eventsOf(story.node, 'nacked');
    assert.ok(event?.kind === 'nacked' && more.length === 0);
    assert.equal(event.version, stream.last(story.kind).version);
    assert.ok(event.type.length > 0 && event.text.length <= 300 && !event.text.includes('\n'));
  });

  holds(rig, 'that is followed by what was good is at peace', [everyCell], async (story) => {
    const stream = await refusal(story);
    await stream.hear();
    await story.publish({ A: 1, B: 1 });
    const told = await stream.settle();
    assert.ok(told.length <= 1, 'the client may have kept what it had, or taken a part of it');
    await story.publish({ A: 1, B: 2 });
    assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B'], partial: ['+B'], delta: ['+B'] }));
  });

  holds(rig, 'does not keep back other resources', [otherTypes], async (story) => {
    const stream = await refusal(story);
    await stream.hear();
    await story.publish({ A: 2, B: 2 });
    assert.deepEqual(await stream.settle(), story.lines('+B'));
  });

  holds(rig, 'of a first response leaves nothing held, and the next content is sent', [everyCell], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.hear();
    stream.nack(story.kind, 'no');
    assert.deepEqual(await stream.hear(), []);
    await story.publish({ A: 2 });
    assert.deepEqual(await stream.settle(), story.lines('+A'));
  });

  holds(rig, 'does not keep back other types', [onlyAggregated], async (story) => {
    const stream = await refusal(story);
    const others = kindNames.filter((kind) => kind !== story.kind);
    await story.publishAll({
      [story.kind]: { A: 2, B: 1 },
      ...Object.fromEntries(others.map((kind) => [kind, { other: 1 }])),
    });
    for (const kind of others) stream.ask(kind, ['other']);
    const told = await stream.settle();
    assert.deepEqual(told.sort(), others.map((kind) => `${kind} +other`).sort());
  });

  holds(rig, 'and a request for more in one message', [otherTypes], async (story) => {
    await story.publish({ A: 1, B: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.hear();
    const { nonce } = stream.last(story.kind);
    stream.ask(story.kind, ['B'], { response_nonce: nonce, error_detail: { code: 3, message: 'no' } });
    assert.deepEqual(await stream.settle(), story.lines('+B'));
  });
});

describe('a whole response', () => {
  holds(
    rig,
    'of clusters or listeners shows all that was asked for, and no other type repeats itself',
    [rootTypes, sotwOnly],
    async (story) => {
      await story.publish({ A: 1, B: 1, C: 1 });
      const stream = story.open();
      stream.ask(story.kind);
      await stream.settle();
      await story.publish({ A: 1, B: 1, C: 2 });
      assert.deepEqual(await stream.settle(), story.lines('+A +B +C'));
      await story.publish({ A: 1, B: 1, C: 2 });
      assert.deepEqual(await stream.settle(), [], 'nothing changed');
    },
  );
});

test('a client that refuses everything is not answered in a circle', async () => {
  for (const variant of ['sotw', 'delta'] as const) {
    const node = `refuser-${variant}`;
    rig.publish(node, { CDS: { A: 1 }, EDS: { A: 1 }, LDS: { A: 1 }, RDS: { A: 1 } });
    const stream = new Conversation(rig, { variant, service: 'ADS', node });
    for (const kind of ['CDS', 'EDS', 'LDS', 'RDS'] as const) stream.ask(kind, ['A']);
    for (let round = 0; round < 5; round += 1) {
      for (const line of await stream.hear()) stream.nack(line.split(' ')[0] ?? '', 'no');
    }
    assert.ok(stream.responses.length <= 4, stream.responses.map(({ kind }) => kind).join());
    stream.cancel();
  }
});
