/** Bytes before each message: whether it is compressed, and how long it is. Source: "gRPC over HTTP2", Length-Prefixed-Message. */
const prefixBytes = 5;

/** A message as it came. */
export interface Message {
  readonly isCompressed: boolean;
  readonly bytes: Buffer;
}

/** What was sent once is often sent to thousands more: a response of discovery is one buffer for all streams that are in step. */
const frames = new WeakMap<Buffer, Buffer>();

/** A message with its prefix, not compressed. The message must not change afterwards. */
export function framed(message: Buffer): Buffer {
  const known = frames.get(message);
  if (known) return known;
  const frame = Buffer.allocUnsafe(prefixBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  frames.set(message, frame);
  return frame;
}

/** Cuts what arrives into messages. Holds what is not whole yet, which is never much more than the limit. */
export class MessageReader {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #held = 0;
  /** How many bytes must be there before there is anything to cut. */
  #awaited = prefixBytes;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether the bytes so far end within a message. */
  get isWithin(): boolean {
    return this.#held > 0;
  }

  /**
   * The messages that are whole now.
   * @throws MessageTooLarge as soon as a prefix says so; nothing can be read after that
   */
  read(chunk: Buffer): Message[] {
    this.#held += chunk.length;
    this.#chunks.push(chunk);
    if (this.#held < this.#awaited) return [];
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#held);
    const messages: Message[] = [];
    this.#awaited = this.#end(rest);
    while (rest.length >= this.#awaited) {
      messages.push({ isCompressed: rest[0] !== 0, bytes: rest.subarray(prefixBytes, this.#awaited) });
      rest = rest.subarray(this.#awaited);
      this.#awaited = this.#end(rest);
    }
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
    return messages;
  }

  #end(bytes: Buffer): number {
    if (bytes.length < prefixBytes) return prefixBytes;
    const length = bytes.readUInt32BE(1);
    if (length > this.#limit) throw new MessageTooLarge(length, this.#limit);
    return prefixBytes + length;
  }
}

export class MessageTooLarge extends Error {
  constructor(length: number, limit: number) {
    super(`Received message larger than max (${length} vs ${limit})`);
  }
}
