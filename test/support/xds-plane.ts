import { createServer } from 'node:http2';
import {
  discoveryServices,
  grpcStreams,
  makeSnapshot,
  Publisher,
  type ResourceInput,
  type Snapshot,
  type XdsEvent,
} from '../../src/xds/index.ts';
import { endingOf, listening } from './http2-server.ts';

/** The ways in which an Envoy can be told to ask. */
export const modes = [
  { mode: 'ADS, delta', api: 'DELTA_GRPC', aggregated: true },
  { mode: 'ADS, state of the world', api: 'GRPC', aggregated: true },
  { mode: 'a service for each type, delta', api: 'DELTA_GRPC', aggregated: false },
  { mode: 'a service for each type, state of the world', api: 'GRPC', aggregated: false },
] as const;
export type Mode = (typeof modes)[number];

export const envoyType = (name: string): string => `type.googleapis.com/envoy.${name}`;

/** A control plane made with `sekisho/xds`, in this process, that has the same for every node. */
export interface Plane {
  readonly port: number;
  readonly published: Snapshot | undefined;
  /** What happened on its streams since it was started last, and from the beginning. */
  readonly events: readonly XdsEvent[];
  readonly allEvents: readonly XdsEvent[];
  publish(resources: readonly ResourceInput[]): void;
  /** Ends without a word, and another starts on the same address with what was published last. */
  restart(): Promise<void>;
  end(): void;
}

export async function startPlane(address: string): Promise<Plane> {
  let events: XdsEvent[] = [];
  const allEvents: XdsEvent[] = [];
  let published: Snapshot | undefined;
  let { port, publisher, end } = await open(0);

  async function open(wanted: number): Promise<{ port: number; publisher: Publisher; end: () => void }> {
    const fresh = new Publisher({ resolve: () => 'all' });
    if (published) fresh.publish('all', published);
    events = [];
    const discovery = discoveryServices({
      publisher: fresh,
      observe: (event) => {
        events.push(event);
        allEvents.push(event);
      },
    });
    const server = createServer().on('stream', grpcStreams(discovery.services));
    const endServer = endingOf(server);
    const bound = await listening(server, address, wanted);
    return {
      port: bound,
      publisher: fresh,
      end: () => {
        endServer();
        discovery.close();
      },
    };
  }

  return {
    port,
    get published() {
      return published;
    },
    get events() {
      return events;
    },
    allEvents,
    publish: (resources) => {
      published = makeSnapshot(resources, published && { previous: published });
      publisher.publish('all', published);
    },
    restart: async () => {
      end();
      ({ port, publisher, end } = await open(port));
    },
    end: () => {
      end();
    },
  };
}

function apiOf({ api }: Mode): object {
  return {
    api_type: api,
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
  };
}

/** The config source by which a resource refers to another one. */
export function sourceOf(mode: Mode): object {
  const from = mode.aggregated ? { ads: {} } : { api_config_source: apiOf(mode) };
  return { ...from, resource_api_version: 'V3', initial_fetch_timeout: '0s' };
}

/** The bootstrap of an Envoy that asks at `port` of `address`. */
export function bootstrapOf(address: string, port: number, mode: Mode): object {
  const source = sourceOf(mode);
  return {
    admin: { address: { socket_address: { address, port_value: 0 } } },
    dynamic_resources: {
      ...(mode.aggregated && { ads_config: apiOf(mode) }),
      cds_config: source,
      lds_config: source,
    },
    static_resources: {
      clusters: [
        {
          name: 'xds',
          type: 'STATIC',
          connect_timeout: '1s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': envoyType('extensions.upstreams.http.v3.HttpProtocolOptions'),
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: 'xds',
            endpoints: [
              { lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: port } } } }] },
            ],
          },
        },
      ],
    },
  };
}
