import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Response } from './conversation.ts';
import { kinds, type KindName } from './kinds.ts';
import { deltaOnly, everyCell, holds, onlyAggregated, rootTypes, sotwOnly, type Cell, type Story } from './matrix.ts';
import { Rig } from './rig.ts';

/**
 * What the well-known conformance suite for control planes (ii/xds-test-harness) asks of a server, with the states that it sets: the names are the same in
 * all types, whose resources refer to one another, and whoever changes a resource names the version that is shown from then on.
 */
const rig = await Rig.start();

const linked: readonly KindName[] = ['CDS', 'EDS', 'LDS', 'RDS'];
const ofThese = ({ kind }: Cell): boolean => linked.includes(kind);

/** Name → revision. */
type Revisions = Readonly<Record<string, number>>;

/** How a suite's adapter sets a state: some keep the other types when one of them is changed, some drop them. */
const adapters = {
  'with the other types kept': (story: Story, resources: Revisions, version: string, first: Revisions) =>
    story.publishAll({ ...Object.fromEntries(linked.map((kind) => [kind, first])), [story.kind]: resources }, version),
  'with the other types dropped': (story: Story, resources: Revisions, version: string) =>
    story.publish(resources, new Map([[kinds[story.kind].type, version]])),
};

for (const [how, adapter] of Object.entries(adapters)) {
  /** The first state, in all types, and how it changes. */
  const setUp = async (story: Story, first: Revisions) => {
    await story.publishAll(Object.fromEntries(linked.map((kind) => [kind, first])), '1');
    return (resources: Revisions, version: string) => adapter(story, resources, version, first);
  };

  describe(`versions of the owner’s choice, ${how}`, () => {
    holds(
      rig,
      'a wildcard gets everything in one response at that version, and its ACK none',
      [rootTypes],
      async (story) => {
        const set = await setUp(story, { A: 1, B: 1, C: 1 });
        const stream = story.open();
        stream.ask(story.kind);
        assert.deepEqual(await stream.settle(), story.lines('+A +B +C'));
        assert.equal(stream.last(story.kind).version, '1');
        await set({ A: 2, B: 1, C: 1 }, '2');
        assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B +C'], partial: [], delta: ['+A'] }));
        assert.equal(stream.last(story.kind).version, '2');
        await set({ A: 2, B: 1, C: 1, D: 1 }, '3');
        assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +B +C +D'], partial: [], delta: ['+D'] }));
        assert.equal(stream.last(story.kind).version, '3');
      },
    );

    holds(rig, 'names get their resources at that version, and when they change', [ofThese], async (story) => {
      const set = await setUp(story, { A: 1, B: 1, C: 1, D: 1 });
      const stream = story.open();
      stream.ask(story.kind, ['B', 'D']);
      assert.deepEqual(await stream.settle(), story.lines('+B +D'));
      await set({ A: 1, B: 2, C: 1, D: 1 }, '2');
      assert.deepEqual(await stream.settle(), story.says({ whole: ['+B +D'], partial: ['+B'], delta: ['+B'] }));
      assert.equal(stream.last(story.kind).version, '2');
    });

    holds(
      rig,
      'a name that is added at the same version is told, alone where responses are partial',
      [ofThese],
      async (story) => {
        const set = await setUp(story, { A: 1 });
        const stream = story.open();
        stream.ask(story.kind, ['A', 'Z']);
        assert.deepEqual(await stream.settle(), story.says({ whole: ['+A'], partial: ['+A'], delta: ['+A -Z'] }));
        const { nonce } = stream.last(story.kind);
        await set({ A: 1, Z: 1 }, '1');
        assert.deepEqual(await stream.settle(), story.says({ whole: ['+A +Z'], partial: ['+Z'], delta: ['+Z'] }));
        assert.notEqual(stream.last(story.kind).nonce, nonce);
        assert.equal(stream.last(story.kind).version, '1');
      },
    );

    holds(
      rig,
      'a change of the version alone is shown in the state of the world',
      [ofThese, sotwOnly],
      async (story) => {
        const set = await setUp(story, { A: 1, B: 1 });
        const stream = story.open();
        stream.ask(story.kind, ['A', 'B']);
        await stream.settle();
        await set({ A: 1, B: 1 }, '2');
        assert.deepEqual(await stream.settle(), story.lines('+A +B'));
        assert.equal(stream.last(story.kind).version, '2');
        await set({ A: 1, B: 1 }, '2');
        assert.deepEqual(await stream.settle(), []);
      },
    );

    holds(rig, 'a change of the version alone is no news in delta', [ofThese, deltaOnly], async (story) => {
      const set = await setUp(story, { A: 1, B: 1 });
      const stream = story.open();
      stream.ask(story.kind, ['A', 'B']);
      await stream.settle();
      await set({ A: 1, B: 1 }, '2');
      assert.deepEqual(await stream.settle(), []);
    });

    holds(rig, 'who drops some names gets only the others when they change', [ofThese], async (story) => {
      const set = await setUp(story, { A: 1, B: 1, C: 1 });
      const stream = story.open();
      stream.ask(story.kind, ['A', 'B', 'C']);
      await stream.settle();
      stream.drop(story.kind, ['B', 'C']);
      await set({ A: 2, B: 2, C: 2 }, '2');
      assert.deepEqual(await stream.settle(), story.lines('+A'));
      assert.equal(stream.last(story.kind).version, '2');
    });

    holds(
      rig,
      'who drops all names gets nothing when they change, be the list empty or of one empty name',
      [ofThese, sotwOnly],
      async (story) => {
        const set = await setUp(story, { A: 1, B: 1 });
        for (const resource_names of [[], ['']]) {
          const stream = story.open();
          stream.ask(story.kind, ['A', 'B']);
          await stream.settle();
          stream.say(story.kind, { resource_names, response_nonce: stream.last(story.kind).nonce });
          await set({ A: 1, B: 1 + resource_names.length }, '2');
          assert.deepEqual(await stream.settle(), []);
          await set({ A: 1, B: 1 }, '1');
        }
      },
    );

    holds(
      rig,
      'names that come one after the other are told one after the other',
      [ofThese, deltaOnly],
      async (story) => {
        await setUp(story, { A: 1, B: 1, C: 1 });
        const stream = story.open();
        for (const name of ['A', 'B']) {
          stream.ask(story.kind, [name]);
          assert.deepEqual(await stream.settle(), story.lines(`+${name}`));
          assert.equal(stream.last(story.kind).version, '1');
        }
      },
    );

    holds(
      rig,
      'one changed resource comes alone, with a version and a nonce of its own',
      [ofThese, deltaOnly],
      async (story) => {
        const set = await setUp(story, { A: 1, B: 1, C: 1 });
        const stream = story.open();
        stream.ask(story.kind, ['A', 'B', 'C']);
        await stream.settle();
        await set({ A: 2, B: 1, C: 1 }, '2');
        await stream.settle();
        const seen = lastSeen(stream.responses);
        assert.equal(seen.get('A')?.version, '2');
        for (const name of ['B', 'C']) {
          assert.equal(seen.get(name)?.version, '1');
          assert.notEqual(seen.get(name)?.nonce, seen.get('A')?.nonce);
        }
      },
    );

    holds(
      rig,
      'one that is removed and added again, at the next version or the same, is told each time',
      [ofThese, deltaOnly],
      async (story) => {
        const set = await setUp(story, { A: 1, B: 1 });
        const stream = story.open();
        stream.ask(story.kind, ['A', 'B']);
        await stream.settle();
        for (const version of ['1', '2']) {
          await set({ A: 1 }, '1');
          assert.deepEqual(await stream.settle(), story.lines('-B'));
          assert.ok(!stream.last(story.kind).version.endsWith('~'), 'nothing of what the client has refers to it');
          await set({ A: 1, B: 1 }, version);
          assert.deepEqual(await stream.settle(), story.lines('+B'));
          assert.equal(stream.last(story.kind).version, version);
        }
      },
    );

    holds(
      rig,
      'several types over one stream are each told once, and no ACK is answered',
      [ofThese, onlyAggregated],
      async (story) => {
        await setUp(story, { A: 1, B: 1, C: 1 });
        const stream = story.open();
        const order = [story.kind, ...linked.filter((kind) => kind !== story.kind)];
        for (const kind of order) {
          stream.ask(kind, ['B']);
          assert.deepEqual(await stream.settle(), [`${kind} +B`]);
          assert.equal(stream.last(kind).version, '1');
        }
        const changed = {
          ...Object.fromEntries(linked.map((kind) => [kind, { A: 1, B: 1, C: 1 }])),
          [story.kind]: { B: 2 },
        };
        await story.publishAll(
          changed,
          new Map(linked.map((kind) => [kinds[kind].type, kind === story.kind ? '2' : '1'])),
        );
        const told = await stream.settle();
        // A cluster that changed has its endpoints told again, as it warms until they come.
        const more = story.kind === 'CDS' ? ['EDS +B'] : [];
        assert.deepEqual(told, [`${story.kind} +B`, ...more]);
        assert.equal(stream.last(story.kind).version, '2');
      },
    );
  });
}

/** Name → the response that told it last. */
function lastSeen(responses: readonly Response[]): Map<string, Response> {
  return new Map(responses.flatMap((response) => response.names.map((name) => [name, response])));
}

describe('versions that nobody chose', () => {
  holds(rig, 'are hashes of the content, of each resource and of the type', [everyCell], async (story) => {
    const first = story.open();
    first.ask(story.kind, ['A', 'B']);
    await story.publish({ A: 1, B: 1 });
    await first.settle();
    await story.publish({ A: 2, B: 1 });
    await first.settle();
    const changed = first.last(story.kind);
    await story.publish({ A: 1, B: 1 });
    await first.settle();
    const back = first.last(story.kind);
    const [begin] = first.responses;
    assert.match(back.version, /^[0-9a-f]{16}$/);
    assert.equal(back.version, begin?.version);
    assert.notEqual(changed.version, back.version);
    if (!story.isDelta) return;
    assert.match(back.versions.get('A') ?? '', /^[0-9a-f]{16}$/);
    assert.equal(back.versions.get('A'), begin?.versions.get('A'));
    assert.notEqual(changed.versions.get('A'), back.versions.get('A'));
  });
});

describe('versions that begin to be chosen', () => {
  holds(rig, 'are shown where hashes were shown before', [ofThese, sotwOnly], async (story) => {
    await story.publish({ A: 1 });
    const stream = story.open();
    stream.ask(story.kind, ['A']);
    await stream.settle();
    await story.publish({ A: 1 }, '1');
    assert.deepEqual(await stream.settle(), story.lines('+A'));
    assert.equal(stream.last(story.kind).version, '1');
    await story.publish({ A: 1 });
    await stream.settle();
    await story.publish({ A: 2 });
    await stream.settle();
    assert.match(stream.last(story.kind).version, /^[0-9a-f]{16}$/);
  });
});
