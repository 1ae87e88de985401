import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { consoleHosts } from '../../src/aws/hosts.ts';
import type { NamedRecord, NamedValue } from '../../src/sink/record/name.ts';
import * as parts from './door-host-parts.ts';
import { far, own, ownToo, type DoorHostOptions } from './door-host-parts.ts';
import { eventually } from './envoy.ts';
import type { FarSight } from './far-side.ts';
import { collect, region } from './house.ts';
import { cable, openNamespace, type Namespace } from './netns.ts';
import { openTogether } from './open-together.ts';
import type { Ran } from './sekisho.ts';

/** A host with the service and an Envoy of its own user, as docs/operations.md sets one up, and what it may reach. */
export interface DoorHost {
  readonly host: Namespace;
  /** Where everybody else is. */
  readonly side: Namespace;
  /** Runs envoy/redirect on the host. */
  redirect(command: 'up' | 'down' | 'show', env?: Readonly<Record<string, string>>): Promise<Ran>;
  /** A client on the host, or on the other side, that dials an address for a name. */
  curl(name: string, address: string, how?: CurlOptions): Promise<Ran>;
  /** A number among Envoy's counters and gauges. */
  stat(name: string): Promise<number>;
  /** What arrived on the far side, but for DNS. */
  seen(): FarSight[];
  readonly records: readonly NamedRecord[];
  /** The first record with these values, once it is there. */
  record(wanted: Readonly<Record<string, NamedValue>>): Promise<NamedRecord>;
  close(): Promise<void>;
}

interface CurlOptions {
  readonly from?: Namespace;
  readonly uid?: number;
  readonly args?: readonly string[];
}

/** Opens a host; what was opened is closed again when a later part fails. */
export async function openDoorHost(options: DoorHostOptions): Promise<DoorHost> {
  return openTogether((opened, close) => open(options, opened, close));
}

async function open(
  options: DoorHostOptions,
  opened: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<DoorHost> {
  const dir = await mkdtemp(join(tmpdir(), 'sekisho-door-host-'));
  opened.push(() => rm(dir, { recursive: true }));
  const host = await openNamespace();
  opened.push(() => host.close());
  const side = await openNamespace();
  opened.push(() => side.close());
  await cable(
    [host, [own, ownToo, '2406:da14::1']],
    [side, [far.console, far.console6, far.foreign, far.dns, far.splitDns]],
  );
  // Envoy is not root and shall listen on 443.
  await host.must('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start');
  for (const [path, text] of Object.entries(options.files ?? {})) {
    const file = join(dir, path.replaceAll('/', '-'));
    await writeFile(file, text);
    await host.must('mount', '--bind', file, path);
  }

  const hosts = [...consoleHosts({ partitions: ['aws'], regions: [region], also: [] }).admitted];
  const world = await parts.startFarSide(side, dir, hosts, options);
  const policy = join(dir, 'sekisho.yaml');
  await writeFile(policy, stringify(parts.policyWith(options.doors)));
  await parts.startService(host, dir, policy);
  await parts.startEnvoy(host, dir, policy);

  const records: NamedRecord[] = [];
  const reading = new AbortController();
  const read = collect(join(dir, 'data'), records, reading.signal);
  opened.push(() => {
    reading.abort();
    return read;
  });
  const trust = join(dir, 'trust.pem');
  await writeFile(
    trust,
    (await pem(join(dir, 'far', 'console-root.crt'))) + (await pem(join(dir, 'pki', 'console-root.crt'))),
  );
  return {
    host,
    side,
    redirect: (command, env = {}) => host.run([parts.script('redirect'), command], { env }),
    curl: (name, address, { from = host, uid, args = [] } = {}) => {
      const there = ['--resolve', `${name}:443:${address.includes(':') ? `[${address}]` : address}`];
      const argv = ['curl', '-sS', '--max-time', '10', '--cacert', trust, ...there, ...args, `https://${name}/`];
      return from.run(argv, uid === undefined ? {} : { uid });
    },
    stat: async (name) => {
      const stats = await host.must('curl', '-sS', 'http://127.0.0.1:9901/stats');
      return Number(
        stats
          .split('\n')
          .find((one) => one.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? 0,
      );
    },
    seen: () => world.stdout.map((one) => JSON.parse(one) as FarSight).filter(({ saw }) => saw !== 'ready'),
    records,
    record: async (wanted) => {
      const find = () =>
        records.find((record) => Object.entries(wanted).every(([name, value]) => record[name] === value));
      await eventually(`a record with ${JSON.stringify(wanted)}`, () => Promise.resolve(find() !== undefined));
      return find() ?? {};
    },
    close,
  };
}

function pem(file: string): Promise<string> {
  return readFile(file, 'utf8');
}
