import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preview, type PreviewJson } from '../../../src/control/preview/preview.ts';
import { wouldPublish } from '../../../src/control/preview/published.ts';
import { typeUrls } from '../../../src/control/resources/types.ts';
import { shortType } from '../../../src/control/xds/type-urls.ts';
import { hosts } from '../../support/policies.ts';
import { loadWith, policyWith } from '../../support/extra-files.ts';
import { cluster, endpoints, extensionConfig, listener, routes, secret } from '../extra/yaml.ts';

const lua = 'envoy.extensions.filters.http.lua.v3.Lua';
const withKey = (file: string) =>
  secret('site', `tls_certificate: {certificate_chain: {filename: /c}, private_key: {filename: ${file}}}`);
/** One of each type. */
const site = [
  secret('token', 'generic_secret: {secret: {filename: /etc/token}}'),
  routes('site', 'route: {cluster: site}'),
  listener('site', 4000),
  extensionConfig('late', `${lua}, default_source_code: {inline_string: "-- nothing"}`),
  endpoints('site'),
  cluster('site', 'type: EDS\neds_cluster_config: {eds_config: {ads: {}, resource_api_version: V3}}'),
];

test('resources of the user’s own are told as ours are: what is referred to comes first and goes last', async () => {
  const [come, gone] = [await between([], site), await between(site, [])];
  assert.deepEqual(acts(come), [
    '+ Secret token',
    '+ Cluster site',
    '+ ClusterLoadAssignment site',
    '+ TypedExtensionConfig late',
    '+ Listener site',
    '+ RouteConfiguration site',
  ]);
  assert.deepEqual(acts(gone), [
    '- Listener site',
    '- RouteConfiguration site',
    '- TypedExtensionConfig late',
    '- Cluster site',
    '- ClusterLoadAssignment site',
    '- Secret token',
  ]);
  const types = new Set(come.groups[0]?.changes.map(({ type }) => type));
  assert.deepEqual([...types].sort(), Object.values(typeUrls).map(shortType).sort(), 'every type that a node may get');
});

const changes: [what: string, before: string, after: string, line: string][] = [
  ['a port', listener('site', 4000), listener('site', 4001), 'address.socket_address.port_value: 4000 → 4001'],
  [
    'the file of a key, in a certificate that nobody here issues',
    withKey('/a'),
    withKey('/b'),
    'tls_certificate.private_key.filename: "/a" → "/b"',
  ],
  [
    'a program, in words that Sekisho itself never writes',
    extensionConfig('late', `${lua}, default_source_code: {inline_string: a}`),
    extensionConfig('late', `${lua}, defaultSourceCode: {inlineString: b}`),
    'typed_config.default_source_code.inline_string: "a" → "b"',
  ],
  [
    'bytes that are no secret',
    routes('site', 'direct_response: {status: 200, body: {inline_bytes: YQ==}}'),
    routes('site', 'direct_response: {status: 200, body: {inline_bytes: Yg==}}'),
    'virtual_hosts[v].routes[0].direct_response.body.inline_bytes: "YQ==" → "Yg=="',
  ],
];
for (const [what, before, after, line] of changes) {
  test(`a change of a file of resources is told by its field: ${what}`, async () => {
    const { groups, from, to } = await between([before], [after]);
    assert.equal(from.sha256, to.sha256, 'the policy file itself is the same');
    const fields = groups.flatMap((group) => group.changes).map(({ act, issued, fields }) => ({ act, issued, fields }));
    const [path = '', values = ''] = line.split(': ');
    const [old, now] = values.split(' → ').map((text) => JSON.parse(text) as unknown);
    const told = { act: 'changed', issued: false, fields: [{ path, old, new: now }] };
    assert.deepEqual(
      fields,
      groups.map(() => told),
    );
    assert.deepEqual(
      groups.map(({ nodes }) => nodes),
      [['egress-1'], ['host-*']],
    );
  });
}

test('files for one group are told of its nodes alone; another way of writing them is no change', async () => {
  const { groups } = await between([], [cluster('site')], ', on: host');
  assert.deepEqual(
    groups.map(({ nodes, changes: [one] }) => [...nodes, one?.name]),
    [['host-*', 'site']],
  );
  const same = await between([cluster('site', 'connect_timeout: 1s')], [cluster('site', 'connectTimeout: "1s"')]);
  assert.equal(same.changed, false);
});

function acts({ groups: [first] }: PreviewJson): string[] {
  const signs = { added: '+', changed: '~', removed: '-' };
  return (first?.changes ?? []).map(({ act, type, name }) => `${signs[act]} ${type} ${name}`);
}

async function between(before: readonly string[], after: readonly string[], notes = ''): Promise<PreviewJson> {
  const [from, to] = [await publishedOf(before, notes), await publishedOf(after, notes)];
  return preview(from, to, []) ?? assert.fail('no nodes');
}

async function publishedOf(documents: readonly string[], notes: string) {
  const entries = documents.length === 0 ? '[]' : `[{files: [x.yaml]${notes}}]`;
  const loaded = await loadWith(policyWith(entries), { '/etc/sekisho/x.yaml': documents.join('---\n') });
  assert.ok('policy' in loaded, JSON.stringify(loaded));
  return wouldPublish(loaded.policy, hosts);
}
