import { test } from 'node:test';
import fc from 'fast-check';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import type { Snapshot } from '../../../src/control/xds/snapshot.ts';
import {
  clusterType,
  endpointType,
  listenerType,
  routeType,
  type TypeUrl,
} from '../../../src/control/xds/type-urls.ts';
import { ModelClient } from './model-client.ts';
import { snapshotOf, type Body, type Contents } from './model.ts';
import { assertCoherent, assertInStep } from './told.ts';

const names = (letter: string): string[] => [0, 1, 2, 3].map((index) => `${letter}${index}`);

/** Contents whose references all lead somewhere; some resources are such that the client refuses them. */
function contents(badness: fc.Arbitrary<boolean>): fc.Arbitrary<Contents> {
  const revision = fc.integer({ min: 0, max: 2 });
  return fc
    .record({
      clusters: fc.dictionary(fc.constantFrom(...names('c')), fc.record({ revision, bad: badness }), { minKeys: 1 }),
      routes: fc.dictionary(fc.constantFrom(...names('r')), fc.record({ revision, bad: badness, to: fc.nat() })),
      listeners: fc.dictionary(
        fc.constantFrom(...names('l')),
        fc.record({ revision, bad: badness, to: fc.nat(), byRoute: fc.boolean() }),
      ),
      endpoints: revision,
    })
    .map(({ clusters, routes, listeners, endpoints }) => {
      const clusterNames = Object.keys(clusters);
      const routeNames = Object.keys(routes);
      const pick = (from: string[], at: number): string => from[at % from.length] ?? '';
      return {
        clusters: mapValues(clusters, (body) => ({ clusters: [], ...body })),
        endpoints: Object.fromEntries(clusterNames.map((name) => [name, { clusters: [], revision: endpoints }])),
        routes: mapValues(routes, ({ to, ...body }) => ({ clusters: [pick(clusterNames, to)], ...body })),
        listeners: mapValues(listeners, ({ to, byRoute, ...body }) =>
          byRoute && routeNames.length > 0
            ? { clusters: [], route: pick(routeNames, to), ...body }
            : { clusters: [pick(clusterNames, to)], ...body },
        ),
      };
    });
}

function mapValues<From>(from: Record<string, From>, change: (value: From) => Body): Record<string, Body> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value)]));
}

type Act =
  | { readonly act: 'publish'; readonly contents: Contents }
  | { readonly act: 'server-reads' | 'client-reads' | 'settle' | 'reconnect' | 'drain' }
  | { readonly act: 'narrow'; readonly narrow: boolean }
  | { readonly act: 'ask-again' | 'unsubscribe-under-wildcard'; readonly type: TypeUrl; readonly name: string }
  | { readonly act: 'stale'; readonly type: TypeUrl };

function perform(act: Act, client: ModelClient, publish: (contents: Contents) => void): void {
  switch (act.act) {
    case 'publish':
      publish(act.contents);
      return;
    case 'server-reads':
      client.serverReads();
      return;
    case 'client-reads':
      client.clientReads();
      return;
    case 'settle':
      client.settle();
      return;
    case 'reconnect':
      client.reconnect();
      return;
    case 'drain':
      client.drain();
      return;
    case 'narrow':
      client.setNarrow(act.narrow);
      return;
    case 'ask-again':
      client.askAgain(act.type, act.name);
      return;
    case 'unsubscribe-under-wildcard':
      client.unsubscribeUnderWildcard(act.type, act.name);
      return;
    case 'stale':
      client.sendStale(act.type);
      return;
  }
}

const anyType = fc.constantFrom(clusterType, endpointType, listenerType, routeType);
const anyName = fc.constantFrom(...names('c'), ...names('l'), ...names('r'));
const seldomBad = fc.integer({ min: 0, max: 11 }).map((chance) => chance === 0);

const anyAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('publish' as const), contents: contents(seldomBad) }) },
  { weight: 24, arbitrary: fc.record({ act: fc.constantFrom('server-reads' as const, 'client-reads' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constantFrom('settle' as const, 'reconnect' as const, 'drain' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('narrow' as const), narrow: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('ask-again' as const), type: anyType, name: anyName }) },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('unsubscribe-under-wildcard' as const),
      type: fc.constantFrom(clusterType, listenerType),
      name: anyName,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('stale' as const), type: anyType }) },
);

for (const variant of ['delta', 'sotw'] as const) {
  test(`whatever happens, a ${variant} client never holds a listener whose cluster it lacks, is never told twice, and ends with the newest snapshot`, () => {
    fc.assert(
      fc.property(fc.array(anyAct, { maxLength: 60 }), contents(fc.constant(false)), (acts, last) => {
        const publisher = new Publisher({ resolve: () => 'group' });
        let previous: Snapshot | undefined;
        const publish = (next: Contents): void => {
          previous = snapshotOf(next, previous);
          publisher.publish('group', previous);
        };
        const client = new ModelClient(publisher, variant);
        for (const act of acts) {
          perform(act, client, publish);
          assertCoherent(publisher);
        }
        client.settle();
        publish(last);
        client.settle();
        client.assertHolds(publisher.current('group') ?? snapshotOf({}));
        assertInStep(publisher);
      }),
      { numRuns: Number(process.env['RUNS'] ?? 400), includeErrorInReport: true },
    );
  });
}
