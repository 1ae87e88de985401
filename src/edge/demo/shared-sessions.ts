import type { ClientHttp2Session } from 'node:http2';

/** HTTP/2 sessions by key, opened once and shared for as long as they take new streams. */
export interface SharedSessions {
  /**
   * `signal` ends the wait. `open` gets one of its own, because the session outlives the request that asked for it first.
   */
  get(
    key: string,
    signal: AbortSignal,
    open: (signal: AbortSignal) => Promise<ClientHttp2Session>,
  ): Promise<ClientHttp2Session>;
}

export function sharedSessions(): SharedSessions {
  const entries = new Map<string, Entry>();
  return {
    get: (key, signal, open) => {
      const known = entries.get(key);
      // After a GOAWAY a session is closed for new streams while old ones still run.
      if (known !== undefined && known.session?.closed !== true) return unlessAborted(known.opening, signal);
      const entry: Entry = { opening: open(AbortSignal.timeout(openMilliseconds)), session: undefined };
      const forget = () => {
        if (entries.get(key) === entry) entries.delete(key);
      };
      entries.set(key, entry);
      entry.opening.then((session) => {
        entry.session = session;
        // Whoever has a stream on it sees the failure there.
        session.on('error', () => undefined);
        session.once('close', forget);
      }, forget);
      return unlessAborted(entry.opening, signal);
    },
  };
}

interface Entry {
  readonly opening: Promise<ClientHttp2Session>;
  session: ClientHttp2Session | undefined;
}

const openMilliseconds = 10_000;

/** What was promised, for as long as the signal lets somebody wait for it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  return Promise.race([promise, aborted]);
}
