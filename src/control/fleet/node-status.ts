import { shortType, type TypeUrl } from '../xds/type-urls.ts';
import type { StreamFacts, XdsEvent } from '../xds/events.types.ts';
import { findingsOf, type NodeFacts } from './findings.ts';
import type { NodeJson, TypeJson } from './fleet.types.ts';

type StreamEvent = Extract<XdsEvent, StreamFacts>;

interface TypeStatus {
  names: number;
  sent?: string;
  acked?: string;
  nack?: { readonly time: number; readonly version: string; readonly text: string };
}

/** The version of a snapshot, and since when it is wanted or run. */
interface Wanted {
  readonly version: string;
  readonly since: number;
}

/** What is known of one stream. */
interface StreamStatus {
  readonly since: number;
  readonly facts: StreamFacts;
  readonly types: Map<TypeUrl, TypeStatus>;
  readonly withheld: Set<TypeUrl>;
  readonly unknown: Set<TypeUrl>;
  target?: Wanted;
  running?: Wanted;
}

/**
 * What is known of one node: of its newest stream, as an older one may linger until its connection is found dead. Where the newest ends
 * first, as after a hot restart that failed, the one before it is the node again.
 */
export class NodeStatus {
  readonly id: string;
  /** Those that are open, the oldest first. */
  readonly #streams = new Map<number, StreamStatus>();
  /** The newest that is open, or the last that was. */
  #shown: StreamStatus | undefined;
  #lastSeen: number | undefined;

  constructor(id: string) {
    this.id = id;
  }

  get connected(): boolean {
    return this.#streams.size > 0;
  }

  /** Milliseconds since 1970; 0 where it never came. */
  get lastSeen(): number {
    return this.#lastSeen ?? 0;
  }

  /** Whether it is there and has acknowledged all that it shall have. */
  get inStep(): boolean {
    const { target, running } = this.#shown ?? {};
    return this.connected && target !== undefined && target.version === running?.version;
  }

  observe(event: StreamEvent, now: number): void {
    if (event.kind === 'connected') this.#connect(event, now);
    if (event.kind === 'disconnected') this.#disconnect(event);
    if (isFromNode(event)) this.#lastSeen = now;
    const stream = this.#streams.get(event.stream);
    if (stream) follow(stream, event, now);
  }

  toJson(): NodeJson {
    const shown = this.#shown;
    const types = [...(shown?.types ?? [])].map(([type, status]) => typeToJson(type, status));
    const [oldest] = this.#streams.values();
    return {
      id: this.id,
      cluster: shown?.facts.node.cluster ?? null,
      envoy: shown?.facts.node.version ?? null,
      connected: this.connected,
      connectedSince: oldest ? time(oldest.since) : null,
      lastSeen: this.#lastSeen === undefined ? null : time(this.#lastSeen),
      streams: this.#streams.size,
      peer: shown?.facts.peer ?? null,
      identity: shown?.facts.identity ?? null,
      target: shown?.target?.version ?? null,
      running: shown?.running?.version ?? null,
      targetSince: shown?.target ? time(shown.target.since) : null,
      runningSince: shown?.running ? time(shown.running.since) : null,
      inStep: this.inStep,
      types: types.sort((a, b) => (a.type < b.type ? -1 : 1)),
      findings: findingsOf(this.#facts(types)),
    };
  }

  #connect({ stream, node, peer, identity }: StreamFacts, now: number): void {
    const status: StreamStatus = {
      since: now,
      facts: { stream, node, peer, identity },
      types: new Map(),
      withheld: new Set(),
      unknown: new Set(),
      // An Envoy that comes back still runs what it ran.
      ...(this.#shown?.running !== undefined && { running: this.#shown.running }),
    };
    this.#streams.set(stream, status);
    this.#shown = status;
  }

  #disconnect({ stream }: StreamFacts): void {
    this.#streams.delete(stream);
    this.#shown = [...this.#streams.values()].at(-1) ?? this.#shown;
  }

  #facts(types: readonly TypeJson[]): NodeFacts {
    return {
      id: this.id,
      version: this.#shown?.facts.node.version,
      connected: this.connected,
      everConnected: this.#lastSeen !== undefined,
      types,
      withheld: [...(this.#shown?.withheld ?? [])].map(shortType),
      unknown: [...(this.#shown?.unknown ?? [])],
    };
  }
}

function follow(stream: StreamStatus, event: StreamEvent, now: number): void {
  switch (event.kind) {
    case 'targeted':
      stream.target = sinceThen(stream.target, event.version, now);
      return;
    case 'settled':
      stream.running = sinceThen(stream.running, event.version, now);
      return;
    case 'subscribed':
      typeOf(stream, event.type).names = event.names;
      return;
    case 'withheld':
      stream.withheld.add(event.type);
      return;
    case 'unknown-type':
      if (stream.unknown.size < unknownTypes) stream.unknown.add(event.type);
      return;
    case 'sent':
      typeOf(stream, event.type).sent = event.version;
      return;
    case 'acked':
      accept(typeOf(stream, event.type), event.version);
      return;
    case 'nacked':
      typeOf(stream, event.type).nack = { time: now, version: event.version, text: event.text };
      return;
    case 'connected':
    case 'disconnected':
      return;
  }
}

/** Being told the same again changes nothing. */
function sinceThen(before: Wanted | undefined, version: string, now: number): Wanted {
  return before?.version === version ? before : { version, since: now };
}

function accept(status: TypeStatus, version: string): void {
  status.acked = version;
  delete status.nack;
}

function typeOf({ types }: StreamStatus, type: TypeUrl): TypeStatus {
  const status = types.get(type) ?? { names: 0 };
  types.set(type, status);
  return status;
}

/** As many types that nobody knows are worth a name. */
const unknownTypes = 4;

/** What a node itself said, as against what we did for it. */
function isFromNode({ kind }: StreamEvent): boolean {
  return kind !== 'targeted' && kind !== 'sent';
}

function typeToJson(type: TypeUrl, { sent, acked, names, nack }: TypeStatus): TypeJson {
  return {
    type: shortType(type),
    sent: sent ?? null,
    acked: acked ?? null,
    names,
    nack: nack ? { ...nack, time: time(nack.time) } : null,
    inStep: nack === undefined && sent === acked,
  };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
