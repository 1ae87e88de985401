import { connect as connectHttp2 } from 'node:http2';
import type { Answered, Asked, ConnectConsole } from './http1-client.ts';
import { bodyWithin } from './body-within.ts';
import type { ConsoleTarget } from './console-connection.ts';
import { answerOn } from './http2-answer.ts';
import { pathOf } from './http1-client.ts';
import { sharedSessions } from './shared-sessions.ts';

export interface Http2Client {
  readonly request: (url: URL, target: ConsoleTarget, asked: Asked, signal: AbortSignal) => Promise<Answered>;
}

/** HTTP/2 requests, all of one host in one tunnel. */
export function http2Client(connect: ConnectConsole): Http2Client {
  const sessionTo = async (origin: string, target: ConsoleTarget, signal: AbortSignal) => {
    const socket = await connect(target, 'h2', signal);
    return connectHttp2(origin, { createConnection: () => socket });
  };
  const sessions = sharedSessions();
  return {
    request: async (url, target, asked, signal) => {
      const alone = asked.connectTo !== undefined;
      const open = (own: AbortSignal) => sessionTo(url.origin, target, own);
      const session = await (alone ? open(signal) : sessions.get(url.origin, signal, open));
      const { host = url.host, ...headers } = asked.headers ?? {};
      const stream = session.request({
        ...headers,
        ':method': asked.method ?? 'GET',
        ':scheme': 'https',
        ':authority': host,
        ':path': pathOf(url),
      });
      // After the answer nobody cares; before it, the wait below sees the failure.
      stream.on('error', () => undefined).end(asked.body);
      try {
        return { ...(await answerOn(stream, signal)), body: await bodyWithin(stream, signal) };
      } finally {
        stream.destroy();
        if (alone) session.destroy();
      }
    },
  };
}
