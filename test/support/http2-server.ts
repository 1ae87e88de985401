import type { Http2Server, ServerHttp2Session } from 'node:http2';

/** Listens on loopback, and gives the port. */
export function listening(server: Http2Server, host = '127.0.0.1', wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : wanted);
    });
  });
}

/** Gives what ends a server and all its connections at once. */
export function endingOf(server: Http2Server): () => void {
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  return () => {
    server.close();
    for (const session of sessions) session.destroy();
  };
}
