import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { keyPem, newKey } from '../../src/control/ca/key.ts';
import { signCertificate } from '../../src/control/ca/sign.ts';
import { echoPath } from '../../src/edge/demo/stand-in-sockets.ts';
import type { VisitAnswer } from '../../src/edge/demo/visitor.ts';
import { alsMessage, consoleRequest, decode, httpEntry } from '../sink/record/entries.ts';
import type { DoorEntry, House, KeyPair } from './house.ts';
import { consoleHost, known, type Attempt } from './planted-attempts.ts';
import { dial, discoveryRequest, openAds, openAls } from './serve.ts';
import { basicCredentials } from './users-line.ts';
import { dialConsole, dialDoor, untilClosed } from './ways-in.ts';

/** Does it from an address, and gives what was answered: the console's answers are its own affair, and are left out. */
export async function perform(
  t: TestContext,
  house: House,
  doors: readonly DoorEntry[],
  attempt: Attempt,
  from: string,
): Promise<Buffer> {
  const doorOf = (name: string) => doors.find((door) => door.name === name) ?? fail(name);
  const headers = { 'proxy-authorization': basicCredentials(known.name, known.password) };
  switch (attempt.kind) {
    case 'bytes': {
      const door = doorOf(attempt.door);
      const socket =
        attempt.to === 'door' ? await dialDoor(house, door, { from }) : await secure(house, door, { from, headers });
      return spoken(socket, attempt.bytes);
    }
    case 'tunnelled':
      return spoken(await dialConsole(house, doorOf(attempt.door), consoleHost, { from, headers }), attempt.bytes);
    case 'hello': {
      const { protocol, serverName } = attempt;
      const door = doorOf(attempt.door);
      return secure(house, door, { from, headers, protocol, serverName }).then(
        (socket) => spoken(socket, 'GET / HTTP/1.1\r\n\r\n'),
        (caught: unknown) => Buffer.from(String(caught)),
      );
    }
    case 'http2': {
      const person = house.visitor({ door: attempt.door, localAddress: from, proxyHeaders: headers });
      const answer = person.request({
        url: `https://${consoleHost}${attempt.path}`,
        http: 2,
        headers: attempt.headers,
      });
      return saidBy(await answer.finally(() => person.close()));
    }
    case 'webSocket': {
      const person = house.visitor({ door: attempt.door, localAddress: from, proxyHeaders: headers });
      const url = `wss://${consoleHost}${echoPath}${attempt.path.slice(attempt.path.indexOf('?'))}`;
      await person.webSocket(url, [attempt.frame], attempt.headers).finally(() => person.close());
      return Buffer.alloc(0);
    }
    case 'stranger': {
      const [host = '', port] = doorOf(attempt.door).listen.split(':');
      const socket = connect({ host, port: Number(port), localAddress: from });
      return untilClosed(connectTls({ socket, rejectUnauthorized: false, ...(await selfSigned(attempt)) }), 2000);
    }
    case 'web':
      return spoken(connect(attempt.server === 'admin' ? 18080 : 18081, house.address), attempt.bytes);
    case 'accessLog': {
      const { node, log, tag, header } = attempt;
      const als = openAls(dial(t, `${house.address}:18000`));
      const common = { custom_tags: { [header]: tag, url: tag }, upstream_transport_failure_reason: tag };
      const entry = httpEntry(consoleRequest({ path: tag, request_headers: { [header]: tag } }, common));
      als.call.end(alsMessage({ identifier: { node: { id: node }, log_name: log }, http: [entry] }));
      return Buffer.from((await als.ended)?.message ?? '');
    }
    case 'discovery': {
      const ads = openAds(dial(t, `${house.address}:18000`));
      const type_url = `type.googleapis.com/${attempt.type}`;
      ads.call.write(discoveryRequest({ node: attempt.node, type_url, resource_names_subscribe: [attempt.nack] }));
      const answer = await ads.next();
      if (!Buffer.isBuffer(answer)) return Buffer.from(answer.details);
      const { nonce } = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', answer);
      ads.call.end(
        discoveryRequest({ type_url, response_nonce: nonce, error_detail: { code: 3, message: attempt.nack } }),
      );
      await ads.ended;
      return Buffer.alloc(0);
    }
  }
}

/** TLS with what stands in for the console. */
async function secure(
  house: House,
  door: DoorEntry,
  how: { from: string; headers: Readonly<Record<string, string>>; protocol?: string; serverName?: string },
): Promise<TLSSocket> {
  const socket = connectTls({
    socket: await dialConsole(house, door, consoleHost, how),
    servername: how.serverName ?? consoleHost,
    ALPNProtocols: [how.protocol ?? 'http/1.1'],
    // Whom a client may trust is for other tests.
    rejectUnauthorized: false,
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
  return socket;
}

async function spoken(socket: Duplex, bytes: string): Promise<Buffer> {
  const answered = untilClosed(socket, 2000);
  socket.write(Buffer.from(bytes, 'latin1'));
  const answer = await answered;
  return answer.includes('x-amzn-requestid') ? Buffer.alloc(0) : answer;
}

async function selfSigned({ subject, unit, address }: Extract<Attempt, { kind: 'stranger' }>): Promise<KeyPair> {
  const key = await newKey();
  const certificate = await signCertificate({
    key,
    subject: { commonName: subject, unit },
    names: [{ type: 'url', value: `https://x/${address}` }],
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 60_000),
    usage: 'client',
  });
  return { cert: certificate.toString(), key: keyPem(key) };
}

function saidBy({ headers, body, connectStatus }: VisitAnswer): Buffer {
  if (connectStatus === 200 && 'x-amzn-requestid' in headers) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from(JSON.stringify(headers)), body]);
}

function fail(name: string): never {
  throw new Error(`no door ${name}`);
}
