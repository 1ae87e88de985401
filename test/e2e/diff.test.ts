import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FleetJson } from '../../src/control/fleet/fleet.types.ts';
import type { PreviewJson } from '../../src/control/preview/preview.ts';
import { cluster, extensionConfig, hcm, listener } from '../control/extra/yaml.ts';
import { eventually } from '../support/envoy.ts';
import { nodeId, openHouse, type House } from '../support/house.ts';
import { sekisho } from '../support/sekisho.ts';

const newHost = 'docs.aws.amazon.com';

let house: House;
before(async () => {
  house = await openHouse({ futureHosts: [newHost] });
});
after(() => house.close());

test('the policy that the service runs by changes nothing, whoever is asked: its certificates are not issued anew', async () => {
  for (const more of [[], ['--node', nodeId]]) {
    const { code, stdout, stderr } = await diff(house.policyFile, ...more);
    assert.deepEqual([code, stdout, stderr], [0, `no change: ${house.policyFile} gives every node what it has\n`, '']);
  }
});

test('what is told of a changed policy is what its publication then changes', async () => {
  const next = await changedPolicy((text) => text.replace(/also: \[\]/, `also: [${newHost}]`));
  const table = await diff(next);
  assert.equal(table.code, 1, table.stderr);
  assert.match(table.stdout, new RegExp(`^--- ${house.policyFile} .*\\n\\+\\+\\+ ${next} .*\\n${nodeId}:\\n`));
  assert.match(
    table.stdout,
    /\n {2}~ Secret leaf\/lab \(a certificate is issued anew\)\n {6}tls_certificate\.names\[\d+\]: \+ "docs/,
  );
  const { code, stdout } = await diff(next, '-o', 'json', '--node', nodeId);
  assert.equal(code, 1);
  const told = JSON.parse(stdout) as PreviewJson;
  const names = told.groups[0]?.changes.map(({ type, name }) => `${type} ${name}`).sort();
  assert.doesNotMatch(stdout, /BEGIN|PRIVATE/);

  const before = house.records.length;
  await house.reload(({ console: { also } }) => void also.push(newHost));
  await eventually('the publication is on record', () =>
    Promise.resolve(house.records.slice(before).some((one) => one['sekisho.control.act'] === 'published')),
  );
  const published = house.records.slice(before).find((one) => one['sekisho.control.act'] === 'published');
  assert.deepEqual([...(published?.['sekisho.control.changed'] as string[])].sort(), names);
  assert.equal((await diff(house.policyFile)).code, 0);
  assert.match(await house.fleet(), new RegExp(String(published?.['sekisho.control.version'])));
});

test('resources of the user’s own are a part of it, asked against the service or against a file, and then of what is published', async () => {
  await house.writeFile('extra-site.yaml', site(4000));
  const next = await changedPolicy((text) => `${text}resources: [extra-site.yaml]\n`);
  const told = await diff(next);
  const lines = ['+ Cluster site', '+ TypedExtensionConfig late', '+ Listener site'];
  assert.deepEqual([told.code, told.stdout.split('\n').slice(2)], [1, [`${nodeId}:`, ...lines.map(indented), '']]);
  const files = await diff(next, '--against', house.policyFile, '--admin', 'http://127.0.0.1:1');
  assert.equal(files.stdout, told.stdout);

  const before = house.records.length;
  await house.reload((policy) => void (policy.resources = ['extra-site.yaml']));
  await eventually('the publication is on record', () =>
    Promise.resolve(house.records.slice(before).some((one) => one['sekisho.control.act'] === 'published')),
  );
  const published = house.records.slice(before).find((one) => one['sekisho.control.act'] === 'published');
  assert.deepEqual(
    published?.['sekisho.control.added'],
    lines.map((line) => line.slice(2)),
  );
  assert.equal((await diff(house.policyFile)).code, 0);

  await house.writeFile('next-site.yaml', site(4001));
  const other = await changedPolicy((text) => text.replace('extra-site.yaml', 'next-site.yaml'));
  assert.deepEqual((await diff(other)).stdout.split('\n').slice(2), [
    `${nodeId}:`,
    indented('~ Listener site'),
    '      address.socket_address.port_value: 4000 → 4001',
    '',
  ]);
});

test('a policy that the console CA does not cover is told to be refused', async () => {
  const next = await changedPolicy((text) => text.replace(newHost, 'stranger.example.com'));
  const { code, stderr, stdout } = await diff(next);
  assert.equal(code, 1);
  assert.match(stdout, /stranger\.example\.com/);
  assert.match(stderr, /would refuse this policy: .*does not cover stranger\.example\.com — run sekisho ca init/);
});

test('two files are compared without a service', async () => {
  const next = await changedPolicy((text) => text.replace(/^ {2}- name: office\n(?: {4}.*\n)+/m, ''));
  const against = ['--against', house.policyFile, '--admin', 'http://127.0.0.1:1'];
  const { code, stdout } = await diff(next, ...against);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /:\n( {2}- Listener .*\n){2}( {2}- RouteConfiguration .*\n){2} {2}- Cluster office\/inside\n( {2}- Secret .*\n){3}$/,
  );
  assert.equal((await diff(house.policyFile, ...against)).code, 0);
});

test('what cannot be compared says why: no service, a bad policy, a node of nobody', async () => {
  const nobody = await diff(house.policyFile, '--admin', 'http://127.0.0.1:1');
  assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
  assert.match(nobody.stderr, /no answer from .*--admin/);
  const bad = await changedPolicy((text) => text.replace('kind: forward', 'kind: foward'));
  for (const [file, ...args] of [[bad], [house.policyFile, '--against', bad]]) {
    const { code, stdout, stderr } = await diff(file ?? '', ...args);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /next\.yaml:\d+:\d+: /);
  }
  const stranger = await diff(house.policyFile, '--node', 'stranger');
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /knows no node stranger/);
});

test('the fleet never noticed', async () => {
  assert.equal((JSON.parse(await house.fleet()) as FleetJson).healthy, true);
});

/** A listener at this port that passes what comes through a filter of Lua to a cluster of its own. */
function site(port: number): string {
  const lua = 'envoy.extensions.filters.http.lua.v3.Lua';
  const source = 'config_source: {ads: {}, resource_api_version: V3}';
  const late = `{name: late, config_discovery: {${source}, type_urls: [type.googleapis.com/${lua}]}}`;
  const to =
    'route_config: {virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: site}}]}]}';
  return [
    listener('site', port, hcm(to).replace('http_filters: [', `http_filters: [${late}, `), house.address),
    cluster('site'),
    extensionConfig('late', `${lua}, default_source_code: {inline_string: "-- nothing"}`),
  ].join('---\n');
}

function indented(line: string): string {
  return `  ${line}`;
}

function diff(file: string, ...more: string[]): ReturnType<typeof sekisho> {
  return sekisho(['diff', '-c', file, '--admin', `http://${house.address}:18080`, ...more]);
}

/** Another file beside the policy, which nobody watches. */
async function changedPolicy(change: (text: string) => string): Promise<string> {
  const text = await house.policyText();
  const changed = change(text);
  assert.notEqual(changed, text);
  await house.writeFile('next.yaml', changed);
  return join(house.dir, 'next.yaml');
}
