import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';

/** The head of the answer. Rejects where the stream ends without one, too: a connection that is cut closes its streams without an error. */
export async function answerOn(
  stream: ClientHttp2Stream,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders }> {
  const closed = once(stream, 'close').then(() => {
    throw new Error('the connection was closed before an answer came');
  });
  const [head] = (await Promise.race([once(stream, 'response', { signal }), closed])) as [
    IncomingHttpHeaders & { ':status'?: number },
  ];
  const { ':status': status, ...headers } = head;
  return { status: status ?? 0, headers };
}
