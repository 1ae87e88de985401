import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import type { HttpServer } from '../../../src/edge/http/strict-server.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One HTTP/1.1 request on a connection of its own. */
export function ask(
  server: HttpServer,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: server.host,
        port: server.port,
        path,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        agent: false,
      },
      (answer) => {
        buffer(answer).then((body) => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
        }, reject);
      },
    );
    asked.on('error', reject);
    asked.end(options.body);
  });
}

/** What comes back for these bytes until the server hangs up. */
export async function say(server: HttpServer, bytes: string): Promise<string> {
  const socket = connect({ host: server.host, port: server.port });
  socket.write(bytes);
  return text(socket);
}
