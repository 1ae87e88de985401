import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import type { Disk, DiskFile } from '../../../src/base/disk.ts';
import { SekishoError } from '../../../src/base/errors.ts';
import type { XdsEvent } from '../../../src/control/xds/events.types.ts';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import { makeSnapshot } from '../../../src/control/xds/snapshot.ts';
import { clusterType, listenerType, secretType } from '../../../src/control/xds/type-urls.ts';
import type { DiscoveryLimits } from '../../../src/edge/grpc/discovery/open-streams.ts';
import { discoveryServices, type DiscoveryServices } from '../../../src/edge/grpc/discovery/services.ts';
import { alsService } from '../../../src/edge/grpc/als.ts';
import { callerOf } from '../../../src/edge/grpc/caller.ts';
import type { Arrival, ServerCredentials } from '../../../src/edge/grpc/doorkeeper.ts';
import { startGrpcServer, type GrpcServer } from '../../../src/edge/grpc/server.ts';
import type { RefusedCall } from '../../../src/edge/grpc/http2/grpc-streams.ts';
import { alsStream } from '../../../src/sink/intake/als.ts';
import { openJournal, type Journal } from '../../../src/sink/journal/journal.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { makePki, policyText, type TestPki } from '../../support/serve.ts';
import { writeFile } from 'node:fs/promises';

export const nodes: ReadonlySet<string> = new Set(['egress-1', 'egress-2', 'host-1']);

/** The CAs of a fleet, once for all tests of a file. */
export async function sharedPki(fleet = 'tokyo'): Promise<TestPki> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-grpc-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'sekisho.yaml');
  await writeFile(config, policyText({ address: '127.0.0.1', fleet }));
  return makePki(folder, config);
}

/** A gate that somebody else opens. */
export class Gate {
  #open = true;
  #waiting: (() => void)[] = [];

  shut(): void {
    this.#open = false;
  }

  open(): void {
    this.#open = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  async pass(): Promise<void> {
    if (!this.#open) await new Promise<void>((go) => this.#waiting.push(go));
  }
}

/** A disk whose syncs do not return while its gate is shut. */
export class HungDisk extends FaultyDisk {
  readonly gate = new Gate();

  override async createExclusive(path: string): Promise<DiskFile> {
    const file = await super.createExclusive(path);
    const datasync = file.datasync.bind(file);
    file.datasync = async () => {
      await this.gate.pass();
      await datasync();
    };
    return file;
  }
}

/** A gRPC server as `sekisho serve` puts it together, with a disk and limits that the test chooses. */
export interface House {
  readonly server: GrpcServer;
  readonly journal: Journal;
  readonly publisher: Publisher;
  readonly discovery: DiscoveryServices;
  readonly to: string;
  /** What became of each connection. */
  readonly arrivals: { what: Arrival; remote: string; why: string | undefined }[];
  /** Calls that gRPC ended by itself. */
  readonly refused: RefusedCall[];
  readonly events: XdsEvent[];
  /** Codes of the access-log streams that failed. */
  readonly failed: string[];
  /** Bytes of each access-log message that was read, and what waited for the disk then. */
  readonly messages: { bytes: number; queued: number }[];
}

export interface HouseOptions {
  readonly credentials: ServerCredentials;
  readonly disk?: Disk;
  readonly queueBytes?: number;
  readonly limits?: Partial<DiscoveryLimits>;
  readonly host?: string;
}

export async function startHouse(t: TestContext, options: HouseOptions): Promise<House> {
  const { credentials, disk = new FaultyDisk(), queueBytes, limits, host = '127.0.0.1' } = options;
  const journal = await openJournal({ dir: '/journal', disk, ...(queueBytes !== undefined && { queueBytes }) });
  const publisher = new Publisher({ resolve: ({ id }) => (nodes.has(id) ? 'group' : undefined) });
  publisher.publish(
    'group',
    makeSnapshot(
      [clusterType, listenerType, secretType].map((type) => ({ type, name: 'one', bytes: Buffer.from(`${type} one`) })),
    ),
  );
  const events: XdsEvent[] = [];
  const discovery = discoveryServices({
    secret: new Set([secretType]),
    publisher,
    identify: (call) => callerOf(call, 'tokyo'),
    observe: (event) => events.push(event),
    ...(limits && { limits }),
  });
  const failed: string[] = [];
  const messages: House['messages'] = [];
  const als = alsService({
    journal,
    identify: (call) => callerOf(call, 'tokyo'),
    open: (caller) =>
      alsStream({
        identity: caller,
        admits: (node) => nodes.has(node),
        rules: () => rules,
        clock: systemClock,
        refusals: { admits: () => true },
        observer: {
          message: ({ bytes }) => messages.push({ bytes, queued: journal.queuedBytes }),
          redacted: () => undefined,
          incomplete: () => undefined,
          suppressed: () => undefined,
          refused: () => undefined,
        },
      }),
    failed: (caught) => failed.push(SekishoError.from(caught).code),
  });
  const arrivals: House['arrivals'] = [];
  const refused: RefusedCall[] = [];
  const server = await startGrpcServer({
    listen: { host, port: 0 },
    credentials,
    services: [als, ...discovery.services],
    arrived: (what, remote, why) => arrivals.push({ what, remote, why }),
    refused: (call) => refused.push(call),
  });
  t.after(async () => {
    await server.close(50);
    await journal.close();
  });
  return {
    server,
    journal,
    publisher,
    discovery,
    to: `127.0.0.1:${server.port}`,
    arrivals,
    refused,
    events,
    failed,
    messages,
  };
}

const rules = redactionRules([]);
