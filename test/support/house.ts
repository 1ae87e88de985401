import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { stringify } from 'yaml';
import { consoleHosts } from '../../src/aws/hosts.ts';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import { realDisk } from '../../src/base/disk.ts';
import type { Log } from '../../src/base/log.ts';
import { openConsoleCa } from '../../src/control/ca/console-ca.ts';
import { initCa } from '../../src/control/ca/init-ca.ts';
import { issueClient } from '../../src/control/ca/issue-client.ts';
import { bootstrap } from '../../src/control/resources/bootstrap.ts';
import { factsOf } from '../../src/edge/cli/ca.ts';
import { readPolicy } from '../../src/edge/cli/read-policy.ts';
import { connectConsole } from '../../src/edge/demo/console-connection.ts';
import { peopleCertificates } from '../../src/edge/demo/people.ts';
import type { ProxyAddress } from '../../src/edge/demo/proxy-dial.ts';
import { proxyDialer } from '../../src/edge/demo/proxy-dial.ts';
import { startStandIn, type StandIn, type StandInOptions } from '../../src/edge/demo/stand-in.ts';
import { tunnelsOverHttp1 } from '../../src/edge/demo/tunnel.ts';
import { untilLive } from '../../src/edge/demo/until-live.ts';
import { visitor, type Visitor, type VisitorOptions } from '../../src/edge/demo/visitor.ts';
import { startEnvoy, type RunningEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import { journalFolder } from '../../src/edge/service/sink-role.ts';
import { formatProblem } from '../../src/policy/problem.ts';
import type { Policy } from '../../src/policy/policy.types.ts';
import { readJournal } from '../../src/sink/journal/reader.ts';
import { queryRecords } from '../../src/sink/query/query-records.ts';
import type { NamedRecord, NamedValue } from '../../src/sink/record/name.ts';
import { eventually, findEnvoy, get, ownLoopback } from './envoy.ts';
import { openTogether } from './open-together.ts';
import { line, startSekisho, type Program } from './sekisho.ts';

/** The policy as a test writes it; docs/policy.md says what the keys mean. */
export interface PolicyFile {
  fleet: { name: string; egress: string[]; nodes: { egress: NodeEntry[]; [group: string]: NodeEntry[] } };
  doors: DoorEntry[];
  console: { regions: string[]; also: string[]; resolvers: string[]; pins: Record<string, string[]>; trust: string };
  record: {
    assurance: string;
    redact: { query: string[] };
    periodic?: string;
    refusals?: { burst: number; rate: number; tally: string };
  };
  resources?: (string | { files: string[]; on?: string; unrecorded?: string })[];
  outputs?: { kind: 'jsonl'; dir: string }[];
  rollout?: { canary: string[] | string; soak: string };
  server: { grpc: { listen: string; address?: string[] }; admin: string; public: string };
}

export interface NodeEntry {
  id: string;
  address?: string;
  source?: string;
}

export interface DoorEntry {
  name: string;
  on: string;
  kind: 'forward' | 'reverse' | 'sidecar';
  listen: string;
  inspect?: 'full' | 'tunnel';
  from?: string[];
  tls?: boolean;
  users: 'none' | { certificate: string } | { basic: string };
}

/** A certificate chain and its key, PEM. */
export type KeyPair = StandInOptions['certificate'];

/** Everything that takes part, on one loopback address: `sekisho serve` and Envoy as processes, a stand-in for the console. */
export interface House {
  readonly dir: string;
  readonly address: string;
  readonly policyFile: string;
  readonly standIn: StandIn;
  /** What `sekisho serve` and Envoy have said; grows. */
  readonly log: readonly string[];
  /** The processes that run now. */
  service(): Program;
  envoy(): RunningEnvoy;
  /** The folder of the certificates that the service holds. */
  readonly pki: string;
  /** PEM: the console CA, which clients trust. */
  readonly consoleCa: string;
  /** PEM: the authority of the stand-in, which plays a public one. */
  readonly publicCa: string;
  /** The client certificate of taro.yamada, who may enter at the office door. */
  readonly person: KeyPair;
  /** Someone who comes by the door `lab` unless told; by a door for certificates as taro.yamada unless told. */
  visitor(options?: VisitOptions): Visitor;
  /** TLS with a host through the door `lab` unless told, for those who want to keep it. */
  connect(host: string, door?: string): Promise<TLSSocket>;
  /** The records that are on disk by now. */
  readonly records: readonly NamedRecord[];
  /** The first record with these values, once it is there. */
  record(wanted: Readonly<Record<string, NamedValue>>): Promise<NamedRecord>;
  policyText(): Promise<string>;
  /** Replaces a file in the folder of the policy, and waits for nobody. */
  writeFile(name: string, content: string): Promise<void>;
  /** Replaces the policy file by an edited one, or by any text, and waits for nobody. */
  writePolicy(change: ((policy: PolicyFile) => void) | { readonly text: string }): Promise<void>;
  /** Edits the policy file and waits until the service goes on by it. */
  reload(change: (policy: PolicyFile) => void): Promise<void>;
  /** Makes the authorities' files again, where two thirds of their life are over. */
  renewAuthorities(): Promise<void>;
  startService(): Promise<void>;
  /** Starts the Envoy and waits until its doors are open. */
  startEnvoy(): Promise<void>;
  /** Starts an Envoy as another node and waits for nothing but its admin; the house stops it. */
  startStranger(nodeId: string, certifiedAs: string): Promise<RunningEnvoy>;
  /** A number among Envoy's counters and gauges; 0 where there is none. */
  stat(name: string): Promise<number>;
  /** What the service says of its nodes, JSON. */
  fleet(): Promise<string>;
  /** Envoy's answer to a question of its administration. */
  ask(path: string, envoy?: RunningEnvoy): Promise<string>;
  /** A stand-in whose certificate bears these hosts, from the trusted authority or from another one; its `address:port`. */
  otherStandIn(hosts: readonly string[], authority: 'trusted' | 'foreign'): Promise<{ at: string; standIn: StandIn }>;
  /** A certificate that the trusted authority issued. */
  issue(hosts: readonly string[]): Promise<KeyPair>;
  close(): Promise<void>;
}

export interface VisitOptions extends Omit<VisitorOptions, 'proxy' | 'consoleCa'> {
  readonly door?: string;
  readonly certificate?: KeyPair | 'none';
}

export interface HouseOptions {
  /** Further files in the folder of the policy, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Edits the policy before anything starts. */
  readonly policy?: (policy: PolicyFile) => void;
  /** Hosts that the stand-in plays and the console CA covers, besides the console's. */
  readonly futureHosts?: readonly string[];
  /** The Envoy to start, where it is not the plain one. */
  readonly envoy?: string;
  /** Further arguments of `sekisho serve`. */
  readonly serveArgs?: readonly string[];
  /** Further variables of its environment, for this folder of the house. */
  readonly serveEnv?: (dir: string) => Readonly<Record<string, string>>;
  /** Is called with the folder of the house before anything is in it; what it gives is called at the end. */
  readonly before?: (dir: string) => Promise<() => void>;
  /** How many days ago the authorities were made; 0 unless told. */
  readonly authoritiesDaysAgo?: number;
}

export const region = 'us-east-1';
export const nodeId = 'egress-1';

/** Opens a house; what was opened is closed again when a later part fails. */
export async function openHouse(options: HouseOptions = {}): Promise<House> {
  return openTogether((opened, close) => open(options, opened, close));
}

async function open(
  options: HouseOptions,
  opened: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<House> {
  const dir = await mkdtemp(join(tmpdir(), 'sekisho-house-'));
  opened.push(() => rm(dir, { recursive: true }));
  const undo = await options.before?.(dir);
  opened.push(() => Promise.resolve(undo?.()));
  const address = ownLoopback();
  const log: string[] = [];

  const hosts = [...consoleHosts({ partitions: ['aws'], regions: [region], also: [] }).admitted];
  const public_ = await authority(join(dir, 'stand-in'), [...hosts, ...(options.futureHosts ?? [])]);
  const certificate = await public_.issue([...hosts, ...(options.futureHosts ?? [])]);
  const standIn = await startStandIn({ certificate, host: address, port: 0 });
  opened.push(() => standIn.close());

  for (const [name, content] of Object.entries(options.files ?? {})) {
    await realDisk.writeFileAtomic(join(dir, name), content, 0o600);
  }
  const people = await peopleCertificates(join(dir, 'people'), 'taro.yamada');
  const policyFile = join(dir, 'sekisho.yaml');
  let policy = firstPolicy(address, hosts, standIn.port);
  options.policy?.(policy);
  const write = (text: string) => realDisk.writeFileAtomic(policyFile, text, 0o640);
  await write(stringify(policy));

  const pki = join(dir, 'pki');
  const folders = { online: pki, offline: join(dir, 'offline') };
  const makeAuthorities = async (clock: Clock): Promise<void> => {
    const facts = factsOf(await goodPolicy(policyFile));
    await initCa(folders, { ...facts, hosts: [...facts.hosts, ...(options.futureHosts ?? [])] }, realDisk, clock);
  };
  await makeAuthorities({ now: () => systemClock.now() - (options.authoritiesDaysAgo ?? 0) * 86_400_000 });
  const certify = async (name: string): Promise<string> => {
    const { fleet } = await goodPolicy(policyFile);
    const identity = { fleet: fleet.name, role: 'node', name } as const;
    return (await issueClient(identity, folders, realDisk, systemClock)).folder;
  };
  const text = (file: string) => readFile(file, 'utf8');
  const consoleCa = await text(join(pki, 'console-root.crt'));
  const person = { cert: await text(people.certificate), key: await text(people.key) };

  const data = join(dir, 'data');
  let service: Program | undefined;
  const startService = async (): Promise<void> => {
    const from = log.length;
    const args = ['serve', '-c', policyFile, '--data', data, '--pki', pki, ...(options.serveArgs ?? [])];
    const env = options.serveEnv?.(dir);
    const started = await startSekisho(args, { said: (said) => void log.push(said), ...(env && { env }) });
    service = started;
    await Promise.race([line(log, /"message":"serving"/, from), failsAtEnd(started)]);
  };
  opened.push(async () => {
    service?.signal('SIGTERM');
    await service?.ended;
  });
  await startService();

  const envoyLog = collecting(log);
  const launch = async (id: string, certifiedAs: string): Promise<RunningEnvoy> => {
    const host = { pki: await certify(certifiedAs), admin: { host: address, port: 0 } };
    const envoy = await startEnvoy({
      path: options.envoy ?? (await findEnvoy()).path,
      bootstrap: { text: JSON.stringify(bootstrap(await goodPolicy(policyFile), id, host)) },
      nodeId: id,
      cluster: policy.fleet.name,
      workDir: dir,
      log: envoyLog,
      epoch: systemClock.now(),
    });
    opened.push(() => envoy.stop());
    return envoy;
  };
  let envoy = await launch(nodeId, nodeId);
  await untilLive(envoy);

  const records: NamedRecord[] = [];
  const reading = new AbortController();
  const read = collect(data, records, reading.signal);
  opened.push(() => {
    reading.abort();
    return read;
  });

  const proxyOf = (door: DoorEntry, pair: KeyPair | 'none'): ProxyAddress => {
    const [host = '', port] = door.listen.split(':');
    return {
      host,
      port: Number(port),
      ...(door.tls === true && { tls: { ca: consoleCa, ...(pair !== 'none' && pair) } }),
    };
  };
  const doorOf = (name: string): DoorEntry => {
    const found = policy.doors.find((door) => door.name === name);
    if (found === undefined) throw new Error(`no door ${name}`);
    return found;
  };

  return {
    dir,
    address,
    policyFile,
    standIn,
    log,
    service: () => service ?? fail('no service'),
    envoy: () => envoy,
    pki,
    consoleCa,
    publicCa: await text(join(dir, 'stand-in', 'console-root.crt')),
    person,
    visitor: ({ door: name = 'lab', certificate: own, ...rest } = {}) => {
      const door = doorOf(name);
      const one = visitor({
        ...rest,
        proxy: proxyOf(door, own ?? (typeof door.users === 'object' && 'certificate' in door.users ? person : 'none')),
        consoleCa,
      });
      opened.push(() => one.close());
      return one;
    },
    connect: async (hostname, door = 'lab') => {
      const dialer = proxyDialer(proxyOf(doorOf(door), 'none'));
      opened.push(() => dialer.close());
      const signal = AbortSignal.timeout(10_000);
      const target = { hostname, authority: `${hostname}:443` };
      return connectConsole(tunnelsOverHttp1(dialer, {}), target, 'http/1.1', consoleCa, signal);
    },
    records,
    record: async (wanted) => {
      const find = () =>
        records.find((record) => Object.entries(wanted).every(([name, value]) => record[name] === value));
      await eventually(`a record with ${JSON.stringify(wanted)}`, () => Promise.resolve(find() !== undefined));
      return find() ?? fail('no record');
    },
    policyText: () => text(policyFile),
    writeFile: (name, content) => realDisk.writeFileAtomic(join(dir, name), content, 0o600),
    writePolicy: async (change) => {
      if (typeof change !== 'function') {
        await write(change.text);
        return;
      }
      policy = structuredClone(policy);
      change(policy);
      await write(stringify(policy));
    },
    reload: async (change) => {
      const from = log.length;
      policy = structuredClone(policy);
      change(policy);
      await write(stringify(policy));
      const said = await line(log, /"message":"(policy reloaded|the changed policy is not used)/, from);
      if (!said.includes('policy reloaded')) fail(log.slice(from).join('\n'));
    },
    renewAuthorities: () => makeAuthorities(systemClock),
    startService,
    startEnvoy: async () => {
      envoy = await launch(nodeId, nodeId);
      await untilLive(envoy);
    },
    startStranger: launch,
    stat: async (name) => statOf(await adminText(envoy, `/stats?filter=^${name.replaceAll('.', '\\.')}$`), name),
    fleet: async () => (await get(`http://${address}:18080/fleet`)).body,
    ask: (path, other = envoy) => adminText(other, path),
    otherStandIn: async (names, which) => {
      const issuer = which === 'trusted' ? public_ : await authority(await mkdtemp(join(dir, 'foreign-')), names);
      const other = await startStandIn({ certificate: await issuer.issue(names), host: address, port: 0 });
      opened.push(() => other.close());
      return { at: `${address}:${other.port}`, standIn: other };
    },
    issue: (names) => public_.issue(names),
    close,
  };
}

/** Doors `lab` for everybody and `office` for people with a certificate; every host of the console is pinned to the stand-in. */
function firstPolicy(address: string, hosts: readonly string[], standInPort: number): PolicyFile {
  const door = (name: string, port: number) =>
    ({ name, on: 'egress', kind: 'forward', listen: `${address}:${port}` }) as const;
  return {
    fleet: { name: 'house', egress: ['51.44.71.80/32'], nodes: { egress: [{ id: nodeId, address }] } },
    doors: [
      { ...door('lab', 3128), users: 'none' },
      { ...door('office', 3129), tls: true, users: { certificate: 'people/people-ca.crt' } },
    ],
    console: {
      regions: [region],
      also: [],
      resolvers: [],
      pins: Object.fromEntries(hosts.map((host) => [host, [`${address}:${standInPort}`]])),
      trust: 'stand-in/console-root.crt',
    },
    record: { assurance: 'stream', redact: { query: [] } },
    server: { grpc: { listen: `${address}:18000` }, admin: `${address}:18080`, public: `${address}:18081` },
  };
}

/** An authority that plays a public one; its root lies in the folder as console-root.crt. */
export async function authority(
  folder: string,
  hosts: readonly string[],
): Promise<{ issue(names: readonly string[]): Promise<KeyPair> }> {
  const facts = { fleet: 'public', hosts, addresses: [], serverHosts: [], serverAddresses: [] };
  await initCa({ online: folder, offline: join(folder, 'offline') }, facts, realDisk, systemClock);
  const ca = await openConsoleCa(folder, realDisk, systemClock);
  return {
    issue: async (names) => {
      const leaf = await ca.issueLeaf(names, [], new Date(systemClock.now()));
      return { cert: leaf.certificateChain, key: leaf.privateKey };
    },
  };
}

async function goodPolicy(file: string): Promise<Policy> {
  const loaded = await readPolicy(file);
  return 'policy' in loaded ? loaded.policy : fail(loaded.problems.map(formatProblem).join('\n'));
}

/** The journal as it grows. */
export async function collect(data: string, into: NamedRecord[], until: AbortSignal): Promise<void> {
  const onCorrupt = () => fail('the journal is damaged');
  const frames = readJournal({ dir: journalFolder(data), disk: realDisk, follow: until, onCorrupt });
  for await (const item of queryRecords(frames, () => true)) {
    if (item.kind === 'unreadable') throw item.error;
    into.push(item.record);
  }
}

function collecting(log: string[]): Log {
  const at = (level: string) => (message: string) => void log.push(`envoy ${level}: ${message}`);
  const one: Log = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), child: () => one };
  return one;
}

async function failsAtEnd(program: Program): Promise<never> {
  const code = await program.ended;
  return fail(`sekisho ended with ${String(code)}: ${program.stderr.join('\n')}`);
}

async function adminText(envoy: RunningEnvoy, path: string): Promise<string> {
  return (await get(`http://${envoy.adminAddress}${path}`)).body;
}

function statOf(text: string, name: string): number {
  const found = text.split('\n').find((one) => one.startsWith(`${name}: `));
  return Number(found?.slice(name.length + 2) ?? 0);
}

function fail(message: string): never {
  throw new Error(message);
}
