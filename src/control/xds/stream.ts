import { SekishoError } from '../../base/errors.ts';
import type { NodeInfo } from '../../wire/node-info.ts';
import { Answers } from './answers.ts';
import { compare, isEmpty } from './difference.ts';
import type { StreamFacts, XdsEvent } from './events.types.ts';
import { Holding } from './holding.ts';
import { cutNack } from './nack-text.ts';
import { bytesPerName } from './name-set.ts';
import { goal, isFounded, nextResponse, standing, type StreamView } from './next-response.ts';
import type { Following } from './publisher.ts';
import { contentVersion, explicitVersion, noResources, resourcesOf, type Snapshot } from './snapshot.ts';
import { defaultStreamLimits, type StreamLimits } from './stream-limits.ts';
import type { StreamOptions } from './stream.types.ts';
import { resourceStates, type ResourceState } from './stream-state.ts';
import { Subscription } from './subscription.ts';
import type { NextResponse, TypeState } from './type-state.types.ts';
import { clusterType, isFamiliar, type TypeUrl } from './type-urls.ts';
import type { AnyRequest, Hearing } from './variant.types.ts';
import { askForEndpoints } from './warming.ts';

let streams = 0;

/**
 * The server's side of one discovery stream, aggregated or of one type: requests and snapshots go in, encoded responses come out.
 *
 * It remembers what shall be, what the client holds and what it asks for, and works out one response at a time from these; so there is no
 * queue that a slow client could fill, and of many snapshots it gets the newest only.
 *
 * Two snapshots matter: `target`, the newest, and `founded`, the newest whose clusters and endpoints the client has acknowledged. Listeners
 * and routes are only ever taken from `founded`, so none arrives before what it refers to. Source: "xDS REST and gRPC protocol".
 */
export class XdsStream<Request extends AnyRequest> {
  readonly #variant: Hearing<Request>;
  readonly #options: StreamOptions;
  readonly #limits: StreamLimits;
  readonly #states = new Map<TypeUrl, TypeState>();
  readonly #id = ++streams;
  #facts: StreamFacts | undefined;
  #following: Following | undefined;
  #target: Snapshot | undefined;
  #founded: Snapshot | undefined;
  #settled: Snapshot | undefined;
  #seen: StreamView | undefined;
  #full = false;
  #sending = false;
  #ended = false;

  constructor(variant: Hearing<Request>, options: StreamOptions) {
    this.#variant = variant;
    this.#options = options;
    this.#limits = options.limits ?? defaultStreamLimits;
  }

  /**
   * Takes in a request. Throws `request_malformed`, `node_unknown`, `limit_exceeded` or what `admit` throws; the stream must then be
   * ended with it.
   */
  receive(request: Request): void {
    if (this.#ended) return;
    const type = typeOf(request, this.#options.type);
    if (!this.#facts) this.#begin(request.node);
    const known = this.#states.get(type);
    if (known && this.#variant.isStale(request, known)) return;
    if (known) this.#hearAnswer(known, request);
    const state = known ?? this.#makeState(type);
    if (state) this.#hearWishes(request, state, !known);
    this.#send();
  }

  /** The transport takes responses again. */
  drained(): void {
    this.#full = false;
    this.#send();
  }

  /** The transport is gone. May be called twice. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#following?.end();
    if (this.#facts && this.#variant.name === 'sotw')
      this.#options.publisher.memory.remember(this.#facts.node.id, this.#states.values());
    this.#tell({ kind: 'disconnected' });
  }

  /** The node is told in the first request only, and counts for the whole stream. */
  #begin(node: NodeInfo | undefined): void {
    if (!node?.id) {
      throw new SekishoError('request_malformed', 'The first request has no node id; start Envoy with --service-node.');
    }
    const { admit, identity, peer, publisher, transport } = this.#options;
    admit?.(node);
    this.#following = publisher.follow(node, {
      update: (snapshot) => {
        this.#update(snapshot);
      },
      refuse: (error) => {
        this.end();
        transport.refuse(error);
      },
      describe: () => ({ stream: this.#id, node, resources: () => this.#describe() }),
    });
    this.#facts = { stream: this.#id, node, peer, identity };
    this.#tell({ kind: 'connected' });
    if (this.#target) this.#tell({ kind: 'targeted', version: this.#target.version });
  }

  #update(snapshot: Snapshot): void {
    this.#target = snapshot;
    this.#tell({ kind: 'targeted', version: snapshot.version });
    this.#send();
  }

  /** A nonce that we do not know, or no longer, says nothing: what it answered is answered. */
  #hearAnswer({ type, holding, answers }: TypeState, { nonce, error }: AnyRequest): void {
    if (nonce === '') return;
    const sent = error ? holding.reject(nonce) : holding.accept(nonce);
    if (!sent) return;
    const { version } = sent;
    const at = this.#options.publisher.clock.now();
    if (error) {
      const text = cutNack(error.message);
      answers.refused(sent, { version, text, at }, holding);
      this.#tell({ kind: 'nacked', type, version, text });
    } else {
      answers.accepted(version, at);
      this.#tell({ kind: 'acked', type, version });
    }
  }

  #hearWishes(request: Request, state: TypeState, isFirst: boolean): void {
    const { type, subscription } = state;
    const now = this.#target ? resourcesOf(this.#target, type) : noResources;
    if (!this.#variant.hear(request, state, now, isFirst)) return;
    this.#checkSize(isFirst ? state.holding.ownSize : 0);
    this.#tell({ kind: 'subscribed', type, wildcard: subscription.wildcard, names: subscription.names.size });
  }

  #makeState(type: TypeUrl): TypeState | undefined {
    if (this.#states.size >= this.#limits.types) return undefined;
    const isWithheld = this.#options.withheld?.has(type) ?? false;
    if (isWithheld) this.#tell({ kind: 'withheld', type });
    else if (!isFamiliar(type) && !this.#target?.types.has(type)) this.#tell({ kind: 'unknown-type', type });
    const state = {
      type,
      subscription: new Subscription(type),
      holding: new Holding(),
      answers: new Answers(),
      shown: undefined,
      label: '',
      claimed: undefined,
    };
    this.#states.set(type, state);
    return state;
  }

  #checkSize(held: number): void {
    let size = held * bytesPerName;
    for (const { subscription } of this.#states.values()) size += subscription.size;
    const limit = this.#limits.nameBytes;
    if (size <= limit) return;
    throw new SekishoError(
      'limit_exceeded',
      `The stream names more resources than fit into ${limit} bytes; subscribe to fewer.`,
      {
        facts: { limit },
      },
    );
  }

  /** Sends until there is nothing to say, or the transport is full: then what is to be said is worked out anew when it has drained. */
  #send(): void {
    if (this.#sending) return; // Whoever listens to our events may publish; the loop below sees it.
    this.#sending = true;
    try {
      while (!this.#full && !this.#ended && this.#sendNext());
    } finally {
      this.#sending = false;
    }
  }

  #sendNext(): boolean {
    const view = this.#view();
    if (!view) return false;
    const stands = standing(view);
    if (stands === 'settled') return this.#settle(view);
    if (stands === 'unanswered') return false;
    for (const state of view.states.values()) {
      if (state.claimed !== undefined) this.#settleClaim(view, state, state.claimed);
      if (state.holding.hasRejected)
        state.holding.reconsider(goal(view, state), (name) => state.subscription.wants(name));
    }
    if (view.founded !== view.target && isFounded(view)) {
      this.#founded = view.target;
      return true;
    }
    const next = nextResponse(view);
    if (next) this.#deliver(view, next);
    // Working it out may have shown that the client has it all, under other versions.
    return next !== undefined || standing(view) === 'settled';
  }

  #settle({ target }: StreamView): boolean {
    this.#founded = target;
    if (this.#settled === target) return false;
    this.#settled = target;
    this.#tell({ kind: 'settled', version: target.version });
    return true;
  }

  #view(): StreamView | undefined {
    if (!this.#target || this.#states.size === 0) return undefined;
    if (this.#seen?.target === this.#target && this.#seen.founded === this.#founded) return this.#seen;
    this.#seen = {
      variant: this.#variant,
      states: this.#states,
      target: this.#target,
      founded: this.#founded,
      withheld: this.#options.withheld ?? nothing,
      isAggregated: this.#options.type === undefined,
      unacknowledged: this.#limits.unacknowledged,
    };
    return this.#seen;
  }

  /**
   * A client that comes from another stream shows what it has by a version only. That is believed where this process knows what it showed this node
   * under that version, or where it is a hash of the very content that the client shall have; else it is told everything anew, but what it may have is
   * taken away in order only.
   */
  #settleClaim(view: StreamView, state: TypeState, claimed: string): void {
    const { type, subscription, holding } = state;
    state.claimed = undefined;
    const to = goal(view, state);
    const wants = (name: string): boolean => subscription.wants(name);
    const left = this.#options.publisher.memory.recall(this.#facts?.node.id ?? '', type);
    if (left?.isCertain === false) {
      holding.beginDoubtful(left.held, wants);
      return;
    }
    if (claimed === '') return;
    const known = left?.label === claimed ? left : undefined;
    const isGoal = explicitVersion(view.target, type) === undefined && contentVersion(to) === claimed;
    const held = isGoal ? to : known?.held;
    if (!held) return;
    holding.beginWith(held, wants);
    subscription.expect((name) => !held.has(name));
    // Otherwise the answer to the wildcard gives the client time to tell what else it has.
    if (isEmpty(compare(holding.held, to))) subscription.wildcardAnswered();
    state.shown = isGoal ? undefined : known?.shown;
    state.label = claimed;
    state.answers.claimed(claimed);
  }

  #deliver(view: StreamView, next: NextResponse): void {
    const { state, snapshot, difference, to, kept, isExact, isAwaited, left } = next;
    const { type, subscription, holding } = state;
    if (type === clusterType) askForEndpoints(view, state, difference);
    const replaced = holding.move(difference, isExact ? to : undefined, kept);
    if (isAwaited) subscription.wildcardAnswered();
    if (left) subscription.answered(left);
    state.shown = explicitVersion(snapshot, type);
    const said = this.#variant.say(next, this.#options.publisher.responses);
    if (!said) return;
    const { bytes, nonce, version, whole } = said;
    state.label = version;
    holding.sent({ nonce, version, difference, whole, replaced });
    this.#full = !this.#options.transport.send(bytes);
    const { changed, removed } = difference;
    this.#tell({ kind: 'sent', type, version, names: changed.length, removed: removed.length, bytes: bytes.length });
  }

  *#describe(): Iterable<ResourceState> {
    const view = this.#view();
    for (const state of this.#states.values()) {
      yield* resourceStates(state, view && goal(view, state), this.#variant);
    }
  }

  #tell(event: EventOfStream): void {
    if (this.#facts) this.#options.observe?.({ ...event, ...this.#facts });
  }
}

/** The events of a stream, before the facts of the stream are added. */
type EventOfStream = XdsEvent extends infer Event
  ? Event extends StreamFacts
    ? Omit<Event, keyof StreamFacts>
    : never
  : never;

const nothing: ReadonlySet<TypeUrl> = new Set();

/** The type that a request is about; a service of one type implies it. */
function typeOf({ typeUrl }: AnyRequest, only: TypeUrl | undefined): TypeUrl {
  const type = typeUrl === '' ? only : typeUrl;
  if (type === undefined) {
    throw new SekishoError('request_malformed', 'A discovery request could not be read. It has no type_url.');
  }
  if (only === undefined || type === only) return type;
  throw new SekishoError(
    'request_malformed',
    `This service is for ${only}, not for ${type.slice(0, 200)}; ask the aggregated service, or the one of that type.`,
    { facts: { type: type.slice(0, 200) } },
  );
}
