import type { Clock } from '../../base/clock.ts';
import type { NodeInfo } from '../../wire/node-info.ts';
import type { XdsEvent } from '../xds/events.types.ts';

/**
 * How a change ended: `acknowledged` by every stream that was to get it, `refused` by one that then left or was given something newer,
 * `superseded` for one by something newer before it had answered, `abandoned` where all of them left.
 */
export const outcomes = ['acknowledged', 'refused', 'superseded', 'abandoned'] as const;
export type Outcome = (typeof outcomes)[number];

interface Change {
  readonly since: number;
  /** Streams that have not answered. */
  open: number;
  /** When the last of the others had acknowledged everything. */
  acknowledged: number | undefined;
  refused: boolean;
  superseded: boolean;
}

interface Stream {
  readonly node: NodeInfo;
  /** What it shall have, and the change by which it shall; undefined where it has it, or came for it by itself. */
  version: string | undefined;
  change: Change | undefined;
  refused: boolean;
}

/**
 * How long a change takes until the last stream that was open then, and was to get something else by it, has acknowledged everything. A stream that leaves is
 * waited for no longer, and one that comes meanwhile never was; while one refuses, the change stays open. What changes for no stream is no change.
 */
export class Convergence {
  readonly #clock: Clock;
  readonly #ended: (outcome: Outcome, ms: number) => void;
  readonly #streams = new Map<number, Stream>();

  /** `clock` is for durations. `ended` is told the milliseconds until the last ACK, which say something where all acknowledged. */
  constructor(clock: Clock, ended: (outcome: Outcome, ms: number) => void) {
    this.#clock = clock;
    this.#ended = ended;
  }

  /** From now on the nodes shall have what `versionOf` says, if anything. `since` is when that was asked for, by the same clock. To be called before they are told. */
  begin(since: number, versionOf: (node: NodeInfo) => string | undefined): void {
    const change: Change = { since, open: 0, acknowledged: undefined, refused: false, superseded: false };
    for (const stream of this.#streams.values()) {
      const version = versionOf(stream.node);
      if (version === undefined || version === stream.version) continue;
      this.#leave(stream, 'superseded');
      change.open += 1;
      Object.assign(stream, { version, change, refused: false });
    }
  }

  /** Takes in what happened on a stream; hand it to the streams as their observer. */
  readonly observe = (event: XdsEvent): void => {
    if (event.kind === 'sent' || event.kind === 'acked' || event.kind === 'refused') return; // The most frequent ones first.
    if (event.kind === 'connected') {
      this.#streams.set(event.stream, { node: event.node, version: undefined, change: undefined, refused: false });
      return;
    }
    const stream = this.#streams.get(event.stream);
    if (!stream) return;
    if (event.kind === 'targeted') this.#targeted(stream, event.version);
    else if (event.kind === 'settled') this.#settled(stream, event.version);
    else if (event.kind === 'nacked') stream.refused = true;
    else if (event.kind === 'disconnected') {
      this.#streams.delete(event.stream);
      this.#leave(stream, 'gone');
    }
  };

  #targeted(stream: Stream, version: string): void {
    if (stream.version === version) return;
    this.#leave(stream, 'superseded');
    stream.version = version;
  }

  #settled(stream: Stream, version: string): void {
    const { change } = stream;
    if (!change || stream.version !== version) return;
    change.acknowledged = this.#clock.now();
    this.#take(stream, change);
  }

  #leave(stream: Stream, why: 'gone' | 'superseded'): void {
    const { change, refused } = stream;
    if (!change) return;
    if (refused) change.refused = true;
    else if (why === 'superseded') change.superseded = true;
    this.#take(stream, change);
  }

  #take(stream: Stream, change: Change): void {
    Object.assign(stream, { change: undefined, refused: false });
    change.open -= 1;
    if (change.open > 0) return;
    this.#ended(outcomeOf(change), Math.max(0, (change.acknowledged ?? change.since) - change.since));
  }
}

function outcomeOf({ refused, superseded, acknowledged }: Change): Outcome {
  if (refused) return 'refused';
  if (superseded) return 'superseded';
  return acknowledged === undefined ? 'abandoned' : 'acknowledged';
}
