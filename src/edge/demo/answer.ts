import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page, PageRequest } from './page.ts';
import type { SeenRequest } from './seen-requests.ts';
import { pageFor } from './stand-in-pages.ts';

export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

/** How much of a body is kept for a form to be read from. */
const formBytes = 16 * 1024;

/** What there is to note of a request once its head is here. */
export function sight(request: Request, webSocket: boolean): Omit<SeenRequest, 'body'> {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !name.startsWith(':')));
  const requestId = request.headers['x-request-id'];
  return {
    method: request.method ?? '',
    host: request.headers[':authority']?.toString() ?? request.headers.host ?? '',
    path: request.url ?? '',
    httpVersion: request.httpVersionMajor === 2 ? '2.0' : '1.1',
    headers,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    webSocket,
  };
}

/** Reads the whole request, notes its body and sends the page for it. Rejects where the client goes away or `stop` says so. */
export async function answer(
  request: Request,
  response: Response,
  entry: { body?: SeenRequest['body'] },
  stop: AbortSignal,
): Promise<void> {
  const body = await bodyOf(request);
  entry.body = { bytes: body.bytes, sha256: body.sha256 };
  // Only path and query matter to a page; a base makes a URL of them.
  const path = request.url ?? '';
  const url = URL.canParse(path, 'https://stand-in')
    ? new URL(path, 'https://stand-in')
    : new URL('https://stand-in/missing');
  await send(response, pageFor({ method: request.method ?? '', url, body }), stop);
}

async function bodyOf(request: Request): Promise<PageRequest['body']> {
  const hash = createHash('sha256');
  const start: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (bytes < formBytes) start.push(chunk.subarray(0, formBytes - bytes));
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex'), start: Buffer.concat(start).toString() };
}

async function send(response: Response, page: Page, stop: AbortSignal): Promise<void> {
  if (page.delay !== undefined) await wait(page.delay, undefined, { signal: goneOr(response, stop) });
  response.statusCode = page.status;
  response.setHeader('x-amzn-requestid', randomUUID());
  for (const [name, value] of Object.entries(page.headers)) response.setHeader(name, value);
  if (page.events === undefined) {
    response.setHeader('content-length', Buffer.byteLength(page.body));
    // A HEAD gets the length and no body; Node leaves that out by itself.
    response.end(page.body);
    return;
  }
  const signal = goneOr(response, stop);
  write(response, page.body);
  for (const chunk of page.events.chunks) {
    await wait(page.events.every, undefined, { signal });
    write(response, chunk);
  }
  response.end();
}

/** Aborts when the client goes away or the stand-in stops. */
function goneOr(response: Response, stop: AbortSignal): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  return AbortSignal.any([stop, gone.signal]);
}

/** The two response classes share this method, but not its overloads. */
function write(response: Response, chunk: string | Buffer): void {
  (response.write as (chunk: string | Buffer) => boolean).call(response, chunk);
}
