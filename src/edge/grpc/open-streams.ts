import { SekishoError } from '../../base/errors.ts';

export interface AdsLimits {
  /** Streams at a time, of all nodes together. */
  readonly streams: number;
  /** Streams of one node: two during a hot restart, some more whose connections are dead and not yet found so. The oldest gives way. */
  readonly streamsOfNode: number;
  /** Bytes of one request. Envoy's first has about 64 KB; versions of 10,000 resources on reconnect have 1 MB. */
  readonly requestBytes: number;
}

export const defaultAdsLimits: AdsLimits = { streams: 5000, streamsOfNode: 4, requestBytes: 4 * 1024 * 1024 };

/** An open stream, as far as a limit concerns it. */
export interface OpenStream {
  finish(): void;
  refuse(error: SekishoError): void;
}

/** The streams that are open, in all and of each node. */
export class OpenStreams {
  readonly #limits: AdsLimits;
  readonly #all = new Set<OpenStream>();
  readonly #ofNode = new Map<string, Set<OpenStream>>();

  constructor(limits: AdsLimits) {
    this.#limits = limits;
  }

  /** Throws `limit_exceeded` when there are too many. */
  add(stream: OpenStream): void {
    const limit = this.#limits.streams;
    if (this.#all.size >= limit) {
      throw new SekishoError(
        'limit_exceeded',
        `There are ${limit} discovery streams already; run another Sekisho beside this one.`,
        {
          facts: { limit },
        },
      );
    }
    this.#all.add(stream);
  }

  /**
   * The newest stream of a node is the one that lives, so the oldest is ended for it: were the new one refused, a node whose network
   * broke off would be locked out by its own dead connections.
   */
  addToNode(stream: OpenStream, node: string): void {
    const streams = this.#ofNode.get(node) ?? new Set<OpenStream>();
    this.#ofNode.set(node, streams.add(stream));
    const [oldest] = streams;
    if (streams.size <= this.#limits.streamsOfNode) return;
    oldest?.refuse(
      new SekishoError(
        'limit_exceeded',
        `The node "${node}" opened too many streams; see that no two Envoys have the same node id.`,
        {
          facts: { node, limit: this.#limits.streamsOfNode },
        },
      ),
    );
  }

  remove(stream: OpenStream, node: string | undefined): void {
    this.#all.delete(stream);
    if (node === undefined) return;
    const streams = this.#ofNode.get(node);
    streams?.delete(stream);
    if (streams?.size === 0) this.#ofNode.delete(node);
  }

  finishAll(): void {
    for (const stream of [...this.#all]) stream.finish();
  }
}
