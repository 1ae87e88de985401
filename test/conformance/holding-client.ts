import * as grpc from '@grpc/grpc-js';
import { clusterType, endpointType, listenerType, routeType, type TypeUrl } from '../../src/control/xds/type-urls.ts';
import { readResponse, type Body, type Contents, type Received } from '../control/xds/model.ts';
import { encode } from '../sink/record/entries.ts';
import { pathOf, requestOf, type Variant } from './conversation.ts';

interface Cache {
  readonly isRoot: boolean;
  /** What it asks for by name. */
  names: Set<string>;
  readonly held: Map<string, { readonly version: string; readonly body: Body }>;
  version: string;
  nonce: string;
}

const same = (bytes: Buffer): Buffer => bytes;

/**
 * A client that does over real gRPC what an Envoy does on an aggregated stream: it takes all clusters and listeners, asks for the endpoints of its clusters and the
 * routes of its listeners, acknowledges everything, and comes back with what it holds.
 */
export class HoldingClient {
  readonly node: string;
  readonly variant: Variant;
  readonly #client: grpc.Client;
  readonly #caches = new Map<TypeUrl, Cache>();
  #call: grpc.ClientDuplexStream<Buffer, Buffer> | undefined;
  #said = false;
  /** Responses that it has taken in, over all its streams. */
  responses = 0;
  /** How its streams ended that it did not end itself. */
  readonly broken: string[] = [];

  constructor(client: grpc.Client, options: { readonly variant: Variant; readonly node: string }) {
    this.#client = client;
    this.variant = options.variant;
    this.node = options.node;
    for (const type of [clusterType, endpointType, listenerType, routeType]) {
      const isRoot = type === clusterType || type === listenerType;
      this.#caches.set(type, { isRoot, names: new Set(), held: new Map(), version: '', nonce: '' });
    }
    this.reconnect();
  }

  /** Leaves the stream that it has and opens another. */
  reconnect(): void {
    this.end();
    const call = this.#client.makeBidiStreamRequest<Buffer, Buffer>(pathOf(this.variant, 'ADS'), same, same);
    this.#call = call;
    this.#said = false;
    call.on('error', () => undefined); // The status says it.
    call.on('status', ({ code, details }: grpc.StatusObject) => {
      if (this.#call === call) this.broken.push(`${grpc.status[code]}: ${details}`);
    });
    call.on('data', (bytes: Buffer) => {
      if (this.#call === call) this.#takeIn(readResponse(bytes, this.variant));
    });
    for (const [type, cache] of this.#caches) {
      cache.nonce = '';
      if (!cache.isRoot && cache.names.size === 0) continue;
      const initial_resource_versions = Object.fromEntries(
        [...cache.held].map(([name, { version }]) => [name, version]),
      );
      this.#say(type, { resource_names_subscribe: [...cache.names], initial_resource_versions });
    }
  }

  end(): void {
    const call = this.#call;
    this.#call = undefined;
    call?.cancel();
  }

  /** What it holds, in the form in which contents are published. */
  holds(): Contents {
    const of = (type: TypeUrl): Record<string, Body> =>
      Object.fromEntries([...(this.#caches.get(type)?.held ?? [])].map(([name, { body }]) => [name, body]));
    return {
      clusters: of(clusterType),
      endpoints: of(endpointType),
      listeners: of(listenerType),
      routes: of(routeType),
    };
  }

  #takeIn({ typeUrl, nonce, systemVersion, resources, removed }: Received): void {
    const cache = this.#caches.get(typeUrl);
    if (!cache) throw new Error(`${this.node} has not asked for ${typeUrl}`);
    this.responses += 1;
    cache.nonce = nonce;
    cache.version = systemVersion;
    if (this.variant === 'sotw' && cache.isRoot) cache.held.clear();
    for (const name of removed) cache.held.delete(name);
    for (const { name, version, body } of resources)
      if (cache.isRoot || cache.names.has(name)) cache.held.set(name, { version, body });
    if (typeUrl === clusterType) this.#want(endpointType, new Set(cache.held.keys()));
    if (typeUrl === listenerType)
      this.#want(routeType, new Set([...cache.held.values()].flatMap(({ body: { route } }) => route ?? [])));
    this.#say(typeUrl, { response_nonce: nonce });
  }

  #want(type: TypeUrl, names: Set<string>): void {
    const cache = this.#caches.get(type);
    if (!cache) return;
    const resource_names_subscribe = [...names].filter((name) => !cache.names.has(name));
    const resource_names_unsubscribe = [...cache.names].filter((name) => !names.has(name));
    if (resource_names_subscribe.length + resource_names_unsubscribe.length === 0) return;
    cache.names = names;
    for (const name of resource_names_unsubscribe) cache.held.delete(name);
    this.#say(type, { resource_names_subscribe, resource_names_unsubscribe });
  }

  /** In the state-of-the-world variant every request says all that is wanted. */
  #say(type_url: TypeUrl, change: object): void {
    const { names = new Set<string>(), version = '', nonce = '' } = this.#caches.get(type_url) ?? {};
    const whole = { resource_names: [...names], version_info: version, response_nonce: nonce };
    const node = this.#said ? {} : { node: { id: this.node } };
    this.#said = true;
    const fields = this.variant === 'delta' ? change : whole;
    this.#call?.write(encode(requestOf(this.variant), { ...node, type_url, ...fields }));
  }
}
