import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request, type RequestOptions } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { after, before, describe, it, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { downloadBytes } from '../../../src/edge/demo/stand-in-pages.ts';
import { startStandIn, type StandIn } from '../../../src/edge/demo/stand-in.ts';
import { eventually } from '../../support/envoy.ts';
import { testCertificates } from './test-certificates.ts';

const host = 'console.aws.amazon.com';
const certificates = testCertificates();
let standIn: StandIn;

before(async () => {
  standIn = await startStandIn({ certificate: certificates, host: '127.0.0.1', port: 0 });
});
after(() => standIn.close());

const form = { 'content-type': 'application/x-www-form-urlencoded' };

/** method and path → status, and what the body or a header says. */
const pages: [asked: string, status: number, says: RegExp, header?: string][] = [
  ['GET /', 302, /^\/console\/home$/, 'location'],
  ['GET /console/home', 200, /Console home \(stand-in\)/],
  ['GET /console/home?code=a&state=b', 200, /Nothing here reaches a cloud/],
  ['GET /ec2/home?region=eu-west-1', 200, /Instances in eu-west-1/],
  ['GET /ec2/home?region=%3Cscript%3E', 200, /Instances in no region/],
  ['GET /ec2/home', 200, /Instances in no region/],
  ['GET /signin', 200, /<form method="post" action="\/signin">/],
  ['GET /signout', 302, /aws-creds=; .*aws-userInfo=; /, 'set-cookie'],
  ['GET /api/instances', 200, /"call":"instances"/],
  ['DELETE /api/instances/i-1', 200, /"method":"DELETE","call":"instances\/i-1"/],
  ['GET /slow?milliseconds=0', 200, /"slow":true/],
  ['GET /events?count=2&every=0', 200, /^: the stand-in speaks\n\ndata: 1\n\ndata: 2\n\n$/],
  ['GET /events?every=0&count=none', 200, /data: 3\n\n$/],
  ['GET /events?every=0&count=1000000', 200, /data: 100\n\n$/],
  ['GET /events?every=0&count=-1', 200, /data: 3\n\n$/],
  ['GET /broken', 503, /plays an outage/],
  ['GET /missing', 404, /no such page/],
  ['POST /console/home', 404, /no such page/],
  ['GET /constructor', 404, /no such page/],
  ['OPTIONS *', 404, /no such page/],
  ['GET //[', 404, /no such page/],
];

describe('the stand-in', () => {
  for (const [asked, status, says, header] of pages) {
    it(`answers ${asked} with ${status} over either protocol`, async () => {
      const [method = '', path = ''] = asked.split(' ');
      for (const ask of [overHttp1, overHttp2]) {
        const answer = await ask({ method, path });
        assert.equal(answer.status, status);
        assert.match(header === undefined ? answer.body.toString() : String(answer.headers[header]), says);
        assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f-]{36}$/);
      }
    });
  }

  it('gives a HEAD the length of the page and no body', async () => {
    const page = await overHttp1({ path: '/console/home' });
    for (const ask of [overHttp1, overHttp2]) {
      const head = await ask({ method: 'HEAD', path: '/console/home' });
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      assert.equal(Number(head.headers['content-length']), page.body.length);
    }
  });

  it('gives a download of its own size, to many at once', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => overHttp2({ path: '/download' })));
    assert.deepEqual(answers.map(({ body }) => body.length), [downloadBytes, downloadBytes, downloadBytes]); // prettier-ignore
  });

  it('says what it got of a body that it does not keep', async () => {
    const body = Buffer.alloc(2 * 1024 * 1024, 'a');
    const answer = await overHttp1({ method: 'PUT', path: '/api/objects' }, body);
    assert.deepEqual(JSON.parse(answer.body.toString()), {
      ...{ standIn: true, method: 'PUT', call: 'objects' },
      ...{ bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') },
    });
  });

  it('listens on no port that is taken', async () => {
    const options = { certificate: certificates, host: '127.0.0.1', port: standIn.port };
    await assert.rejects(startStandIn(options), { code: 'address_in_use' });
  });
});

describe('the sign-in of the stand-in', () => {
  it('sets the credentials out of reach of scripts, and the claimed principal within it', async () => {
    const answer = await overHttp2({ method: 'POST', path: '/signin', headers: form }, 'username=taro&password=any');
    assert.equal(answer.status, 302);
    assert.match(answer.headers.location ?? '', /^\/oauth\?.*state=.*code_challenge=/);
    const [credentials = '', userInfo = ''] = answer.headers['set-cookie'] ?? [];
    assert.match(credentials, /^aws-creds=stand-in-credentials-[0-9a-f]{32}; Path=\/; Secure; HttpOnly$/);
    assert.match(userInfo, /^aws-userInfo=[^;]+; Path=\/; Secure$/);
    const claimed = JSON.parse(decodeURIComponent(/=([^;]+)/.exec(userInfo)?.[1] ?? '')) as { arn: string };
    assert.equal(claimed.arn, 'arn:aws:sts::123456789012:assumed-role/Demo/taro');
  });

  const names: [written: string, taken: string][] = [
    ['taro.yamada@example.com', 'taro.yamada@example.com'],
    ['<b>"; Path=/evil', 'bPath=evil'],
    ['', 'nobody'],
    ['x'.repeat(100), 'x'.repeat(64)],
  ];
  for (const [written, taken] of names) {
    it(`makes ${JSON.stringify(taken.slice(0, 30))} of the name ${JSON.stringify(written.slice(0, 30))}`, async () => {
      const body = new URLSearchParams({ username: written, password: 'any' }).toString();
      const answer = await overHttp1({ method: 'POST', path: '/signin', headers: form }, body);
      assert.ok(decodeURIComponent(String(answer.headers['set-cookie'])).includes(`assumed-role/Demo/${taken}"`));
    });
  }

  it('takes nobody without a password, and reads no further than a form is long', async () => {
    for (const body of ['', 'username=taro', 'password=', `username=${'x'.repeat(20_000)}&password=late`]) {
      const answer = await overHttp1({ method: 'POST', path: '/signin', headers: form }, body);
      assert.deepEqual([answer.status, answer.headers['set-cookie']], [401, undefined]);
    }
  });

  const returns: [query: string, status: number, to: RegExp][] = [
    ['', 302, /^\/console\/home\?code=stand-in-code-[0-9a-f]{32}&state=s$/],
    ['redirect_uri=https://signin.aws.amazon.com/a?b=c', 302, /^https:\/\/signin.aws.amazon.com\/a\?b=c&code=.*&state=s$/],
    ['redirect_uri=/ec2/home', 302, /^\/ec2\/home\?code=/],
    ['redirect_uri=http://plain.example/', 400, /^$/],
    ['redirect_uri=javascript:alert(1)', 400, /^$/],
    ['redirect_uri=https://', 400, /^$/],
  ]; // prettier-ignore
  for (const [query, status, to] of returns) {
    it(`sends ${query || 'whoever names no address'} ${status === 302 ? 'back with a code' : 'nowhere'}`, async () => {
      const answer = await overHttp2({ path: `/oauth?state=s&code_challenge=c&${query}` });
      assert.equal(answer.status, status);
      assert.match(answer.headers.location ?? '', to);
    });
  }

  it('gives no code without a state and a challenge', async () => {
    for (const query of ['state=s', 'code_challenge=c', '']) {
      assert.equal((await overHttp1({ path: `/oauth?${query}` })).status, 400);
    }
  });
});

describe('what the stand-in has seen', () => {
  it('is noted with everything that came, over either protocol', async () => {
    for (const [ask, httpVersion] of [
      [overHttp1, '1.1'],
      [overHttp2, '2.0'],
    ] as const) {
      // prettier-ignore
      const headers = { 'x-request-id': `id-${httpVersion}`, cookie: 'a=b' };
      await ask({ method: 'POST', path: '/api/x?y=z', headers }, 'hello');
      const { headers: seen, ...rest } = newest();
      assert.deepEqual(rest, {
        ...{ method: 'POST', host, path: '/api/x?y=z', httpVersion, requestId: `id-${httpVersion}`, webSocket: false },
        body: { bytes: 5, sha256: createHash('sha256').update('hello').digest('hex') },
      });
      assert.equal(seen.cookie, 'a=b');
      assert.ok(Object.keys(seen).every((name) => !name.startsWith(':')));
    }
  });

  it('is noted before the body has come, and without one where it never comes', async () => {
    const { total } = standIn.counts();
    const asked = request({ ...options('POST', '/api/half'), headers: { host, 'content-length': 10 } });
    asked.on('error', () => undefined).write('half');
    await eventually('the head was seen', () => Promise.resolve(standIn.counts().total === total + 1));
    assert.deepEqual([newest().path, newest().body], ['/api/half', undefined]);
    asked.destroy();
  });

  it('holds no word about a client that goes away in the middle of an answer', async () => {
    for (const path of ['/slow?milliseconds=10000', '/events?every=5000']) {
      const { total } = standIn.counts();
      const asked = request({ ...options('GET', path), headers: { host } });
      asked.on('error', () => undefined).end();
      await eventually('it was seen', () => Promise.resolve(standIn.counts().total === total + 1));
      asked.destroy();
    }
    assert.equal((await overHttp1({ path: '/console/home' })).status, 200);
  });

  it('goes on after somebody who speaks no HTTP, or no TLS', async () => {
    const socket = connectTls({ host: '127.0.0.1', port: standIn.port, servername: host, ca: certificates.ca });
    socket.on('error', () => undefined).write('nonsense\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    assert.equal((await overHttp2({ path: '/console/home' })).status, 200);
  });
});

describe('the shell of the stand-in', () => {
  it('says again what it hears, text as text and bytes as bytes', async (t) => {
    const socket = await opened(t, '/cloudshell/ws?session=1');
    for (const message of ['whoami', Buffer.from([0, 1, 2])]) {
      const answer = once(socket, 'message');
      socket.send(message);
      const [data, isBinary] = (await answer) as [Buffer, boolean];
      assert.deepEqual([data, isBinary], [Buffer.from(message), typeof message !== 'string']);
    }
    assert.deepEqual([newest().path, newest().webSocket], ['/cloudshell/ws?session=1', true]);
  });

  it('hangs up on a message of more than 1 MiB', async (t) => {
    const socket = await opened(t, '/cloudshell/ws');
    socket.send(Buffer.alloc(1024 * 1024 + 1));
    const [code] = (await once(socket, 'close')) as [number];
    assert.equal(code, 1009);
  });

  it('is nowhere else, which is seen all the same', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${standIn.port}/elsewhere`, webSocketOptions);
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    assert.equal(response.statusCode, 404);
    response.destroy();
    assert.deepEqual([newest().path, newest().webSocket], ['/elsewhere', true]);
  });
});

describe('a stand-in that stops', () => {
  it('hangs up on everybody, may be told twice, and leaves its port', async (t) => {
    const one = await startStandIn({ certificate: certificates, host: '127.0.0.1', port: 0 });
    const session = connectHttp2(`https://127.0.0.1:${one.port}`, { ca: certificates.ca, servername: host });
    session.on('error', () => undefined);
    const socket = new WebSocket(`wss://127.0.0.1:${one.port}/cloudshell/ws`, webSocketOptions);
    socket.on('error', () => undefined);
    const waiting = session.request({ ':path': '/slow?milliseconds=10000' });
    waiting.on('error', () => undefined);
    await once(socket, 'open');
    await eventually('both are there', () => Promise.resolve(one.counts().total === 2));
    const ended = Promise.all([once(session, 'close'), once(socket, 'close')]);
    await Promise.all([one.close(), one.close()]);
    await ended;

    const next = await startStandIn({ certificate: certificates, host: '127.0.0.1', port: one.port });
    t.after(() => next.close());
    assert.equal(next.port, one.port);
  });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function options(method: string, path: string): RequestOptions {
  return { host: '127.0.0.1', port: standIn.port, servername: host, ca: certificates.ca, agent: false, method, path };
}

async function overHttp1({ method = 'GET', path, headers }: Ask, body?: string | Buffer): Promise<Answer> {
  const asked = request({ ...options(method, path), headers: { host, ...headers } }).end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await bytesOf(response) };
}

async function overHttp2({ method = 'GET', path, headers }: Ask, body?: string | Buffer): Promise<Answer> {
  const session = connectHttp2(`https://127.0.0.1:${standIn.port}`, { ca: certificates.ca, servername: host });
  try {
    const stream = session.request({ ...headers, ':method': method, ':path': path, ':authority': host });
    stream.end(body);
    const [{ ':status': status, ...rest }] = (await once(stream, 'response')) as [Record<string, never>];
    return { status: Number(status), headers: rest, body: await bytesOf(stream) };
  } finally {
    session.destroy();
  }
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const webSocketOptions = { ca: certificates.ca, servername: host, headers: { host } };

async function opened(t: TestContext, path: string): Promise<WebSocket> {
  const socket = new WebSocket(`wss://127.0.0.1:${standIn.port}${path}`, webSocketOptions);
  t.after(() => {
    socket.terminate();
  });
  await once(socket, 'open');
  return socket;
}

function newest(): StandIn['requests'][number] {
  const seen = standIn.requests.at(-1);
  assert.ok(seen);
  return seen;
}
