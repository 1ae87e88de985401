import type { Holding, Sent } from './holding.ts';

/** A NACK. */
export interface Refused {
  /** The version that the refused response showed. */
  readonly version: string;
  /** What `cutNack` left of the client's text. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What a client said to the responses of one type: the last ACK, and the NACKs of what it still refuses. For those who ask how it stands; no response depends on it. */
export class Answers {
  /** The version that the client said last that it has; empty where it never did. */
  version = '';
  /** When it said so on this stream, in milliseconds since 1970. */
  at: number | undefined;
  #refused: Map<string, Refused> | undefined;

  accepted(version: string, at: number): void {
    this.version = version;
    this.at = at;
  }

  /** It came with this version, from another stream. */
  claimed(version: string): void {
    this.version = version;
  }

  /** `holding` has taken the NACK in already. What it no longer counts as refused is forgotten here. */
  refused({ difference }: Sent, refused: Refused, holding: Holding): void {
    const stands = [...(this.#refused ?? [])].filter(([name]) => holding.rejected.has(name) || holding.held.has(name));
    this.#refused = new Map(stands);
    for (const { name } of difference.changed) this.#refused.set(name, refused);
    for (const name of difference.removed) this.#refused.set(name, refused);
  }

  /** The last NACK of a response with that resource in it, whether the client has taken it in since or not. */
  refusalOf(name: string): Refused | undefined {
    return this.#refused?.get(name);
  }
}
