import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';

export interface Echo {
  /** 101, or what the server said instead. */
  readonly status: number;
  readonly echoed: readonly string[];
}

/** Upgrades a connection of HTTP/1.1 (RFC 6455 section 4.1), and sends each message after the answer to the one before. */
export async function webSocketEcho(
  socket: TLSSocket,
  url: URL,
  messages: readonly string[],
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Echo> {
  const webSocket = new WebSocket(url, {
    createConnection: () => socket,
    headers: { ...headers },
    maxPayload: maxMessageBytes,
  });
  // A failure closes it, and the waits below see that.
  webSocket.on('error', () => undefined);
  try {
    const status = await upgraded(webSocket, signal);
    if (status !== 101) return { status, echoed: [] };
    const echoed: string[] = [];
    // A server that hangs up says no error.
    const closed = once(webSocket, 'close').then(() => {
      throw new Error('the WebSocket was closed before an answer came');
    });
    closed.catch(() => undefined);
    for (const message of messages) {
      const answer = once(webSocket, 'message', { signal });
      webSocket.send(message);
      const [data] = (await Promise.race([answer, closed])) as [Buffer];
      echoed.push(data.toString());
    }
    webSocket.close(1000);
    await once(webSocket, 'close', { signal });
    return { status, echoed };
  } finally {
    webSocket.terminate();
    socket.destroy();
  }
}

const maxMessageBytes = 1024 * 1024;

async function upgraded(webSocket: WebSocket, signal: AbortSignal): Promise<number> {
  const refused = new Promise<number>((resolve) => {
    webSocket.once('unexpected-response', (_request, response: IncomingMessage) => {
      resolve(response.statusCode ?? 0);
    });
  });
  return Promise.race([once(webSocket, 'open', { signal }).then(() => 101), refused]);
}
