import { SekishoError } from '../../../base/errors.ts';
import type { TypeUrl } from '../../../control/xds/type-urls.ts';

export interface DiscoveryLimits {
  /** Streams at a time, of all nodes together; each takes some 50 KB (3,000 of them: 152 MB). */
  readonly streams: number;
  /** Aggregated streams of one node: two during a hot restart, some more whose connections are dead and not yet found so. The oldest gives way. */
  readonly streamsOfNode: number;
  /** Streams of one node for one type: without the aggregated service Envoy opens one for each cluster and route that it looks up. */
  readonly streamsOfNodeAndType: number;
  /** Streams that start in a second. More wait, and are served then. */
  readonly startsPerSecond: number;
  /** Milliseconds after which a stream is ended, give or take a fifth; its node comes back, to whichever replica is there. */
  readonly maxAgeMs: number;
  /** Bytes of one request. Envoy's first has about 64 KB; versions of 10,000 resources on reconnect have 1 MB. */
  readonly requestBytes: number;
}

export const defaultDiscoveryLimits: DiscoveryLimits = {
  streams: 10_000,
  streamsOfNode: 4,
  streamsOfNodeAndType: 256,
  startsPerSecond: 2000,
  maxAgeMs: 3_600_000,
  requestBytes: 4 * 1024 * 1024,
};

/** An open stream, as far as a limit concerns it. */
export interface OpenStream {
  finish(): void;
  refuse(error: SekishoError): void;
}

/** How often the old are looked for. */
const lookMs = 5000;

/** The streams that are open, in all and of each node. */
export class OpenStreams {
  readonly #limits: DiscoveryLimits;
  /** With the time at which each shall end, so that those that came together do not leave together. */
  readonly #all = new Map<OpenStream, number>();
  readonly #ofNode = new Map<string, Set<OpenStream>>();
  readonly #looking: NodeJS.Timeout;

  constructor(limits: DiscoveryLimits) {
    this.#limits = limits;
    this.#looking = setInterval(
      () => {
        this.#endOld(performance.now());
      },
      Math.min(lookMs, limits.maxAgeMs / 4),
    ).unref();
  }

  /** Throws `limit_exceeded` when there are too many. */
  add(stream: OpenStream): void {
    const { streams: limit, maxAgeMs } = this.#limits;
    if (this.#all.size >= limit) {
      throw new SekishoError(
        'limit_exceeded',
        `There are ${limit} discovery streams already; run another Sekisho beside this one.`,
        {
          facts: { limit },
        },
      );
    }
    this.#all.set(stream, performance.now() + maxAgeMs * (0.8 + 0.4 * Math.random()));
  }

  /**
   * The newest stream of a node is the one that lives, so the oldest is ended for it: were the new one refused, a node whose network
   * broke off would be locked out by its own dead connections.
   */
  addToNode(stream: OpenStream, node: string, type?: TypeUrl): void {
    const key = keyOf(node, type);
    const streams = this.#ofNode.get(key) ?? new Set<OpenStream>();
    this.#ofNode.set(key, streams.add(stream));
    const [oldest] = streams;
    const limit = type === undefined ? this.#limits.streamsOfNode : this.#limits.streamsOfNodeAndType;
    if (streams.size <= limit) return;
    oldest?.refuse(
      new SekishoError(
        'limit_exceeded',
        `The node "${node}" opened too many streams; see that no two Envoys have the same node id.`,
        {
          facts: { node, limit },
        },
      ),
    );
  }

  remove(stream: OpenStream, node: string | undefined, type?: TypeUrl): void {
    this.#all.delete(stream);
    if (node === undefined) return;
    const key = keyOf(node, type);
    const streams = this.#ofNode.get(key);
    streams?.delete(stream);
    if (streams?.size === 0) this.#ofNode.delete(key);
  }

  /** Ends all of them. */
  close(): void {
    clearInterval(this.#looking);
    for (const stream of [...this.#all.keys()]) stream.finish();
  }

  #endOld(now: number): void {
    for (const [stream, end] of this.#all) if (end <= now) stream.finish();
  }
}

function keyOf(node: string, type: TypeUrl | undefined): string {
  return type === undefined ? node : JSON.stringify([node, type]);
}
