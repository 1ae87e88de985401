import type { IncomingMessage } from 'node:http';
import type { Http2SecureServer } from 'node:http2';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

/** Where the stand-in's shell would be. */
export const echoPath = '/cloudshell/ws';

/**
 * Answers WebSockets at /cloudshell/ws with what they say; elsewhere 404. Over HTTP/1.1 upgrade only: the server does not offer RFC 8441,
 * so browsers open a connection of HTTP/1.1 for it. Every upgrade, granted or not, is told to `seen` first.
 */
export function echoSockets(server: Http2SecureServer, seen: (request: IncomingMessage) => void): { close(): void } {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    seen(request);
    if (request.url?.split('?')[0] !== echoPath) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      // A socket that breaks says so by closing; that is all there is to know here.
      webSocket.on('error', () => undefined);
      webSocket.on('message', (data, isBinary) => {
        if (webSocket.bufferedAmount > maxWaitingBytes) webSocket.terminate();
        else webSocket.send(data, { binary: isBinary });
      });
    });
  });
  return {
    close: () => {
      for (const webSocket of webSockets.clients) webSocket.terminate();
      webSockets.close();
    },
  };
}

const maxMessageBytes = 1024 * 1024;
/** Echoes that the client does not read; beyond this it is cut off. */
const maxWaitingBytes = 4 * 1024 * 1024;
