import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { systemClock } from '../../src/base/clock.ts';
import { realDisk } from '../../src/base/disk.ts';
import type { Role } from '../../src/control/ca/identity.ts';
import { initCa } from '../../src/control/ca/init-ca.ts';
import { issueClient } from '../../src/control/ca/issue-client.ts';
import { clientFiles, onlineFiles } from '../../src/control/ca/layout.ts';
import { factsOf } from '../../src/edge/cli/ca.ts';
import { readPolicy } from '../../src/edge/cli/read-policy.ts';
import type { ServerCredentials } from '../../src/edge/grpc/doorkeeper.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { rawService } from '../../src/wire/services.ts';
import { encode } from '../sink/record/entries.ts';
import { eventually, get, ownLoopback } from './envoy.ts';

/** Key and certificates of one client, or of nobody, as PEM. */
export interface ClientPem {
  readonly ca: Buffer;
  readonly key?: Buffer;
  readonly certificate?: Buffer;
}

/** The two CAs of a fleet in a folder, and whom they let in. */
export interface TestPki {
  readonly online: string;
  client(role: Role, name: string): Promise<ClientPem & Required<ClientPem>>;
  /** Trusts the server and shows nothing. */
  nobody(): Promise<ClientPem>;
  server(): Promise<ServerCredentials>;
}

/** A policy whose servers stand on this address: two named nodes, and room for two whose id begins with `host-`. */
export function policyText(options: {
  address: string;
  fleet?: string;
  grpc?: string;
  redact?: string;
  /** Addresses of several control planes, this one among them. */
  planes?: readonly string[];
}): string {
  const { address, fleet = 'tokyo', grpc: grpcListen = `${address}:18000`, redact = 'code' } = options;
  const planes = (options.planes ?? [address]).map((plane) => `'${plane}:18000'`).join(', ');
  return `
fleet:
  name: ${fleet}
  egress: [51.44.71.80/32]
  nodes:
    egress:
      - { id: egress-1, address: 127.0.0.1 }
      - { id: egress-2, address: 127.0.0.2 }
    host: { match: 'host-*', max: 2 }
doors:
  - { name: office, on: egress, kind: forward, listen: '127.0.0.1:3128', inspect: full, users: none }
console:
  partitions: [aws]
  regions: [us-east-1]
record:
  assurance: stream
  redact: { query: [${redact}] }
server:
  grpc: { listen: '${grpcListen}', address: [${planes}] }
  admin: ${address}:18080
  public: ${address}:18081
`;
}

type Undo = () => unknown;
const undoings = new WeakMap<TestContext, Undo[]>();

/** Calls this when the test is over, the last first: whoever uses a folder ends before the folder goes. */
export function atEnd(t: TestContext, undo: Undo): void {
  const known = undoings.get(t);
  const undos = known ?? [];
  undoings.set(t, undos);
  undos.push(undo);
  if (known) return;
  t.after(async () => {
    for (const one of undos.reverse()) await one();
  });
}

/** A folder that is gone when the test is over. */
export async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-serve-'));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes both CAs as `sekisho ca init` does for a policy file. */
export async function makePki(folder: string, config: string): Promise<TestPki> {
  const folders = { online: join(folder, 'pki'), offline: join(folder, 'offline') };
  const loaded = await readPolicy(config);
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const { policy } = loaded;
  await initCa(folders, factsOf(policy), realDisk, systemClock);
  const files = onlineFiles(folders.online);
  return {
    online: folders.online,
    client: async (role, name) => {
      const made = await issueClient({ fleet: policy.fleet.name, role, name }, folders, realDisk, systemClock);
      const { client } = clientFiles(made.folder, role);
      const [ca, key, certificate] = await Promise.all(
        [files.fleetCa.certificate, client.key, client.certificate].map((path) => readFile(path)),
      );
      if (!ca || !key || !certificate) throw new Error('three files were read');
      return { ca, key, certificate };
    },
    nobody: async () => ({ ca: await readFile(files.fleetCa.certificate) }),
    server: async () => ({
      certificate: await readFile(files.server.certificate, 'utf8'),
      privateKey: await readFile(files.server.key, 'utf8'),
      clientAuthority: await readFile(files.fleetCa.certificate, 'utf8'),
    }),
  };
}

/** A policy file and its CAs in a folder of their own. */
export async function makeHome(
  t: TestContext,
  options: Partial<Parameters<typeof policyText>[0]> = {},
): Promise<{ folder: string; config: string; address: string; pki: TestPki }> {
  const folder = await temporary(t);
  const address = options.address ?? ownLoopback();
  const config = join(folder, 'sekisho.yaml');
  await writeFile(config, policyText({ ...options, address }));
  return { folder, config, address, pki: await makePki(folder, config) };
}

export type Home = Awaited<ReturnType<typeof makeHome>>;

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [fact: string]: unknown;
}

/** A running `sekisho serve`. */
export interface Served {
  readonly child: ChildProcess;
  readonly data: string;
  /** What it logged so far, and what it wrote to stderr that is no log line. */
  readonly lines: readonly LogLine[];
  readonly words: readonly string[];
  /** Resolves with the first line, at or after `from`, that has these words in its message; fails when the process ends without one. */
  logged(words: string, from?: number): Promise<LogLine>;
  /** Exit code, or the signal that killed it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  readyz(): Promise<{ status: number; reasons: string[] }>;
  /** Sum of the samples of a metric whose labels include this text. */
  metric(name: string, labels?: string): Promise<number>;
}

export interface ServeOptions {
  readonly data?: string;
  readonly pki?: string;
  readonly args?: readonly string[];
  /** What comes before `node` on the command line and becomes it, under the same process id: `strace -D`, `ip netns exec`. */
  readonly under?: readonly string[];
}

/** Starts the built `sekisho serve` on a home; it is killed, if it still runs, when the test is over. */
export function spawnServe(t: TestContext, home: Home, options: ServeOptions = {}): Served {
  const data = options.data ?? join(home.folder, 'data');
  const node = [process.execPath, 'dist/main.js', 'serve', '-c', home.config, '--data', data];
  const words = [...(options.under ?? []), ...node, '--pki', options.pki ?? home.pki.online, ...(options.args ?? [])];
  const child = spawn(words[0] ?? '', words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? -1);
    });
  });
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await exited;
  });

  const lines: LogLine[] = [];
  const other: string[] = [];
  const waiting = new Set<() => void>();
  const state = { ended: false };
  const look = (): void => {
    for (const one of waiting) one();
  };
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine);
    else other.push(line);
    look();
  });
  void exited.then(() => {
    state.ended = true;
    look();
  });

  const logged = (text: string, from = 0): Promise<LogLine> =>
    new Promise((resolve, reject) => {
      const one = (): void => {
        const found = lines.slice(from).find(({ message }) => message.includes(text));
        if (!found && !state.ended) return;
        waiting.delete(one);
        clearTimeout(patience);
        if (found) resolve(found);
        else reject(new Error(`it ended without "${text}": ${JSON.stringify({ lines, other })}`));
      };
      const patience = setTimeout(() => {
        waiting.delete(one);
        reject(new Error(`no "${text}" within 20 s: ${JSON.stringify({ lines: lines.slice(-20), other })}`));
      }, 20_000);
      waiting.add(one);
      one();
    });
  const admin = `http://${home.address}:18080`;
  return {
    child,
    data,
    lines,
    words: other,
    logged,
    exited,
    readyz: async () => {
      const { status, body } = await get(`${admin}/readyz`);
      return { status, reasons: (JSON.parse(body) as { reasons: string[] }).reasons };
    },
    metric: async (name, labels = '') => {
      const { body } = await get(`${admin}/metrics`);
      return body
        .split('\n')
        .filter((line) => line.startsWith(`${name} `) || (line.startsWith(`${name}{`) && line.includes(labels)))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
  };
}

/** Starts it and waits until it serves. */
export async function startServe(t: TestContext, home: Home, options: ServeOptions = {}): Promise<Served> {
  const served = spawnServe(t, home, options);
  await served.logged('serving');
  return served;
}

/** Ends a process of ours by this signal and gives what became of it. */
export async function end(served: Served, signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
  served.child.kill(signal);
  return served.exited;
}

/** Records as `sekisho records -o json` prints them, and those of them that Envoys sent, with its exit code. */
export async function storedRecords(
  data: string,
): Promise<{ code: number; records: NamedRecord[]; sent: NamedRecord[]; complaints: string }> {
  const args = ['dist/main.js', 'records', '--data', data, '-o', 'json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, complaints, [code]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  const lines = out.toString().split('\n').slice(0, -1);
  const records = lines.map((line) => JSON.parse(line) as NamedRecord);
  const sent = records.filter((record) => record['sekisho.kind'] !== 'control');
  return { code, records, sent, complaints: complaints.toString() };
}

/** Waits until the process says that it is ready. */
export function untilReady(served: Served): Promise<void> {
  return eventually('ready', async () => (await served.readyz()).status === 200);
}

/** A gRPC client on a connection of its own, over plain text or, with `pem`, over TLS. Closed when the test is over. */
export function dial(t: TestContext, to: string, pem?: ClientPem, options: grpc.ClientOptions = {}): grpc.Client {
  const credentials = pem
    ? grpc.credentials.createSsl(pem.ca, pem.key ?? null, pem.certificate ?? null)
    : grpc.credentials.createInsecure();
  const client = new grpc.Client(to, credentials, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 200,
    ...(pem && { 'grpc.ssl_target_name_override': 'sekisho.internal' }),
    ...options,
  });
  atEnd(t, () => {
    client.close();
  });
  return client;
}

const same = (bytes: Buffer): Buffer => bytes;
const alsPath = pathOf('envoy.service.accesslog.v3.AccessLogService', 'StreamAccessLogs');
const adsPath = pathOf('envoy.service.discovery.v3.AggregatedDiscoveryService', 'DeltaAggregatedResources');

function pathOf(service: string, name: string): string {
  const method = rawService(service)[name];
  if (!method) throw new Error(name);
  return method.path;
}

/** An access-log stream and how it ended: undefined for an answer, else the error. */
export interface AlsCall {
  readonly call: grpc.ClientWritableStream<Buffer>;
  readonly ended: Promise<grpc.ServiceError | undefined>;
}

export function openAls(client: grpc.Client): AlsCall {
  let end: (error: grpc.ServiceError | undefined) => void;
  const ended = new Promise<grpc.ServiceError | undefined>((resolve) => (end = resolve));
  const call = client.makeClientStreamRequest<Buffer, Buffer>(alsPath, same, same, (error) => {
    end(error ?? undefined);
  });
  // The end says it; what is written after it is nobody's.
  call.on('error', () => undefined);
  return { call, ended };
}

/** A discovery stream: what came, and how it ended. */
export interface AdsCall {
  readonly call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly received: Buffer[];
  readonly ended: Promise<grpc.StatusObject>;
  /** The next response, or the status if the stream ends instead. */
  next(): Promise<Buffer | grpc.StatusObject>;
}

export function openAds(client: grpc.Client): AdsCall {
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(adsPath, same, same);
  const received: Buffer[] = [];
  const seekers: ((found: Buffer) => void)[] = [];
  let read = 0;
  const ended = new Promise<grpc.StatusObject>((resolve) => {
    call.on('status', (status: grpc.StatusObject) => {
      resolve(status);
    });
  });
  call.on('error', () => undefined);
  call.on('data', (bytes: Buffer) => {
    received.push(bytes);
    seekers.shift()?.(bytes);
  });
  return {
    call,
    received,
    ended,
    next: () => {
      const index = read++;
      const found = received[index];
      if (found) return Promise.resolve(found);
      return Promise.race([new Promise<Buffer>((resolve) => seekers.push(resolve)), ended]);
    },
  };
}

/** A DeltaDiscoveryRequest. */
export function discoveryRequest(fields: object): Buffer {
  return encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', fields);
}

/** A node of Envoy 1.40 as it introduces itself. */
export function envoyNode(id: string): object {
  return {
    id,
    cluster: 'sekisho',
    user_agent_name: 'envoy',
    user_agent_build_version: { version: { major_number: 1, minor_number: 40 } },
  };
}
