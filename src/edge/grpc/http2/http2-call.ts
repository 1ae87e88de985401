import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { AuthContext, CallEvents, Status, StreamCall, UnaryCall } from '../call.types.ts';
import { authContextOf } from './auth-context.ts';
import { metadataOf, timeoutOf, trailersOf } from './headers.ts';
import { encodings, inflated } from './inflated.ts';
import { framed, MessageReader, MessageTooLarge, type Message } from './messages.ts';

export interface Http2CallOptions {
  /** Bytes of one message, inflated where it was compressed. */
  readonly maxMessageBytes: number;
  /** The call is ended for a reason of gRPC's own. */
  readonly refused: (why: Status, peer: string) => void;
}

const responseHeaders = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-encoding': 'identity',
  'grpc-accept-encoding': encodings,
};
const ok: Status = { code: status.OK, details: '' };
const nothing = Buffer.alloc(0);

/** What may wait in memory for a caller that does not read, before `write` says that it is enough. */
const fullBytes = 256 * 1024;

/**
 * One gRPC call on one HTTP/2 stream, without what grpc-js puts between them: two more streams, interceptors, promises and copies, which are most
 * of what a push of a few hundred bytes costs. Source: "gRPC over HTTP2".
 */
export class Http2Call extends EventEmitter implements UnaryCall, StreamCall {
  readonly metadata: UnaryCall['metadata'];
  /** Of a method that has one; there when its handler is called. */
  request: Buffer = nothing;
  cancelled = false;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #options: Http2CallOptions;
  readonly #reader: MessageReader;
  /** Whole messages that were not asked for yet: what one DATA frame held, at most. */
  #waiting: Message[] = [];
  #isListening = false;
  #isPaused = false;
  #isInflating = false;
  #hasHeardAll = false;
  #isOver = false;
  #isFull = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: Http2CallOptions) {
    super();
    this.#stream = stream;
    this.#headers = headers;
    this.#options = options;
    this.#reader = new MessageReader(options.maxMessageBytes);
    this.metadata = metadataOf(headers);
    stream.on('close', () => {
      this.#leave();
    });
    stream.on('drain', () => {
      if (!this.#isFull) return;
      this.#isFull = false;
      this.emit('drain');
    });
    super.on('error', (error: unknown) => {
      this.finish(isStatus(error) ? error : { code: status.UNKNOWN, details: 'Unknown error' });
    });
    this.#limitTime(timeoutOf(headers));
  }

  override on<Event extends keyof CallEvents>(event: Event, listener: (...args: CallEvents[Event]) => void): this {
    super.on(event, listener);
    if (event === 'data' && !this.#isListening) this.#listen();
    return this;
  }

  getPeer(): string {
    const socket = this.#stream.session?.socket;
    return socket?.remoteAddress === undefined ? 'unknown' : `${socket.remoteAddress}:${socket.remotePort ?? 0}`;
  }

  getAuthContext(): AuthContext {
    return authContextOf(this.#stream.session);
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  write(message: Buffer): boolean {
    if (this.#isOver || this.#isGone) return false;
    if (!this.#stream.headersSent) this.#stream.respond(responseHeaders, { waitForTrailers: true, endStream: false });
    this.#stream.write(framed(message));
    this.#isFull = this.#stream.writableLength >= fullBytes;
    return !this.#isFull;
  }

  end(): void {
    this.finish(ok);
  }

  /** Says how the call ended, once all is written. What still comes is read and dropped, so that the caller can hear it. */
  finish(how: Status): void {
    if (this.#isOver || this.#isGone) return;
    this.#isOver = true;
    clearTimeout(this.#deadline);
    this.#waiting = [];
    const trailers = trailersOf(how);
    if (this.#stream.headersSent) {
      this.#stream.once('wantTrailers', () => {
        if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.sendTrailers(trailers);
      });
      this.#stream.end();
    } else {
      this.#stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
    }
    this.#stream.resume();
  }

  /** Ends the call for a reason of gRPC's own; for its handler it is over at once. */
  refuse(why: Status): void {
    if (this.#isOver || this.#isGone) return;
    this.#options.refused(why, this.getPeer());
    this.finish(why);
    this.#leave();
  }

  get #isGone(): boolean {
    return this.cancelled || this.#stream.destroyed || this.#stream.closed;
  }

  #leave(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    clearTimeout(this.#deadline);
    this.#waiting = [];
    this.emit('cancelled');
    this.emit('close');
  }

  #limitTime(timeoutMs: number | undefined): void {
    if (timeoutMs === undefined) return;
    if (Number.isNaN(timeoutMs)) {
      // When the handler has had its chance to listen.
      process.nextTick(() => {
        this.refuse({ code: status.INTERNAL, details: 'Invalid grpc-timeout' });
      });
      return;
    }
    this.#deadline = setTimeout(() => {
      this.refuse({ code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded' });
    }, timeoutMs);
  }

  #listen(): void {
    this.#isListening = true;
    this.#stream.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    this.#stream.on('end', () => {
      this.#hasHeardAll = true;
      this.#deliver();
    });
  }

  #take(chunk: Buffer): void {
    if (this.#isOver || this.cancelled) return;
    try {
      const messages = this.#reader.read(chunk);
      if (messages.length === 0) return;
      this.#waiting = this.#waiting.length === 0 ? messages : [...this.#waiting, ...messages];
    } catch (caught) {
      if (!(caught instanceof MessageTooLarge)) throw caught;
      this.refuse({ code: status.RESOURCE_EXHAUSTED, details: caught.message });
      return;
    }
    this.#deliver();
  }

  /** Gives the handler what there is, for as long as it wants it. */
  #deliver(): void {
    let given = 0;
    const messages = this.#waiting;
    this.#waiting = [];
    for (const message of messages) {
      if (this.#isPaused || this.#isInflating) break;
      given += 1;
      if (message.isCompressed) this.#inflate(message.bytes);
      else this.emit('data', message.bytes);
      if (this.#isOver || this.cancelled) return;
    }
    if (given < messages.length) this.#waiting = [...messages.slice(given), ...this.#waiting];
    if (this.#isPaused || this.#isInflating) return;
    if (!this.#hasHeardAll) {
      if (this.#stream.isPaused()) this.#stream.resume();
    } else if (this.#waiting.length === 0) this.#hearEnd();
  }

  #hearEnd(): void {
    if (this.#reader.isWithin) this.refuse({ code: status.INTERNAL, details: 'The request ends within a message' });
    else this.emit('end');
  }

  #inflate(bytes: Buffer): void {
    this.#isInflating = true;
    this.#stream.pause();
    void inflated(bytes, String(this.#headers['grpc-encoding'] ?? 'identity'), this.#options.maxMessageBytes).then(
      (message) => {
        this.#isInflating = false;
        if (this.#isOver || this.cancelled) return;
        if (!Buffer.isBuffer(message)) {
          this.refuse(message);
          return;
        }
        this.#waiting.unshift({ isCompressed: false, bytes: message });
        this.#deliver();
      },
    );
  }
}

function isStatus(error: unknown): error is Status {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
}
