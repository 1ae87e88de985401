import type { IncomingHttpHeaders } from 'node:http';

/** One request as the stand-in saw it: what really left the proxy. */
export interface SeenRequest {
  readonly method: string;
  /** `:authority` or Host. */
  readonly host: string;
  /** With its query. */
  readonly path: string;
  readonly httpVersion: '1.1' | '2.0';
  /** Names in lower case, without the pseudo headers of HTTP/2. */
  readonly headers: IncomingHttpHeaders;
  /** x-request-id: the id under which the proxy records it. */
  readonly requestId: string | undefined;
  readonly webSocket: boolean;
  /** What came as body; absent until it has come whole. */
  readonly body?: { readonly bytes: number; readonly sha256: string };
}

/** Counts every request, and keeps the newest within a bound of entries and bytes. */
export class SeenRequests {
  readonly requests: SeenRequest[] = [];
  #total = 0;
  #bytes = 0;
  readonly #maxEntries: number;
  readonly #maxBytes: number;

  constructor(maxEntries = 10_000, maxBytes = 16 * 1024 * 1024) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  /** All requests that ever came, those forgotten included. */
  get total(): number {
    return this.#total;
  }

  /** How many of them are no longer in `requests`. */
  get forgotten(): number {
    return this.#total - this.requests.length;
  }

  /** Takes a request as soon as its head is here. What it returns is to be told of the body. */
  add(seen: Omit<SeenRequest, 'body'>): { body?: SeenRequest['body'] } {
    const entry: SeenRequest & { body?: SeenRequest['body'] } = { ...seen };
    this.requests.push(entry);
    this.#total++;
    this.#bytes += sizeOf(entry);
    if (this.requests.length > this.#maxEntries || this.#bytes > this.#maxBytes) this.#forget();
    return entry;
  }

  /** Drops the oldest until an eighth of both bounds is free, so that the list is not shifted for every request. */
  #forget(): void {
    let count = 0;
    const tooMany = () =>
      this.requests.length - count > (this.#maxEntries * 7) / 8 || this.#bytes > (this.#maxBytes * 7) / 8;
    for (const entry of this.requests) {
      if (!tooMany()) break;
      this.#bytes -= sizeOf(entry);
      count++;
    }
    this.requests.splice(0, count);
  }
}

/** About what an entry holds in memory: its texts, and a round sum for the objects around them. */
function sizeOf(entry: SeenRequest): number {
  const headers = Object.entries(entry.headers).reduce(
    (sum, [name, value]) => sum + name.length + String(value).length + 32,
    0,
  );
  return entry.path.length + entry.host.length + headers + 512;
}
