import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { extraProblems } from '../../../src/control/extra/extra-problems.ts';
import { unrecordedListeners, withExtras } from '../../../src/control/extra/with-extras.ts';
import { plan } from '../../../src/control/plan.ts';
import { nodeResources } from '../../../src/control/resources/node-resources.ts';
import type { Policy } from '../../../src/policy/policy.types.ts';
import { hosts } from '../../support/policies.ts';
import { loadWith, policyWith } from '../../support/extra-files.ts';
import { cluster, endpoints, filter, hcm, listener, routes, secret, tcpProxyType } from './yaml.ts';

const pair = { certificateChain: 'CERTIFICATE', privateKey: 'KEY' };

async function policyOf(documents: readonly string[], notes = ''): Promise<Policy> {
  const loaded = await loadWith(policyWith(`[{files: [x.yaml]${notes}}]`), {
    '/etc/sekisho/x.yaml': documents.join('---\n'),
  });
  assert.ok('policy' in loaded, JSON.stringify(loaded));
  return loaded.policy;
}

function factsOf(policy: Policy, group = 'egress') {
  const keys = new Map(policy.doors.map(({ name }) => [name, { leaf: pair }]));
  return { policy, hosts, group, keys };
}

/** Names of ours and of nobody, under which the user may try to bring something. */
const name = fc.constantFrom(
  'a',
  'b',
  'office/connect',
  'office/http',
  'lan/http',
  'console',
  'sekisho',
  'leaf/lan',
  'office/inside',
);
const port = fc.constantFrom(0, 1, 3128, 8443);
const document = fc.oneof(
  name.map((one) => cluster(one)),
  name.map(endpoints),
  fc.tuple(name, name).map(([one, to]) => routes(one, `route: {cluster: ${to}}`)),
  name.map((one) => secret(one, 'generic_secret: {}')),
  fc.tuple(name, port).map(([one, at]) => listener(one, at)),
  fc
    .tuple(name, port, name)
    .map(([one, at, to]) => listener(one, at, filter(tcpProxyType, `stat_prefix: s, cluster: ${to}`))),
);

test('whatever the user brings, it is refused, or all of ours is there as before and his own beside it', async () => {
  let passed = 0;
  const property = fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 4 }), async (documents) => {
    const policy = await policyOf(documents);
    const problems = extraProblems(policy);
    if (problems.length > 0) {
      assert.ok(problems.every(({ line, column }) => line >= 1 && column >= 1));
      return;
    }
    passed += 1;
    for (const group of ['egress', 'host']) {
      const facts = factsOf(policy, group);
      const ours = nodeResources(facts);
      const all = withExtras(facts);
      assert.deepEqual(all.slice(0, ours.length), ours);
      assert.equal(all.length, ours.length + documents.length);
    }
    const without = plan({ ...factsOf({ ...policy, resources: [] }) });
    const merged = plan({ ...factsOf(policy) });
    for (const [key, snapshot] of without.snapshots) {
      for (const [type, resources] of snapshot.types) {
        for (const [of, { version }] of resources) {
          assert.equal(merged.snapshots.get(key)?.types.get(type)?.get(of)?.version, version, `${key} ${type} ${of}`);
        }
      }
    }
  });
  await fc.assert(property, { numRuns: 300 });
  assert.ok(passed > 20, `${passed} passed`);
});

type Log = { typed_config: { common_config: { log_name: string } }; filter?: unknown };
type Config = { '@type': string; access_log?: Log[] };
type Listener = {
  access_log?: Log[];
  filter_chains: { filters: { typed_config: Config }[] }[];
  default_filter_chain?: { filters: { typed_config: Config }[] };
};

const mixed = [
  cluster('own'),
  listener('a', 1, `${filter('envoy.extensions.filters.network.rbac.v3.RBAC', 'stat_prefix: r')}, ${hcm()}`)
    .replace('stat_prefix: s', 'stat_prefix: s, accessLog: [{name: mine}]')
    .concat(
      `defaultFilterChain: {filters: [${filter(tcpProxyType, 'stat_prefix: s, cluster: own')}]}\naccess_log: [{name: mine}]\n`,
    ),
];

test('each HTTP connection manager and TCP proxy gets our logger before its own, and so does the listener', async () => {
  const all = withExtras(factsOf(await policyOf(mixed), 'host'));
  const made = all.find((one) => one['name'] === 'a') as unknown as Listener;
  const logNames = (logs: Log[] | undefined) =>
    logs?.map((log) => ('typed_config' in log ? log.typed_config.common_config.log_name : 'mine'));
  assert.deepEqual(logNames(made.access_log), ['extra/a/connection', 'mine']);
  const [chain] = made.filter_chains;
  assert.deepEqual(
    chain?.filters.map(({ typed_config: config }) => [config['@type'].split('.').at(-1), logNames(config.access_log)]),
    [
      ['RBAC', undefined],
      ['HttpConnectionManager', ['extra/a/http', 'mine']],
    ],
  );
  assert.deepEqual(logNames(made.default_filter_chain?.filters[0]?.typed_config.access_log), ['extra/a/tcp']);
  // What filters a logger has decide what it leaves out: ours of requests has none.
  assert.equal(chain.filters[1]?.typed_config.access_log?.[0]?.filter, undefined);
});

test('a listener that says why it leaves no record is as its author wrote it, and is told to those who review', async () => {
  const policy = await policyOf(mixed, ', unrecorded: "the load balancer asks twice a second"');
  const text = JSON.stringify(withExtras(factsOf(policy, 'host')).find((one) => one['name'] === 'a'));
  assert.doesNotMatch(text, /sekisho|extra\//);
  assert.deepEqual(unrecordedListeners(policy), [{ name: 'a', reason: 'the load balancer asks twice a second' }]);
  assert.deepEqual(unrecordedListeners(await policyOf(mixed)), []);
});

test('a resource is for its group alone', async () => {
  const policy = await policyOf([cluster('own')], ', on: host');
  const has = (group: string) => withExtras(factsOf(policy, group)).some((one) => one['name'] === 'own');
  assert.deepEqual([has('egress'), has('host')], [false, true]);
});

test('a node that is not fit for doors gets no extra listener either', async () => {
  const policy = await policyOf([listener('a', 1), cluster('own')]);
  const planned = plan(factsOf(policy));
  const named = (fit: boolean) => {
    const types = planned.snapshots.get(planned.keyOf('egress-1', fit) ?? '')?.types ?? new Map<string, never>();
    return [...types.values()].flatMap((resources: ReadonlyMap<string, unknown>) => [...resources.keys()]);
  };
  assert.ok(named(true).includes('a') && named(true).includes('own'));
  assert.ok(!named(false).includes('a') && named(false).includes('own'));
});

test('what nobody has judged is refused all the same when it would be published', async () => {
  for (const documents of [
    [listener('a', 1, filter('envoy.extensions.filters.network.echo.v3.Echo'))],
    [cluster('x', 'nope: 1')],
    [cluster('console')],
  ]) {
    const policy = await policyOf(documents);
    assert.throws(() => plan(factsOf(policy)), { code: 'resource_invalid' });
  }
  const dangling = await policyOf([listener('a', 1, hcm('rds: {route_config_name: gone, config_source: {ads: {}}}'))]);
  assert.throws(() => plan(factsOf(dangling)), { code: 'reference_missing' });
});
