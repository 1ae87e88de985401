import assert from 'node:assert/strict';
import * as grpc from '@grpc/grpc-js';
import { decode, encode } from '../sink/record/entries.ts';
import { kindOf, kinds, type KindName } from './kinds.ts';
import { streamHeader, type Rig } from './rig.ts';

export type Variant = 'sotw' | 'delta';

/** One response, as protobufjs reads it. */
export interface Response {
  /** `CDS`, or the type URL where it is none of ours. */
  readonly kind: string;
  /** `version_info` or `system_version_info`. */
  readonly version: string;
  readonly nonce: string;
  readonly names: readonly string[];
  readonly removed: readonly string[];
  /** Of the delta variant: name → version. */
  readonly versions: ReadonlyMap<string, string>;
}

export interface Fields {
  readonly node?: object;
  readonly error_detail?: object;
  readonly initial_resource_versions?: object;
  readonly [field: string]: unknown;
}

let conversations = 0;
const same = (bytes: Buffer): Buffer => bytes;
const patience = 10_000;

/**
 * One discovery stream in the hands of a test, over real gRPC and without any code of the server: requests are written and responses read by
 * protobufjs. A client of either variant says what it wants by `ask` and `drop`.
 */
export class Conversation {
  readonly variant: Variant;
  /** The service that is spoken to: all types, or one. */
  readonly service: KindName | 'ADS';
  readonly responses: Response[] = [];
  readonly #rig: Rig;
  readonly #id = `c${++conversations}`;
  readonly #node: string;
  readonly #call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #last = new Map<string, Response>();
  readonly #wanted = new Map<string, string[]>();
  #sent = 0;
  #read = 0;
  #status: grpc.StatusObject | undefined;

  constructor(
    rig: Rig,
    options: {
      readonly variant: Variant;
      readonly service: KindName | 'ADS';
      readonly node: string;
      readonly client?: grpc.Client;
    },
  ) {
    const { variant, service, node, client = rig.client } = options;
    this.variant = variant;
    this.service = service;
    this.#rig = rig;
    this.#node = node;
    const metadata = new grpc.Metadata();
    metadata.set(streamHeader, this.#id);
    this.#call = client.makeBidiStreamRequest(pathOf(variant, service), same, same, metadata);
    this.#call.on('data', (bytes: Buffer) => {
      const response = read(variant, bytes);
      this.responses.push(response);
      this.#last.set(response.kind, response);
    });
    this.#call.on('error', () => undefined); // The status says it.
    this.#call.on('status', (status: grpc.StatusObject) => {
      this.#status = status;
    });
  }

  /** Sends a request with these fields and no others, but for the node in the first one. */
  say(kind: string, fields: Fields = {}): void {
    const node = this.#sent === 0 ? { node: { id: this.#node } } : {};
    this.write(encode(requestOf(this.variant), { ...node, type_url: typeOf(kind), ...fields }));
  }

  /** Sends bytes. */
  write(bytes: Buffer): void {
    this.#sent += 1;
    this.#call.write(bytes);
  }

  /** Subscribes to names besides those that it is subscribed to; to none means to everything, in a first request for clusters or listeners. */
  ask(kind: KindName, names: readonly string[] = [], fields: Fields = {}): void {
    const wanted = [...new Set([...(this.#wanted.get(kind) ?? []), ...names])];
    this.#wanted.set(kind, wanted);
    if (this.variant === 'delta') this.say(kind, { resource_names_subscribe: names, ...fields });
    else this.say(kind, { ...this.#current(kind), ...fields });
  }

  drop(kind: KindName, names: readonly string[]): void {
    this.#wanted.set(
      kind,
      (this.#wanted.get(kind) ?? []).filter((name) => !names.includes(name)),
    );
    if (this.variant === 'delta') this.say(kind, { resource_names_unsubscribe: names });
    else this.say(kind, this.#current(kind));
  }

  /** Says that the last response of the kind was taken in. */
  ack(kind: string): void {
    const { nonce, version } = this.last(kind);
    if (this.variant === 'delta') this.say(kind, { response_nonce: nonce });
    else this.say(kind, { ...this.#current(kind), response_nonce: nonce, version_info: version });
  }

  /** Says that the last response of the kind was refused; `version` is that of the last one that was not. */
  nack(kind: string, message: string, version = ''): void {
    const { nonce } = this.last(kind);
    const error_detail = { code: 3, message };
    if (this.variant === 'delta') this.say(kind, { response_nonce: nonce, error_detail });
    else this.say(kind, { ...this.#current(kind), response_nonce: nonce, version_info: version, error_detail });
  }

  last(kind: string): Response {
    const response = this.#last.get(kind);
    assert.ok(response, `no response of ${kind} has come`);
    return response;
  }

  /**
   * What came since the last reading, when the server has heard all that was said and all that it wrote has arrived; one line a response, `CDS +A +B -C`. The server
   * answers in the turn in which it hears, so that what is missing then does not come.
   */
  async hear(): Promise<string[]> {
    await this.#quiet();
    const lines = this.responses.slice(this.#read).map(lineOf);
    this.#read = this.responses.length;
    return lines;
  }

  /** When the server has heard all that was said. */
  heard(): Promise<void> {
    return this.#quiet();
  }

  /** Reads and acknowledges until nothing comes any more. */
  async settle(): Promise<string[]> {
    const lines: string[] = [];
    for (let news = await this.#news(); news.length > 0; news = await this.#news()) {
      assert.ok(lines.length < 100, `it does not come to rest: ${lines.slice(0, 12).join('; ')}`);
      lines.push(...news.map(lineOf));
      for (const { kind } of news) this.ack(kind);
    }
    return lines;
  }

  /** The client has no more to say. */
  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** How the stream ended. */
  async ended(): Promise<grpc.StatusObject> {
    await until('the stream ends', () => this.#status !== undefined);
    assert.ok(this.#status);
    return this.#status;
  }

  async #news(): Promise<Response[]> {
    await this.#quiet();
    const news = this.responses.slice(this.#read);
    this.#read = this.responses.length;
    return news;
  }

  #current(kind: string): Fields {
    return { resource_names: this.#wanted.get(kind) ?? [], response_nonce: this.#last.get(kind)?.nonce ?? '' };
  }

  async #quiet(): Promise<void> {
    const traffic = this.#rig.traffic(this.#id);
    const isQuiet = (): boolean =>
      this.#status !== undefined || (traffic.heard >= this.#sent && this.responses.length >= traffic.written);
    do {
      await until(`${this.service} ${this.variant} is quiet`, isQuiet);
      // What a publication leaves for the next turn of the event loop has its turn.
      for (let turns = 0; turns < 3; turns += 1) await new Promise((turn) => setImmediate(turn));
    } while (!isQuiet());
  }
}

export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + patience;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`not within ${patience} ms: ${what}`);
    await new Promise((turn) => setImmediate(turn));
  }
}

export function pathOf(variant: Variant, service: KindName | 'ADS'): string {
  const prefix = variant === 'sotw' ? 'Stream' : 'Delta';
  if (service === 'ADS') return `/envoy.service.discovery.v3.AggregatedDiscoveryService/${prefix}AggregatedResources`;
  return `/${kinds[service].service}/${prefix}${kinds[service].methods}`;
}

export function requestOf(variant: Variant): string {
  return `envoy.service.discovery.v3.${variant === 'sotw' ? 'DiscoveryRequest' : 'DeltaDiscoveryRequest'}`;
}

export function lineOf({ kind, names, removed }: Response): string {
  return [kind, ...names.map((name) => `+${name}`).sort(), ...removed.map((name) => `-${name}`).sort()].join(' ');
}

function typeOf(kind: string): string {
  return kind in kinds ? kinds[kind as KindName].type : kind;
}

interface AnyMessage {
  readonly type_url: string;
  readonly value: Buffer;
}

function read(variant: Variant, bytes: Buffer): Response {
  if (variant === 'sotw') {
    const message = decode('envoy.service.discovery.v3.DiscoveryResponse', bytes) as {
      version_info?: string;
      nonce?: string;
      type_url?: string;
      resources?: AnyMessage[];
    };
    const { version_info = '', nonce = '', type_url = '', resources = [] } = message;
    const names = resources.map(nameOf);
    return {
      kind: kindOf(type_url) ?? type_url,
      version: version_info,
      nonce,
      names,
      removed: [],
      versions: new Map(),
    };
  }
  const message = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes) as {
    system_version_info?: string;
    nonce?: string;
    type_url?: string;
    removed_resources?: string[];
    resources?: { name: string; version?: string; resource: AnyMessage }[];
  };
  const { system_version_info = '', nonce = '', type_url = '', removed_resources = [], resources = [] } = message;
  for (const { name, resource } of resources) assert.equal(nameOf(resource), name);
  return {
    kind: kindOf(type_url) ?? type_url,
    version: system_version_info,
    nonce,
    names: resources.map(({ name }) => name),
    removed: removed_resources,
    versions: new Map(resources.map(({ name, version = '' }) => [name, version])),
  };
}

function nameOf({ type_url, value }: AnyMessage): string {
  const message = decode(type_url.slice(type_url.indexOf('/') + 1), value) as { name?: string; cluster_name?: string };
  return message.name ?? message.cluster_name ?? '';
}
