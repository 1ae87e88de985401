import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { sekisho } from '../support/sekisho.ts';

let dir: string;
let policy: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sekisho-commands-'));
  policy = join(dir, 'sekisho.yaml');
  await writeFile(policy, good);
  const { code, stderr } = await run(
    'ca',
    'init',
    '-c',
    policy,
    '--pki',
    join(dir, 'pki'),
    '--offline',
    join(dir, 'offline'),
  );
  assert.equal(code, 0, stderr);
});
after(() => rm(dir, { recursive: true }));

const good = `fleet:
  name: tokyo
  egress: [51.44.71.80/32]
  nodes: { egress: [{ id: egress-1, address: 127.0.0.1, source: 127.0.0.1 }], host: { match: 'host-*', max: 5 } }
doors:
  - { name: office, on: egress, kind: forward, listen: 127.0.0.1:3128, tls: true, users: none }
console: { regions: [us-east-1] }
record: { assurance: stream }
server: { grpc: { listen: 127.0.0.1:18000 } }
`;

/** Three mistakes, each with the place where it stands. */
const bad = good
  .replace('kind: forward', 'kind: foward')
  .replace('on: egress', 'on: egres')
  .replace('regions: [us-east-1]', 'regions: [us-east-1], pinz: {}');

const run = (...args: string[]) => sekisho(args, { cwd: dir });

describe('commands', { concurrency: 3 }, () => {
  test('check of a good policy exits 0 and says that a real Envoy accepts it', async () => {
    const { code, stdout, stderr } = await run('check', '-c', policy);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^\S+sekisho\.yaml: good — 1 doors, \d+ hosts, accepted by Envoy 1\.\d+\.\d+\n$/);
  });

  test('check takes sekisho.yaml of the current folder, and SEKISHO_CONFIG', async () => {
    const here = await run('check', '--no-envoy');
    assert.match(here.stdout, /^sekisho\.yaml: good — 1 doors, \d+ hosts\n$/);
    const named = await sekisho(['check', '--no-envoy'], { env: { SEKISHO_CONFIG: policy } });
    assert.deepEqual([named.code, named.stdout.startsWith(policy)], [0, true]);
  });

  test('check of a bad policy exits 1 with a line for each mistake: file, line, column, what is wrong', async () => {
    const file = join(dir, 'bad.yaml');
    await writeFile(file, bad);
    const { code, stdout } = await run('check', '-c', 'bad.yaml');
    assert.equal(code, 1);
    const lines = stdout.trimEnd().split('\n');
    const places = bad.split('\n').flatMap((text, index) =>
      ['egres,', 'foward', 'pinz'].flatMap((word) => {
        const at = text.search(word === 'egres,' ? /egres\b/ : word);
        return at < 0 ? [] : [`bad.yaml:${index + 1}:${at + 1}: `];
      }),
    );
    assert.equal(places.length, 3);
    assert.equal(lines.length, 3, stdout);
    for (const place of places)
      assert.ok(
        lines.some((text) => text.startsWith(place)),
        `${place} in ${stdout}`,
      );
  });

  const needPolicy = [
    ['resources', '--node', 'egress-1'],
    ['bootstrap', '--node', 'egress-1'],
    ['ca', 'init', '--pki', 'never'],
    ['ca', 'node', 'egress-1', '--pki', 'never'],
    ['serve', '--pki', 'never', '--data', 'never'],
  ];
  for (const args of needPolicy) {
    test(`${args.join(' ')} with a bad policy exits 1 with the same lines on standard error, and makes nothing`, async () => {
      const file = join(dir, `bad-for-${args.slice(0, 2).join('-')}.yaml`);
      await writeFile(file, bad);
      const { code, stdout, stderr } = await run(...args, '-c', file);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, new RegExp(`^${file}:\\d+:\\d+: `, 'm'));
      await assert.rejects(stat(join(dir, 'never')));
    });
  }

  test('resources -o json is what the node gets, without any private key', async () => {
    const { code, stdout } = await run('resources', '--node', 'egress-1', '-o', 'json');
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /BEGIN|PRIVATE KEY/);
    const resources = JSON.parse(stdout) as { '@type': string; name?: string }[];
    const kinds = new Set(resources.map((resource) => resource['@type'].split('.').at(-1)));
    assert.deepEqual([...kinds].sort(), ['Cluster', 'Listener', 'RouteConfiguration', 'Secret']);
    assert.match(stdout, /"private_key": \{\s*"inline_string": "\(withheld\)"/);
    const yaml = await run('resources', '--node', 'egress-1');
    assert.deepEqual(parse(yaml.stdout), resources);
  });

  test('bootstrap says where Sekisho is and where the node keeps its files, and holds no key', async () => {
    const { code, stdout } = await run('bootstrap', '--node', 'host-7', '--node-pki', '/opt/pki', '-o', 'json');
    assert.equal(code, 0);
    const found = JSON.parse(stdout) as { node: unknown; admin: { address: { socket_address: unknown } } };
    assert.deepEqual(found.node, { id: 'host-7', cluster: 'tokyo' });
    assert.deepEqual(found.admin.address.socket_address, { address: '127.0.0.1', port_value: 9901 });
    assert.match(stdout, /"\/opt\/pki\/node\.key"/);
    assert.doesNotMatch(stdout, /BEGIN/);
  });

  test('a node that the policy does not know is exit code 1 everywhere, with what to do', async () => {
    for (const args of [
      ['resources', '--node', 'nobody'],
      ['bootstrap', '--node', 'nobody'],
      ['ca', 'node', 'nobody', '--pki', join(dir, 'pki'), '--offline', join(dir, 'offline')],
    ]) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, /^sekisho: sekisho\.yaml knows no node nobody — name it under fleet\.nodes\n$/);
    }
  });

  test('ca init again changes nothing, and its keys are for their owner alone', async () => {
    const pki = join(dir, 'pki');
    const contents = async () => Promise.all((await keysAndCertificates()).map((file) => readFile(file, 'utf8')));
    const before = await contents();
    const { code, stdout } = await run('ca', 'init', '--pki', pki, '--offline', join(dir, 'offline'));
    assert.equal(code, 0);
    for (const text of stdout.trimEnd().split('\n')) assert.match(text, /^kept +\S+\.(crt|key)$/);
    assert.deepEqual(await contents(), before);
    for (const file of await keysAndCertificates()) {
      if (file.endsWith('.key')) assert.equal((await stat(file)).mode & 0o077, 0, file);
    }
    // The roots' keys lie offline only.
    const online = (await readdir(pki)).filter((name) => name.endsWith('.key')).sort();
    assert.deepEqual(online, ['console-intermediate.key', 'server.key']);
  });

  test('ca node makes the folder that one Envoy needs; without the offline folder it exits 1 and says where to run it', async () => {
    const out = join(dir, 'for-egress-1');
    const made = await run('ca', 'node', 'egress-1', '--pki', 'pki', '--offline', 'offline', '--out', out);
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual((await readdir(out)).sort(), ['fleet-ca.crt', 'node.crt', 'node.key']);
    const without = await run('ca', 'node', 'egress-1', '--pki', 'pki', '--offline', 'elsewhere');
    assert.equal(without.code, 1);
    assert.match(without.stderr, /^sekisho: .*ca init.*--offline DIR/);
  });

  const wrong = [
    ['nonsense'],
    ['check', '--nonsense'],
    ['check', 'argument'],
    ['resources'],
    ['resources', '--node', 'egress-1', '-o', 'xml'],
    ['bootstrap', '--node', 'egress-1', '--envoy-admin', 'nowhere'],
    ['serve', '--roles', 'king'],
    ['records', '--since', 'yesterdayish'],
    ['ca'],
    ['ca', 'node'],
    ['demo', '--assurance', 'total'],
  ];
  for (const args of wrong) {
    test(`sekisho ${args.join(' ')} is wrong use: exit code 2, and nothing on standard output`, async () => {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
    });
  }

  test('a policy file that is not there is exit code 1 and named', async () => {
    const { code, stdout } = await run('check', '-c', 'absent.yaml');
    assert.equal(code, 1);
    assert.match(stdout, /^absent\.yaml:1:1: /);
  });

  test('records without a journal is exit code 1 and says what to name', async () => {
    const { code, stderr } = await run('records', '--data', 'absent');
    assert.equal(code, 1);
    assert.match(stderr, /--data/);
  });

  test('help is an answer: exit code 0 on standard output', async () => {
    for (const args of [['--help'], ['demo', '--help'], ['ca', '--help']]) {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^Usage: sekisho/);
    }
  });

  test('the version is an answer: that of the package, exit code 0 on standard output', async () => {
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(text) as { version: string };
    assert.deepEqual(await run('--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

async function keysAndCertificates(): Promise<string[]> {
  const folders = [join(dir, 'pki'), join(dir, 'offline')];
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder)).filter((name) => /\.(crt|key)$/.test(name)).map((name) => join(folder, name)),
    ),
  );
  return names.flat();
}
