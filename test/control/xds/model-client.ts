import assert from 'node:assert/strict';
import type { XdsEvent } from '../../../src/control/xds/events.types.ts';
import type { Publisher } from '../../../src/control/xds/publisher.ts';
import { resourcesOf, type Snapshot } from '../../../src/control/xds/snapshot.ts';
import {
  clusterType,
  endpointType,
  listenerType,
  routeType,
  type TypeUrl,
} from '../../../src/control/xds/type-urls.ts';
import { openVariant, type VariantStream } from './line.ts';
import { bodyOf, readResponse, type Body, type Received, type Wish } from './model.ts';

interface Kept {
  readonly version: string;
  readonly body: Body;
}

/** What the model keeps of one type. */
interface Cache {
  readonly wildcard: boolean;
  readonly names: Set<string>;
  readonly kept: Map<string, Kept>;
  /** Of the last response that was taken in, and of the last that came on this stream. */
  version: string;
  nonce: string;
  /** How often the server may send a name although the model has it in that version. */
  readonly repeats: Map<string, number>;
}

/**
 * A simple Envoy: takes all clusters and listeners, asks for the endpoints of its clusters and the routes of its listeners, and checks after
 * every response that whatever it holds refers to something it holds. Messages lie in two queues until somebody moves them.
 */
export class ModelClient {
  readonly events: XdsEvent[] = [];
  readonly #publisher: Publisher;
  readonly #caches = new Map<TypeUrl, Cache>();
  #stream: VariantStream | undefined;
  #toServer: [TypeUrl, Wish][] = [];
  #toClient: Buffer[] = [];
  #narrow = false;

  readonly #variant: 'delta' | 'sotw';

  constructor(publisher: Publisher, variant: 'delta' | 'sotw' = 'delta') {
    this.#publisher = publisher;
    this.#variant = variant;
    for (const type of [clusterType, endpointType, listenerType, routeType]) {
      const wildcard = type === clusterType || type === listenerType;
      this.#caches.set(type, {
        wildcard,
        names: new Set(),
        kept: new Map(),
        repeats: new Map(),
        version: '',
        nonce: '',
      });
    }
    this.reconnect();
  }

  /** A new stream, with what is still held from the last one; what lay in the queues is lost. */
  reconnect(): void {
    this.#stream?.end();
    this.#toServer = [];
    this.#toClient = [];
    this.#stream = openVariant(this.#variant, {
      publisher: this.#publisher,
      peer: '127.0.0.1:1',
      identity: 'certificate',
      transport: {
        send: (bytes) => {
          this.#toClient.push(bytes);
          return !this.#narrow;
        },
        refuse: (error) => {
          throw error;
        },
      },
      observe: (event) => this.events.push(event),
    });
    for (const [type, cache] of this.#caches) {
      if (!cache.wildcard && cache.names.size === 0) continue;
      const initialVersions = new Map([...cache.kept].map(([name, { version }]) => [name, version]));
      cache.repeats.clear();
      cache.nonce = '';
      // By its version alone a client of this variant cannot say what it has of the names.
      if (this.#variant === 'sotw') for (const name of cache.names) this.#allowRepeat(type, name);
      this.#ask(type, { subscribe: [...cache.names], initialVersions });
    }
  }

  /** Whether the transport is full after each response. */
  setNarrow(narrow: boolean): void {
    this.#narrow = narrow;
    if (!narrow) this.#stream?.drained();
  }

  drain(): void {
    this.#stream?.drained();
  }

  /** The server reads one request. */
  serverReads(): boolean {
    const next = this.#toServer.shift();
    if (next) this.#stream?.receive(...next);
    return next !== undefined;
  }

  /** The client reads one response and says ACK or NACK. */
  clientReads(): boolean {
    const bytes = this.#toClient.shift();
    if (bytes) this.#takeIn(readResponse(bytes, this.#variant));
    return bytes !== undefined;
  }

  /** Moves everything that can be moved. */
  settle(): void {
    this.setNarrow(false);
    for (let moves = 0; this.clientReads() || this.serverReads(); moves += 1) {
      assert.ok(moves < 500, 'the exchange does not come to rest');
    }
  }

  /** Asks for what it already asked for, as an Envoy does that has forgotten it. */
  askAgain(type: TypeUrl, name: string): void {
    const cache = this.#cache(type);
    if (!cache.names.has(name)) return;
    this.#allowRepeat(type, name);
    this.#ask(type, { subscribe: [name] });
  }

  /** Takes back a name that the wildcard covers: the server must say what becomes of it. */
  unsubscribeUnderWildcard(type: TypeUrl, name: string): void {
    this.#allowRepeat(type, name);
    this.#ask(type, { unsubscribe: [name] });
  }

  sendStale(type: TypeUrl): void {
    // Only who has been answered on this stream can be late.
    if (this.#cache(type).nonce !== '') this.#toServer.push([type, { nonce: 'of long ago', names: ['of long ago'] }]);
  }

  names(type: TypeUrl): string[] {
    return [...this.#cache(type).kept.keys()].sort();
  }

  /** Fails unless what the client holds of what it wants is what the snapshot has. */
  assertHolds(snapshot: Snapshot): void {
    for (const [type, { wildcard, names, kept }] of this.#caches) {
      const wanted = [...resourcesOf(snapshot, type).values()].filter(({ name }) => wildcard || names.has(name));
      const expected = wanted.map(({ name, bytes }) => [name, bodyOf(bytes)]);
      assert.deepEqual([...kept].map(([name, { body }]) => [name, body]).sort(), expected.sort(), type);
    }
  }

  /** Puts a request into the queue; those of the other variant say all that is wanted, and what the client has, in every request. */
  #ask(type: TypeUrl, wish: Wish): void {
    const { names, version, nonce } = this.#cache(type);
    this.#toServer.push([type, this.#variant === 'delta' ? wish : { names: [...names], version, nonce, ...wish }]);
  }

  #takeIn(response: Received): void {
    const { typeUrl, nonce } = response;
    const cache = this.#cache(typeUrl);
    cache.nonce = nonce;
    if (response.resources.every(({ body }) => !body.bad)) cache.version = response.systemVersion;
    const isWhole = this.#variant === 'sotw' && cache.wildcard;
    this.#assertNews(response, cache);
    const bad = response.resources.filter(({ body }) => body.bad);
    // Of clusters Envoy takes all or nothing, of listeners those that are good (measured with 1.40.0).
    const takes = bad.length > 0 && typeUrl !== listenerType ? [] : response.resources.filter(({ body }) => !body.bad);
    const removed = isWhole
      ? [...cache.kept.keys()].filter((name) => !response.resources.some((resource) => resource.name === name))
      : response.removed;
    if (bad.length === 0 || typeUrl === listenerType) for (const name of removed) cache.kept.delete(name);
    for (const { name, version, body } of takes) {
      if (cache.wildcard || cache.names.has(name)) cache.kept.set(name, { version, body });
    }
    // After a refusal the server cannot know what the client went back to.
    const doubtful = [...response.resources.map(({ name }) => name), ...response.removed];
    if (bad.length > 0) for (const name of doubtful) this.#allowRepeat(typeUrl, name);
    this.#assertReferences();
    this.#follow();
    this.#ask(typeUrl, { nonce, ...(bad.length > 0 && { error: { code: 3, message: 'bad' } }) });
  }

  /** What it holds of clusters and listeners decides which endpoints and routes it asks for. */
  #follow(): void {
    const routes = [...this.#cache(listenerType).kept.values()].flatMap(({ body }) => (body.route ? [body.route] : []));
    this.#want(endpointType, new Set(this.#cache(clusterType).kept.keys()));
    this.#want(routeType, new Set(routes));
  }

  #want(type: TypeUrl, wanted: ReadonlySet<string>): void {
    const cache = this.#cache(type);
    const subscribe = [...wanted].filter((name) => !cache.names.has(name));
    const unsubscribe = [...cache.names].filter((name) => !wanted.has(name));
    if (subscribe.length === 0 && unsubscribe.length === 0) return;
    for (const name of subscribe) cache.names.add(name);
    for (const name of unsubscribe) {
      cache.names.delete(name);
      cache.kept.delete(name);
    }
    this.#ask(type, { subscribe, unsubscribe });
  }

  #assertNews({ typeUrl, resources }: Received, cache: Cache): void {
    if (this.#variant === 'sotw' && cache.wildcard) {
      for (const { name } of resources) this.#allowRepeat(endpointType, name);
      return;
    }
    for (const { name, version } of resources) {
      // A changed cluster waits for its endpoints to come again.
      if (typeUrl === clusterType) this.#allowRepeat(endpointType, name);
      if (cache.kept.get(name)?.version !== version) continue;
      const repeats = cache.repeats.get(name) ?? 0;
      assert.ok(repeats > 0, `${typeUrl} ${name} came again for no reason`);
      cache.repeats.set(name, repeats - 1);
    }
  }

  #allowRepeat(type: TypeUrl, name: string): void {
    const { repeats } = this.#cache(type);
    repeats.set(name, (repeats.get(name) ?? 0) + 1);
  }

  #assertReferences(): void {
    const clusters = this.#cache(clusterType).kept;
    const routes = this.#cache(routeType).kept;
    for (const [name, { body }] of this.#cache(listenerType).kept) {
      const route = body.route === undefined ? undefined : routes.get(body.route);
      for (const cluster of [...body.clusters, ...(route?.body.clusters ?? [])]) {
        assert.ok(
          clusters.has(cluster),
          `listener ${name} leads to cluster ${cluster}, which the client does not hold`,
        );
      }
    }
  }

  #cache(type: TypeUrl): Cache {
    const cache = this.#caches.get(type);
    assert.ok(cache);
    return cache;
  }
}
