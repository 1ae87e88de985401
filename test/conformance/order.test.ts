import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Conversation, type Variant } from './conversation.ts';
import type { Contents, KindName } from './kinds.ts';
import { Rig } from './rig.ts';

const rig = await Rig.start();
const variants = ['sotw', 'delta'] as const;
const all: readonly KindName[] = ['CDS', 'EDS', 'LDS', 'RDS'];

/** The same names in all four types: listener to route to cluster to endpoints. */
const chain = (names: Readonly<Record<string, number>>): Contents =>
  Object.fromEntries(all.map((kind) => [kind, names]));

/** An Envoy in small: all clusters and listeners, and endpoints and routes by name. */
function follow(
  node: string,
  variant: Variant,
  names: readonly string[],
  order: readonly KindName[] = all,
): Conversation {
  const stream = new Conversation(rig, { variant, service: 'ADS', node });
  for (const kind of order) stream.ask(kind, kind === 'CDS' || kind === 'LDS' ? [] : names);
  return stream;
}

for (const variant of variants) {
  const node = (what: string): string => `${variant} ${what}`;
  const isDelta = variant === 'delta';

  describe(`${variant} over ADS`, () => {
    test('what is new comes as clusters, endpoints, listeners, routes', async () => {
      const stream = follow(node('new'), variant, ['A', 'B']);
      await stream.heard();
      rig.publish(node('new'), chain({ A: 1 }));
      assert.deepEqual(await stream.hear(), ['CDS +A', isDelta ? 'EDS +A -B' : 'EDS +A']);
      stream.ack('EDS');
      assert.deepEqual(await stream.hear(), [], 'what leads to clusters waits for the ACK of these too');
      stream.ack('CDS');
      assert.deepEqual(await stream.hear(), ['LDS +A', isDelta ? 'RDS +A -B' : 'RDS +A']);
      for (const kind of ['LDS', 'RDS']) stream.ack(kind);
      rig.publish(node('new'), chain({ A: 2, B: 1 }));
      const told = (await stream.settle()).map((line) => line.split(' ')[0]);
      assert.deepEqual([...new Set(told)], all, told.join());
      stream.cancel();
    });

    test('one ACK that is missing holds back all that comes after it, and nothing before', async () => {
      rig.publish(node('gate'), chain({ A: 1 }));
      const stream = follow(node('gate'), variant, ['A', 'B']);
      await stream.settle();
      rig.publish(node('gate'), chain({ A: 1, B: 1 }));
      const first = await stream.hear();
      assert.deepEqual(first, [isDelta ? 'CDS +B' : 'CDS +A +B']);
      for (const kind of ['EDS', 'LDS', 'RDS']) stream.ack(kind);
      assert.deepEqual(await stream.hear(), [], 'the clusters are not acknowledged');
      stream.ack('CDS');
      assert.deepEqual(await stream.hear(), ['EDS +B']);
      stream.ack('CDS');
      assert.deepEqual(await stream.hear(), []);
      stream.ack('EDS');
      assert.deepEqual(await stream.hear(), [isDelta ? 'LDS +B' : 'LDS +A +B']);
      stream.ack('LDS');
      assert.deepEqual(await stream.hear(), ['RDS +B']);
      stream.ack('RDS');
      assert.deepEqual(await stream.hear(), []);
      stream.cancel();
    });

    test('what goes is taken away last, under a version with ~ until then', async () => {
      rig.publish(node('gone'), chain({ A: 1, B: 1 }), '1');
      const stream = follow(node('gone'), variant, ['A', 'B', 'C']);
      await stream.settle();
      rig.publish(node('gone'), chain({ A: 1, C: 1 }), '2');
      assert.deepEqual(await stream.hear(), [isDelta ? 'CDS +C' : 'CDS +A +B +C']);
      assert.equal(stream.last('CDS').version, '2~');
      stream.ack('CDS');
      const told = await stream.settle();
      const last = told.filter((line) => line.startsWith('CDS'));
      assert.deepEqual(last, [isDelta ? 'CDS -B' : 'CDS +A +C']);
      assert.equal(stream.last('CDS').version, '2');
      const at = (start: string): number => told.findLastIndex((line) => line.startsWith(start));
      assert.ok(at('CDS') > at('LDS') && at('CDS') > at('RDS'), told.join('; '));
      stream.cancel();
    });

    test('what nothing that was acknowledged refers to goes at once, without a ~', async () => {
      rig.publish(node('unused'), { ...chain({ A: 1 }), CDS: { A: 1, unused: 1 } }, '1');
      const stream = follow(node('unused'), variant, ['A']);
      await stream.settle();
      rig.publish(node('unused'), { ...chain({ A: 1 }), CDS: { A: 1, B: 1 } }, '2');
      assert.deepEqual(await stream.hear(), [isDelta ? 'CDS +B -unused' : 'CDS +A +B']);
      assert.equal(stream.last('CDS').version, '2');
      stream.cancel();
    });

    test('types may be asked for in any order', async () => {
      for (const [index, order] of orders(all).entries()) {
        const name = node(`order ${index}`);
        rig.publish(name, chain({ A: 1 }));
        const stream = follow(name, variant, ['A'], order);
        const told = await stream.settle();
        assert.deepEqual(told.sort(), all.map((kind) => `${kind} +A`).sort(), order.join());
        stream.cancel();
      }
    });

    test('routes and listeners alone are served, where the clusters come from elsewhere', async () => {
      rig.publish(node('alone'), chain({ A: 1 }));
      const stream = new Conversation(rig, { variant, service: 'ADS', node: node('alone') });
      stream.ask('RDS', ['A']);
      assert.deepEqual(await stream.settle(), ['RDS +A']);
      stream.ask('LDS');
      assert.deepEqual(await stream.settle(), ['LDS +A']);
      rig.publish(node('alone'), chain({ A: 2 }));
      assert.deepEqual(await stream.settle(), ['LDS +A', 'RDS +A']);
      stream.cancel();
    });

    test('a client of gRPC, which names listener, route, cluster and endpoints one after the other, is told each', async () => {
      rig.publish(node('grpc'), chain({ A: 1, B: 1 }));
      const stream = new Conversation(rig, { variant, service: 'ADS', node: node('grpc') });
      for (const kind of ['LDS', 'RDS', 'CDS', 'EDS'] as const) {
        stream.ask(kind, ['A']);
        assert.deepEqual(await stream.settle(), [`${kind} +A`]);
      }
      rig.publish(node('grpc'), { ...chain({ A: 1, B: 1 }), EDS: { A: 2, B: 1 } });
      assert.deepEqual(await stream.settle(), ['EDS +A']);
      rig.publish(node('grpc'), chain({ B: 1 }));
      assert.ok((await stream.settle()).length > 0);
      stream.cancel();
    });

    test('a changed cluster has its endpoints told again, though they are the same', async () => {
      rig.publish(node('warm'), chain({ A: 1, B: 1 }));
      const stream = follow(node('warm'), variant, ['A', 'B']);
      await stream.settle();
      rig.publish(node('warm'), { ...chain({ A: 1, B: 1 }), CDS: { A: 2, B: 1 } });
      assert.deepEqual(await stream.hear(), [isDelta ? 'CDS +A' : 'CDS +A +B', 'EDS +A']);
      stream.cancel();
    });

    test('secrets are renewed at once, whatever waits for an ACK', async () => {
      rig.publish(node('secret'), { ...chain({ A: 1 }), SDS: { s: 1 } });
      const stream = follow(node('secret'), variant, ['A']);
      stream.ask('SDS', ['s']);
      await stream.settle();
      rig.publish(node('secret'), { ...chain({ A: 2 }), SDS: { s: 1 } });
      await stream.hear();
      rig.publish(node('secret'), { ...chain({ A: 2 }), SDS: { s: 2 } });
      assert.deepEqual(await stream.hear(), ['SDS +s']);
      stream.cancel();
    });
  });
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
