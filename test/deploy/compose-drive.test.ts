import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { consoleCertificate } from '../../src/edge/demo/scene.ts';
import { startStandIn, type StandIn } from '../../src/edge/demo/stand-in.ts';
import { visitor, type Visitor } from '../../src/edge/demo/visitor.ts';
import { localProcess, project, readCompose, type Compose, type ComposeService } from '../support/compose.ts';
import { eventually, findEnvoy, ownLoopback } from '../support/envoy.ts';

const compose = readCompose();
const skip = compose === undefined && process.env['CI'] !== 'true' ? 'docker-compose is not installed here' : false;

const nodes = ['egress-1', 'egress-2'] as const;
const host = 'us-east-1.console.aws.amazon.com';

test('the policy of docs/operations.md is a good one', { skip }, async (t) => {
  const file = join(await temporary(t), 'sekisho.yaml');
  writeFileSync(file, documentedPolicy());
  await sekisho('check', '--no-envoy', '-c', file);
});

test(
  'what the compose file starts takes people to the console by each Envoy, records them, and stops in order',
  { skip },
  async (t) => {
    const house = await prepared(t);
    const services = new Map<string, Service>();
    for (const name of ['sekisho', ...nodes]) {
      const service = await started(t, house, name);
      assert.equal(await service.healthCheck(), false, `${name} is not healthy before it is up`);
      services.set(name, service);
      await eventually(`${name} is healthy`, () => service.healthCheck()).catch(() => assert.fail(service.said()));
    }

    const visitors = new Map<string, Visitor>();
    for (const node of nodes) {
      const one = visitor({ proxy: { host: house.addresses[node], port: 3128 }, consoleCa: house.consoleCa });
      t.after(() => one.close());
      visitors.set(node, one);
      const { connectStatus, status } = await one.request({ url: `https://${host}/console/home?by=${node}` });
      assert.deepEqual([connectStatus, status], [200, 200]);
    }
    await eventually('each request is on record under its node and its door', async () => {
      const found = (await house.records()).filter((record) => record['url.path'] === '/console/home');
      const where = found.map((record) => [record['sekisho.node'], record['sekisho.door'], record['url.query']]);
      return JSON.stringify(where.sort()) === JSON.stringify(nodes.map((node) => [node, `office-${node}`, `by=${node}`])); // prettier-ignore
    });

    // In the order in which docker-compose stops them: first what depends on others.
    for (const node of nodes) {
      const asked = visitors.get(node)?.request({ url: `https://${host}/slow?milliseconds=1000&by=${node}` });
      await eventually('the request is under way', () =>
        Promise.resolve(house.standIn.requests.some((seen) => seen.path.endsWith(`1000&by=${node}`))),
      );
      await stops(services, node);
      assert.equal((await asked)?.status, 200, 'what was under way was answered');
    }
    await stops(services, 'sekisho');

    const records = await house.records();
    for (const { requestId, path } of house.standIn.requests) {
      assert.equal(records.filter((one) => one['sekisho.stream_id'] === requestId).length, 1, path);
    }
    const tunnels = records.filter((one) => one['http.request.method'] === 'CONNECT').map((one) => one['sekisho.node']);
    assert.deepEqual(tunnels.sort(), nodes, 'the tunnels that the drain has closed are on record, too');
  },
);

/** SIGTERM, then exit code 0 within the time that docker-compose leaves before SIGKILL; after which it is not healthy. */
async function stops(services: ReadonlyMap<string, Service>, name: string): Promise<void> {
  const service = services.get(name);
  assert.ok(service);
  const grace = loaded().services[name]?.stop_grace_period ?? '';
  assert.match(grace, /^\d+s$/);
  const began = Date.now();
  service.signal('SIGTERM');
  assert.equal(await service.ended, 0, `${name}: ${service.said()}`);
  assert.ok(Date.now() - began < Number.parseInt(grace, 10) * 1000, `${name} stopped within ${grace}`);
  assert.equal(await service.healthCheck(), false);
}

interface House {
  /** Where the services are laid out. */
  readonly root: string;
  /** One address for each, as each has one in its container. */
  readonly addresses: Readonly<Record<'sekisho' | (typeof nodes)[number], string>>;
  readonly consoleCa: string;
  readonly standIn: StandIn;
  /** A file of the host that the compose file names. */
  readonly given: (path: string) => string;
  records(): Promise<Record<string, unknown>[]>;
}

/** The steps of docs/operations.md, with addresses of this machine in the place of names and networks. */
async function prepared(t: TestContext): Promise<House> {
  assert.ok(existsSync(join(project, 'dist/main.js')), 'npm run build comes first');
  const root = await temporary(t);
  const addresses = { sekisho: ownLoopback(), 'egress-1': ownLoopback(), 'egress-2': ownLoopback() };
  const certificate = await consoleCertificate(root);
  const standIn = await startStandIn({ certificate, host: '127.0.0.1', port: 0 });
  t.after(() => standIn.close());

  const given = (path: string) => join(root, 'host', path);
  mkdirSync(given('policy'), { recursive: true });
  cpSync(certificate.root, given('policy/stand-in.pem'));
  writeFileSync(given('policy/sekisho.yaml'), localPolicy(addresses, standIn.port));
  const files = ['-c', given('policy/sekisho.yaml')];
  const pki = ['--pki', given('pki')];
  await sekisho('ca', 'init', ...files, ...pki);
  for (const node of nodes) {
    await sekisho('ca', 'node', node, ...files, ...pki);
    const here = ['--node-pki', join(root, node, 'run/secrets'), '--envoy-admin', `${addresses[node]}:9901`];
    const bootstrap = await sekisho('bootstrap', '--node', node, ...files, ...here);
    writeFileSync(given(`pki/nodes/${node}/bootstrap.yaml`), bootstrap);
  }
  const data = join(root, 'sekisho/var/lib/sekisho');
  return {
    ...{ root, addresses, standIn, given },
    consoleCa: readFileSync(given('pki/console-root.crt'), 'utf8'),
    records: async () => {
      const lines = (await sekisho('records', '--data', data, '-o', 'json')).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

function documentedPolicy(): string {
  const [, block = ''] = /```yaml\n([^]*?)```/.exec(readFileSync(join(project, 'docs/operations.md'), 'utf8')) ?? [];
  return block;
}

/** The documented policy. Two containers may open the same door at 0.0.0.0; two processes need an address each, and so a group each. */
function localPolicy(addresses: House['addresses'], standInPort: number): string {
  const documented = parse(documentedPolicy()) as { fleet: object; doors: [object]; console: object };
  return stringify({
    ...documented,
    fleet: { ...documented.fleet, nodes: Object.fromEntries(nodes.map((id) => [id, [{ id }]])) },
    doors: nodes.map((node) => ({
      ...documented.doors[0],
      ...{ name: `office-${node}`, on: node, listen: `${addresses[node]}:3128`, from: ['127.0.0.0/8'] },
    })),
    console: { ...documented.console, trust: 'stand-in.pem', pins: { [host]: [`127.0.0.1:${standInPort}`] } },
    server: {
      grpc: { listen: `${addresses.sekisho}:18000` },
      admin: `${addresses.sekisho}:18080`,
      public: `${addresses.sekisho}:18081`,
    },
  });
}

interface Service {
  signal(name: NodeJS.Signals): void;
  said(): string;
  healthCheck(): Promise<boolean>;
  readonly ended: Promise<number | null>;
}

/** A service of the compose file as a process of this machine. */
async function started(t: TestContext, house: House, name: string): Promise<Service> {
  const local = localProcess(loaded(), name, house.root, house.given);
  const address = house.addresses[name as keyof House['addresses']];
  const here = { SEKISHO_ENVOY: (await findEnvoy()).path, SEKISHO_ENVOY_ADMIN: `${address}:9901` };
  const options = {
    cwd: local.cwd,
    env: { PATH: process.env['PATH'], ...local.env, ...(name !== 'sekisho' && here) },
  };
  const [check, ...checkArgs] = healthCheckOf(loaded().services[name]).map((text) =>
    local.at(text).replaceAll('127.0.0.1', address),
  );
  assert.ok(check !== undefined && check !== '');
  const healthCheck = () =>
    promisify(execFile)(check, checkArgs, options).then(
      () => true,
      () => false,
    );

  const child = spawn(local.command, local.args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  t.after(async () => {
    // Two signals, so that a test that failed half-way leaves nothing running.
    child.kill('SIGTERM');
    child.kill('SIGINT');
    await ended;
  });
  return { signal: (signal) => void child.kill(signal), said: () => said, healthCheck, ended };
}

function healthCheckOf(service: ComposeService | undefined): readonly string[] {
  const [kind, ...command] = service?.healthcheck?.test ?? [];
  assert.equal(kind, 'CMD');
  return command;
}

/** One command of the built program; its answer. Rejects where it does not exit with 0. */
async function sekisho(...args: string[]): Promise<string> {
  const options = { cwd: project, env: { PATH: process.env['PATH'] }, maxBuffer: 16 * 1024 * 1024 };
  return (await promisify(execFile)('node', ['dist/main.js', ...args], options)).stdout;
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-compose-'));
  // Where a test has failed, processes still write to it.
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

function loaded(): Compose {
  assert.ok(compose, 'docker-compose is needed where CI=true');
  return compose;
}
