import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changes, type Revision } from '../../../src/control/rollout/reach.ts';
import type { ExtraResource } from '../../../src/policy/policy.types.ts';
import { door, policy } from '../../support/policies.ts';
import { groups, revision } from './small-fleet.ts';

const fleet = (...nodes: readonly (typeof groups)[number][]) => ({ ...policy().fleet, groups: nodes });
const [egress, host] = groups;
assert.ok(egress && host);
const proxy = [door({ tls: true })];

const own = (filename: string): ExtraResource => ({
  json: {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
    name: 'own',
    tls_certificate: { certificate_chain: { filename }, private_key: { filename: 'own.key' } },
  },
  place: () => ({ file: 'own.yaml', line: 1, column: 1 }),
});

/** Before, after → whether any node that both know gets anything else. */
const cases: Readonly<Record<string, readonly [before: Revision, after: Revision, changes: boolean]>> = {
  nothing: [revision('a'), revision('b'), false],
  'another key in a certificate': [revision('a'), revision('b', { key: 'NEW' }), false],
  'another port': [revision('a'), revision('b', { port: 4000 }), true],
  'another list of hosts': [
    revision('a'),
    revision('b', { console: { ...policy().console, resolvers: [{ host: '10.0.0.2', port: 53 }] } }),
    true,
  ],
  'what the sink withholds': [
    revision('a'),
    revision('b', { record: { ...policy().record, redactQuery: ['code'] } }),
    false,
  ],
  'a certificate of the user’s own, which is a file on the Envoy’s host': [
    revision('a', { resources: [own('old.crt')] }),
    revision('b', { resources: [own('new.crt')] }),
    true,
  ],
  'who may come in with a password': [
    revision('a', { doors: [door({ users: { kind: 'basic', accounts: new Map() } })] }),
    revision('b', {
      doors: [
        door({
          users: {
            kind: 'basic',
            accounts: new Map([
              ['taro', { cost: { ln: 15, r: 8, p: 1 }, salt: new Uint8Array(16), hash: new Uint8Array(32) }],
            ]),
          },
        }),
      ],
    }),
    false,
  ],
  'a name in the certificate of a proxy': [
    revision('a', { doors: proxy, fleet: fleet({ ...egress, nodes: [{ id: 'egress-1', address: 'one.example' }] }) }),
    revision('b', { doors: proxy, fleet: fleet({ ...egress, nodes: [{ id: 'egress-1', address: 'two.example' }] }) }),
    true,
  ],
  'a node more': [
    revision('a', { fleet: fleet(egress) }),
    revision('b', { fleet: fleet({ ...egress, nodes: [...egress.nodes, { id: 'egress-3' }] }) }),
    false,
  ],
  'a node less': [
    revision('a'),
    revision('b', { fleet: fleet({ ...egress, nodes: egress.nodes.slice(1) }, host) }),
    false,
  ],
  'another address to dial from': [
    revision('a'),
    revision('b', {
      fleet: fleet({ ...egress, nodes: [{ id: 'egress-1', source: '10.0.0.5' }, { id: 'egress-2' }] }, host),
    }),
    true,
  ],
  'a door on a group of a pattern': [
    revision('a'),
    revision('b', { doors: [door(), door({ name: 'side', on: 'host', kind: 'sidecar' })] }),
    true,
  ],
  'another pattern': [
    revision('a'),
    revision('b', { fleet: fleet(egress, { ...host, pattern: { match: 'box-*', max: 9 } }) }),
    true,
  ],
  'more nodes of a pattern': [
    revision('a'),
    revision('b', { fleet: fleet(egress, { ...host, pattern: { match: 'host-*', max: 99 } }) }),
    false,
  ],
};
for (const [name, [before, after, expected]] of Object.entries(cases)) {
  test(`${name} is ${expected ? 'a' : 'no'} change to the nodes`, () => {
    assert.equal(changes(before, after), expected);
  });
}

test('a node that is not fit for doors is reached by what is left without them', () => {
  const [a, b] = [revision('a'), revision('b', { port: 4000 })];
  const content = ({ plan }: Revision, fit: boolean) => plan.contentOf(plan.keyOf('egress-1', fit) ?? '');
  assert.notEqual(content(a, true), content(b, true));
  assert.equal(content(a, false), content(b, false));
});
