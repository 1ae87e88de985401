import { after } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import {
  discoveryServices,
  makeSnapshot,
  Publisher,
  type DiscoveryLimits,
  type ExplicitVersions,
  type XdsEvent,
} from '../../src/xds/index.ts';
import { resourcesOf, type Contents } from './kinds.ts';

/** What the server did on one stream, as seen between gRPC and the engine; what tells silence from not yet. */
export interface Traffic {
  heard: number;
  written: number;
}

/** The header by which a test finds its stream on the server. */
export const streamHeader = 'conversation';

/**
 * A server as a user of `sekisho/xds` writes it: a plain grpc.Server on loopback with the discovery services. Every node has its own resources, so that tests
 * share it.
 */
export class Rig {
  readonly publisher = new Publisher({ resolve: ({ id }) => (id === 'stranger' ? undefined : id) });
  readonly events: XdsEvent[] = [];
  readonly #traffic = new Map<string, Traffic>();
  readonly #server = new grpc.Server();
  readonly #discovery: ReturnType<typeof discoveryServices>;
  readonly #clients: grpc.Client[] = [];
  port = 0;

  constructor(limits: Partial<DiscoveryLimits> = {}) {
    this.#discovery = discoveryServices({
      publisher: this.publisher,
      observe: (event) => this.events.push(event),
      limits,
    });
    for (const { definition, implementation } of this.#discovery.services)
      this.#server.addService(definition, this.#watched(implementation));
  }

  /** Started for a test file, and closed when its last test is over. */
  static async start(limits?: Partial<DiscoveryLimits>): Promise<Rig> {
    const rig = new Rig(limits);
    rig.port = await new Promise<number>((resolve, reject) => {
      rig.#server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
    after(() => {
      for (const client of rig.#clients) client.close();
      rig.#discovery.close();
      rig.#server.forceShutdown();
    });
    return rig;
  }

  /** The connection of whoever wants none of his own. */
  get client(): grpc.Client {
    return this.#clients[0] ?? this.connect();
  }

  /** A connection of its own. */
  connect(): grpc.Client {
    const client = new grpc.Client(`127.0.0.1:${this.port}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
    });
    this.#clients.push(client);
    return client;
  }

  /** From now on this is what the node shall have. */
  publish(node: string, contents: Contents, versions?: ExplicitVersions): void {
    const previous = this.publisher.current(node);
    this.publisher.publish(node, makeSnapshot(resourcesOf(contents), { versions, ...(previous && { previous }) }));
  }

  traffic(conversation: string): Traffic {
    const known = this.#traffic.get(conversation) ?? { heard: 0, written: 0 };
    this.#traffic.set(conversation, known);
    return known;
  }

  /** What happened on the streams of a node. */
  eventsOf(node: string, kind: XdsEvent['kind']): XdsEvent[] {
    return this.events.filter((event) => event.kind === kind && 'node' in event && nodeOf(event) === node);
  }

  #watched(implementation: grpc.UntypedServiceImplementation): grpc.UntypedServiceImplementation {
    const entries = Object.entries(implementation).map(([name, handler]) => {
      const serve = handler as grpc.handleBidiStreamingCall<Buffer, Buffer>;
      const watched = (call: grpc.ServerDuplexStream<Buffer, Buffer>): void => {
        const traffic = this.traffic(String(call.metadata.get(streamHeader)[0]));
        const write = call.write.bind(call) as (bytes: Buffer) => boolean;
        call.write = (bytes: Buffer) => {
          traffic.written += 1;
          return write(bytes);
        };
        serve(call);
        call.on('data', () => {
          traffic.heard += 1;
        });
      };
      return [name, watched] as const;
    });
    return Object.fromEntries(entries);
  }
}

function nodeOf({ node }: Extract<XdsEvent, { node?: unknown }>): string | undefined {
  return typeof node === 'string' ? node : node?.id;
}
