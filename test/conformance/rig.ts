import { after } from 'node:test';
import * as http2 from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import {
  discoveryServices,
  grpcStreams,
  makeSnapshot,
  Publisher,
  type DiscoveryLimits,
  type ExplicitVersions,
  type GrpcService,
  type StreamCall,
  type XdsEvent,
} from '../../src/xds/index.ts';
import { endingOf, listening } from '../support/http2-server.ts';
import { resourcesOf, type Contents } from './kinds.ts';

/** What the server did on one stream, as seen between gRPC and the engine; what tells silence from not yet. */
export interface Traffic {
  heard: number;
  written: number;
}

/** The header by which a test finds its stream on the server. */
export const streamHeader = 'conversation';

/**
 * A server as a user of `sekisho/xds` writes it: a plain server of node:http2 on loopback with the discovery services. Every node has its own resources, so that tests
 * share it.
 */
export class Rig {
  readonly publisher = new Publisher({ resolve: ({ id }) => (id === 'stranger' ? undefined : id) });
  readonly events: XdsEvent[] = [];
  readonly #traffic = new Map<string, Traffic>();
  readonly #server = http2.createServer();
  readonly #discovery: ReturnType<typeof discoveryServices>;
  readonly #clients: grpc.Client[] = [];
  port = 0;

  constructor(limits: Partial<DiscoveryLimits> = {}) {
    this.#discovery = discoveryServices({
      publisher: this.publisher,
      observe: (event) => this.events.push(event),
      limits,
    });
    const services = this.#discovery.services.map(({ definition, implementation }) => ({
      definition,
      implementation: this.#watched(implementation),
    }));
    this.#server.on('stream', grpcStreams(services));
  }

  /** Started for a test file, and closed when its last test is over. */
  static async start(limits?: Partial<DiscoveryLimits>): Promise<Rig> {
    const rig = new Rig(limits);
    const end = endingOf(rig.#server);
    rig.port = await listening(rig.#server);
    after(() => {
      for (const client of rig.#clients) client.close();
      rig.#discovery.close();
      end();
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

  #watched(implementation: GrpcService['implementation']): GrpcService['implementation'] {
    const entries = Object.entries(implementation).map(([name, handler]) => {
      const serve = handler as (call: StreamCall) => void;
      const watched = (call: StreamCall): void => {
        const traffic = this.traffic(String(call.metadata.get(streamHeader)[0]));
        const write = call.write.bind(call);
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
