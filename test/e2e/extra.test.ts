import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  cluster,
  endpoints,
  extensionConfig,
  filter,
  hcm,
  listener,
  routes,
  tcpProxyType,
} from '../control/extra/yaml.ts';
import { eventually, get } from '../support/envoy.ts';
import { openHouse, type House } from '../support/house.ts';
import { line } from '../support/sekisho.ts';

const ads = 'config_source: {ads: {}, resource_api_version: V3}';

let house: House;
before(async () => {
  house = await openHouse();
  await house.writeFile('extra-site.yaml', site('first'));
  await house.writeFile('free.yaml', listener('free', 4001, hcm(), house.address));
  await house.reload((policy) => {
    policy.resources = ['extra-*.yaml', { files: ['free.yaml'], unrecorded: 'the load balancer asks twice a second' }];
  });
  await eventually('both listeners answer', async () => {
    return [await said('/'), await get(at(4001)).then(({ status }) => status, no)].join() === 'first,200';
  });
});
after(() => house.close());

/** A listener that answers with a word, and passes what asks for /fleet to the administration of Sekisho. Its routes, endpoints and a filter come by themselves. */
function site(word: string): string {
  const answer = `direct_response: {status: 200, body: {inline_string: ${word}}}`;
  const late = `{name: late, config_discovery: {${ads}, type_urls: [type.googleapis.com/${lua}]}}`;
  const manager = hcm(`rds: {route_config_name: site, ${ads}}`).replace('http_filters: [', `http_filters: [${late}, `);
  return [
    listener('site', 4000, manager, house.address),
    routes('site', answer).replace('routes: [', 'routes: [{match: {path: /fleet}, route: {cluster: own}}, '),
    cluster(
      'own',
      'connect_timeout: 1s\ntype: EDS\neds_cluster_config: {eds_config: {ads: {}, resource_api_version: V3}}',
    ),
    endpoints('own').replace(
      '[]',
      `[{lb_endpoints: [{endpoint: {address: {socket_address: {address: ${house.address}, port_value: 18080}}}}]}]`,
    ),
    extensionConfig('late', `${lua}, default_source_code: {inline_string: ${JSON.stringify(program)}}`),
  ].join('---\n');
}

const lua = 'envoy.extensions.filters.http.lua.v3.Lua';
const program = `function envoy_on_request(handle)
  if handle:headers():get(":path") == "/late" then handle:respond({[":status"] = "200"}, "by a filter") end
end`;

test('requests at an extra listener are on record under its name, beside those of the doors, and as redacted', async () => {
  assert.equal((await get(at(4000, '/fleet?code=s3cret&x=1'))).status, 200);
  const record = await house.record({ 'url.path': '/fleet' });
  const seen = [
    'sekisho.door',
    'sekisho.log',
    'sekisho.kind',
    'url.query',
    'sekisho.upstream.cluster',
    'client.address',
  ];
  assert.deepEqual(
    seen.map((name) => record[name]),
    ['extra/site', 'extra/site/http', 'http', 'code=REDACTED&x=1', 'own', '127.0.0.1'],
  );
  assert.equal(await said('/late'), 'by a filter');
  await house.record({ 'url.path': '/late', 'sekisho.door': 'extra/site' });
  const url = 'https://us-east-1.console.aws.amazon.com/console/home';
  assert.equal((await house.visitor().request({ url })).status, 200);
  await house.record({ 'url.path': '/console/home', 'sekisho.door': 'lab' });
});

test('a listener that says why leaves no record, and the log of the service names it with the reason', async () => {
  await line(house.log, /an extra listener leaves no record.*twice a second/);
  assert.equal((await get(at(4001, '/unseen'))).status, 200);
  assert.equal((await get(at(4000, '/seen-after'))).status, 200);
  await house.record({ 'url.path': '/seen-after' });
  // Each logger of Envoy flushes once a second; the other one would have been first.
  assert.deepEqual(
    house.records.filter((record) => record['url.path'] === '/unseen' || record['network.local.port'] === 4001),
    [],
  );
});

test('a changed file is taken over, and so is a new one that fits the pattern', async () => {
  await house.writeFile('extra-site.yaml', site('second'));
  await eventually('the changed answer', async () => (await said('/')) === 'second');
  const through = filter(tcpProxyType, 'stat_prefix: through, cluster: own');
  const strict = listener('strict', 4003, hcm(), house.address).replace(
    '[{',
    '[{filter_chain_match: {server_names: [a.test]}, ',
  );
  await house.writeFile('extra-tcp.yaml', `${listener('through', 4002, through, house.address)}---\n${strict}`);
  await eventually('the new listener', () => get(at(4002, '/fleet')).then(({ status }) => status === 200, no));
  const record = await house.record({ 'sekisho.log': 'extra/through/tcp' });
  assert.deepEqual([record['sekisho.kind'], record['sekisho.door']], ['tcp', 'extra/through']);

  const refused = createConnection({ host: house.address, port: 4003 });
  await once(refused, 'close');
  const unserved = await house.record({ 'sekisho.log': 'extra/strict/connection' });
  assert.deepEqual([unserved['sekisho.kind'], unserved['sekisho.denied.reason']], ['connection', 'no_filter_chain']);
});

test('one bad file changes nothing, says where it is bad, and the next good state holds', async () => {
  const before = await running();
  const bad: [content: string, said: RegExp][] = [
    [cluster('lab/inside'), /extra-bad\.yaml:2:7: Sekisho has a Cluster of the name/],
    [cluster('x', 'nope: 1'), /extra-bad\.yaml:3:1: Cluster has no field/],
    ['name: [', /extra-bad\.yaml:1:\d+: /],
    [listener('x', 3128, hcm(), house.address), /extra-bad\.yaml:3:\d+: .*3128 is taken/],
    [
      listener('x', 4009, filter('envoy.extensions.filters.network.echo.v3.Echo'), house.address),
      /extra-bad\.yaml:4:\d+: this filter chain ends in a filter that records nothing/,
    ],
  ];
  for (const [content, said_] of bad) {
    const from = house.log.length;
    await house.writeFile('extra-bad.yaml', content);
    await line(house.log, /the changed policy is not used; the last good one holds/, from);
    await line(house.log, said_, from);
    assert.equal(await running(), before);
    assert.equal(await said('/'), 'second');
  }
  const from = house.log.length;
  await rm(join(house.dir, 'extra-bad.yaml'));
  await rm(join(house.dir, 'extra-tcp.yaml'));
  await line(house.log, /"message":"policy reloaded/, from);
  await eventually('the listener is gone', () => get(at(4002)).then(no, () => true));
  assert.equal(await said('/'), 'second');
});

function at(port: number, path = '/'): string {
  return `http://${house.address}:${port}${path}`;
}

async function said(path: string): Promise<string> {
  return get(at(4000, path)).then(({ body }) => body, String);
}

async function running(): Promise<string> {
  const { nodes } = JSON.parse(await house.fleet()) as { nodes: { running: string }[] };
  return nodes[0]?.running ?? '';
}

function no(): false {
  return false;
}
