import {
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

/** A peer that vanished without a word is found within a minute. */
const keepaliveMs = { every: 30_000, answered: 20_000 };

const sessionOptions = {
  settings: { maxConcurrentStreams: 1000 },
  // Node ends streams of its own choice when a session is over this; what a session may hold is bounded by what its streams may.
  maxSessionMemory: Number.MAX_SAFE_INTEGER,
};

/** The HTTP/2 sessions on connections that were let in. */
export class Sessions {
  readonly #serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
  readonly #open = new Set<ServerHttp2Session>();
  #whenEmpty: (() => void) | undefined;

  constructor(serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void) {
    this.#serve = serve;
  }

  add(socket: Socket): void {
    const session = performServerHandshake(socket, sessionOptions);
    this.#open.add(session);
    const asking = setInterval(() => {
      ask(session);
    }, keepaliveMs.every).unref();
    session.on('stream', this.#serve);
    // It is closed then, which is all that there is to know.
    session.on('error', () => undefined);
    session.once('close', () => {
      clearInterval(asking);
      this.#open.delete(session);
      if (this.#open.size === 0) this.#whenEmpty?.();
    });
  }

  /** Tells everybody to come no more (GOAWAY), gives running calls `graceMs`, then ends them. */
  async close(graceMs: number): Promise<void> {
    for (const session of this.#open) session.close();
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const session of this.#open) session.destroy();
        resolve();
      }, graceMs);
      this.#whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether somebody is still there. */
function ask(session: ServerHttp2Session): void {
  if (session.destroyed) return;
  const patience = setTimeout(() => {
    session.destroy();
  }, keepaliveMs.answered).unref();
  session.ping((failed) => {
    clearTimeout(patience);
    if (failed) session.destroy();
  });
}
