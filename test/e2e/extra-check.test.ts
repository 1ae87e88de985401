import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cluster, extensionConfig, filter, hcm, listener, routes, secret } from '../control/extra/yaml.ts';
import { policyWith } from '../support/extra-files.ts';
import { sekisho } from '../support/sekisho.ts';

const ads = 'config_source: {ads: {}, resource_api_version: V3}';
const tlsContext = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sekisho-extra-'));
  await mkdir(join(dir, 'extra'));
  await writeFile(join(dir, 'sekisho.yaml'), policyWith('[extra/*.yaml, {files: [free.yaml], unrecorded: health}]'));
  await writeFile(
    join(dir, 'free.yaml'),
    listener(
      'free',
      9,
      filter('envoy.extensions.filters.network.direct_response.v3.Config', 'response: {inline_string: ok}'),
    ),
  );
});
after(() => rm(dir, { recursive: true }));

const check = async (documents: readonly string[]) => {
  await writeFile(join(dir, 'extra', 'a.yaml'), documents.join('---\n'));
  return sekisho(['check'], { cwd: dir });
};

/** Certificates in files that lie on the Envoys' hosts alone, routes and a filter that come by themselves. */
const everything = [
  listener(
    'site',
    4000,
    hcm(`rds: {route_config_name: site, ${ads}}`).replace(
      'http_filters: [',
      `http_filters: [{name: late, config_discovery: {${ads}, type_urls: [type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua]}}, `,
    ),
  ).replace(
    'filter_chains: [{',
    `filter_chains: [{transport_socket: {name: t, typed_config: {"@type": type.googleapis.com/${tlsContext}, common_tls_context: {tls_certificate_sds_secret_configs: [{name: site, sds_config: {ads: {}, resource_api_version: V3}}]}}}, `,
  ),
  routes('site', 'route: {cluster: own}'),
  cluster('own', 'connect_timeout: 1s'),
  extensionConfig('late', 'envoy.extensions.filters.http.lua.v3.Lua, default_source_code: {inline_string: "x = 1"}'),
  secret(
    'site',
    'tls_certificate: {certificate_chain: {filename: /on/its/host.crt}, private_key: {filename: /on/its/host.key}}',
  ),
];

test('check asks a real Envoy of the extra resources, too, and tells who leaves no record', async () => {
  const { code, stdout } = await check(everything);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^sekisho\.yaml: good — 2 doors, \d+ hosts, 6 extra resources, accepted by Envoy 1\.\d+\.\d+\n/);
  assert.match(stdout, /\nwithout a record: listener free — health\n$/);
});

test('what only Envoy knows to be wrong is told in its words', async () => {
  const broken = everything.map((text) => text.replace('x = 1', 'x = = 1'));
  const { code, stdout } = await check(broken);
  assert.equal(code, 1);
  assert.match(stdout, /^sekisho\.yaml:1:1: Envoy refuses what group egress gets: [^\n]*script load error/m);
});

test('check, resources and serve name the place in the extra file and go no further', async () => {
  await check([cluster('console')]);
  for (const args of [['check'], ['resources', '--node', 'egress-1'], ['serve', '--pki', 'never', '--data', 'never']]) {
    const { code, stdout, stderr } = await sekisho(args, { cwd: dir });
    assert.equal(code, 1, args.join(' '));
    assert.match(stdout + stderr, /^extra\/a\.yaml:2:7: [^\n]+ — [^\n]+\n$/);
  }
});

test('resources shows what a node gets: the extra listeners with our loggers', async () => {
  await check(everything);
  const { code, stdout } = await sekisho(['resources', '--node', 'host-1', '-o', 'json'], { cwd: dir });
  assert.equal(code, 0);
  const logs = [...stdout.matchAll(/"log_name": "([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(logs.sort(), ['extra/site/connection', 'extra/site/http']);
});
