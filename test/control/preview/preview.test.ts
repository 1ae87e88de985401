import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preview, uncoveredNames, type PreviewJson } from '../../../src/control/preview/preview.ts';
import { previewText } from '../../../src/control/preview/preview-text.ts';
import { wouldPublish } from '../../../src/control/preview/published.ts';
import type { Policy } from '../../../src/policy/policy.types.ts';
import { authority } from '../../policy/certificates.ts';
import { door, hosts, policy } from '../../support/policies.ts';

const { fleet, console: rules, record } = policy();
const sidecar = door({ on: 'host', kind: 'sidecar', inspect: 'tunnel' });
const pattern = { name: 'host', nodes: [], pattern: { match: 'host-*', max: 9 } };
const egress = (...nodes: { id: string; source?: string }[]): Partial<Policy> => ({
  fleet: { ...fleet, groups: [{ name: 'egress', nodes }] },
});

interface Case {
  readonly before?: Partial<Policy>;
  readonly after: Partial<Policy>;
  readonly hosts?: readonly [before: readonly string[], after: readonly string[]];
  /** What the answer holds behind its first two lines. */
  readonly lines: readonly string[];
}

const pinned = (...addresses: string[]): Partial<Policy> => ({
  console: {
    ...rules,
    pins:
      addresses.length === 0
        ? []
        : [{ host: 'signin.aws.amazon.com', endpoints: addresses.map((host) => ({ host, port: 443 })) }],
  },
});

const cases: Readonly<Record<string, Case>> = {
  'another port of a door': {
    after: { doors: [door({ listen: { host: '127.0.0.1', port: 3999 } })] },
    lines: ['egress-1:', '  ~ Listener office/connect', '      address.socket_address.port_value: 3128 → 3999'],
  },
  'a host more: its certificate is issued anew, before what shows it': {
    hosts: [hosts, [...hosts, 'docs.aws.amazon.com']],
    after: {},
    lines: [
      'egress-1:',
      '  ~ Secret leaf/office (a certificate is issued anew)',
      '      tls_certificate.names[3]: + "docs.aws.amazon.com"',
      '  ~ Listener office/http',
      '      filter_chain_matcher.matcher_tree.exact_match_map.map[docs.aws.amazon.com]: + {"action":{"name":"console","typed_config":{"@type":"type.googleapis.com/google.protobuf.StringValu…',
      '  ~ RouteConfiguration office/connect',
      '      virtual_hosts[admitted].domains[3]: + "docs.aws.amazon.com:443"',
      '  ~ RouteConfiguration office/http',
      '      virtual_hosts[admitted].domains[6]: + "docs.aws.amazon.com"',
      '      virtual_hosts[admitted].domains[7]: + "docs.aws.amazon.com:443"',
    ],
  },
  'another address of a pin': {
    before: pinned('10.0.0.1'),
    after: pinned('10.0.0.2'),
    lines: [
      'egress-1:',
      '  ~ ClusterLoadAssignment pin/signin.aws.amazon.com',
      '      endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address: "10.0.0.1" → "10.0.0.2"',
    ],
  },
  'another node in the group: it gets all of it, the others nothing': {
    after: egress({ id: 'egress-1' }, { id: 'egress-2' }),
    lines: [
      'egress-2: new',
      '  + Secret leaf/office (a certificate is issued)',
      ...['Cluster console', 'Cluster console/http1', 'Cluster office/inside'].map((name) => `  + ${name}`),
      ...['Listener office/connect', 'Listener office/http'].map((name) => `  + ${name}`),
      ...['RouteConfiguration office/connect', 'RouteConfiguration office/http'].map((name) => `  + ${name}`),
    ],
  },
  'a node less': {
    before: egress({ id: 'egress-1' }, { id: 'egress-2' }),
    after: egress({ id: 'egress-1' }),
    lines: ['egress-2: not in the policy any more; refused, and keeps what it has'],
  },
  'another source of one node of three': {
    before: egress(
      { id: 'egress-1', source: '10.0.0.1' },
      { id: 'egress-2', source: '10.0.0.1' },
      { id: 'egress-3', source: '10.0.0.2' },
    ),
    after: egress(
      { id: 'egress-1', source: '10.0.0.1' },
      { id: 'egress-2', source: '10.0.0.2' },
      { id: 'egress-3', source: '10.0.0.2' },
    ),
    lines: [
      'egress-2:',
      ...['console', 'console/http1'].flatMap((name) => [
        `  ~ Cluster ${name}`,
        '      upstream_bind_config.source_address.address: "10.0.0.1" → "10.0.0.2"',
      ]),
    ],
  },
  'a node that a pattern admitted and that has a name now': {
    before: { fleet: { ...fleet, groups: [pattern] }, doors: [sidecar] },
    after: { fleet: { ...fleet, groups: [{ ...pattern, nodes: [{ id: 'host-1' }] }] }, doors: [sidecar] },
    lines: [],
  },
  'a door of a pattern': {
    before: { fleet: { ...fleet, groups: [pattern] }, doors: [sidecar] },
    after: {
      fleet: { ...fleet, groups: [{ ...pattern, pattern: { match: 'h*', max: 9 } }] },
      doors: [{ ...sidecar, listen: { host: '127.0.0.1', port: 1 } }],
    },
    lines: ['h*:', '  ~ Listener office/http', '      address.socket_address.port_value: 3128 → 1'],
  },
  'rules that no Envoy hears of': { after: { record: { ...record, redactQuery: ['x'] } }, lines: [] },
};
for (const [name, { before = {}, after, hosts: [old, now] = [hosts, hosts], lines }] of Object.entries(cases)) {
  test(`the answer to ${name}`, () => {
    const found = of(before, after, old, now);
    const head = [`--- sekisho.yaml (SHA-256 ${'a'.repeat(16)}…)`, `+++ sekisho.yaml (SHA-256 ${'b'.repeat(16)}…)`];
    const none = ['no change: sekisho.yaml gives every node what it has'];
    assert.deepEqual(previewText(found).split('\n'), [...(lines.length > 0 ? [...head, ...lines] : none), '']);
    assert.equal(found.changed, lines.length > 0);
  });
}

test('what is new comes before what refers to it, and what is gone after', () => {
  const order = (from: Partial<Policy>, to: Partial<Policy>): string[] =>
    of(from, to).groups[0]?.changes.map(({ act, type }) => `${act} ${type}`) ?? [];
  const come = order({}, pinned('10.0.0.1'));
  assert.deepEqual([...new Set(come)], ['added Cluster', 'added ClusterLoadAssignment', 'changed RouteConfiguration']);
  const gone = order(pinned('10.0.0.1'), {});
  assert.deepEqual(
    [...new Set(gone)],
    ['changed RouteConfiguration', 'removed Cluster', 'removed ClusterLoadAssignment'],
  );
});

test('of one node is told what that node gets, whoever else gets something; of a stranger nothing', () => {
  const before = egress({ id: 'egress-1' }, { id: 'egress-2', source: '10.0.0.1' });
  const after = { ...before, ...pinned('10.0.0.9') };
  assert.deepEqual(
    of(before, after, hosts, hosts, 'egress-2').groups.map(({ nodes }) => nodes),
    [['egress-2']],
  );
  assert.deepEqual(
    of(before, after).groups.map(({ nodes }) => nodes),
    [['egress-1'], ['egress-2']],
  );
  assert.equal(preview(wouldPublish(policy(), hosts), wouldPublish(policy(), hosts), [], 'stranger'), undefined);
});

test('an authority of people is told by subject and fingerprint, and no key or certificate is in an answer', () => {
  const people = { kind: 'certificate', authorities: authority } as const;
  const found = of({ doors: [door({ tls: true })] }, { doors: [door({ tls: true, users: people })] });
  const text = JSON.stringify([found, wouldPublish(policy({ doors: [door({ tls: true, users: people })] }), hosts)]);
  assert.match(text, /CN=Test authority \(SHA-256 [0-9a-f]{64}\)/);
  assert.doesNotMatch(text, /BEGIN|PRIVATE|private_key/);
});

test('a service whose CA does not cover a name would refuse the policy', () => {
  const from = {
    ...wouldPublish(policy(), hosts),
    constraints: { hosts: ['aws.amazon.com'], addresses: ['10.0.0.1'] },
  };
  assert.deepEqual(uncoveredNames(from, ['x.aws.amazon.com', '*.example.com'], ['10.0.0.1', '10.0.0.2']), [
    '*.example.com',
    '10.0.0.2',
  ]);
  assert.deepEqual(uncoveredNames(wouldPublish(policy(), hosts), ['*.example.com'], []), []);
});

function of(
  before: Partial<Policy>,
  after: Partial<Policy>,
  old: readonly string[] = hosts,
  now: readonly string[] = hosts,
  only?: string,
): PreviewJson {
  const from = wouldPublish(policy({ sha256: 'a'.repeat(64), ...before }), old);
  const to = wouldPublish(policy({ sha256: 'b'.repeat(64), ...after }), now);
  return preview(from, to, [], only) ?? assert.fail('nobody has that node');
}
