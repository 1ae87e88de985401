import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { startStandIn, type StandIn } from '../../../src/edge/demo/stand-in.ts';
import { visitor, type Visitor, type VisitorOptions } from '../../../src/edge/demo/visitor.ts';
import { eventually } from '../../support/envoy.ts';
import { handMadeProxy, type HandMadeProxy, type ProxyBehaviour } from './hand-made-proxy.ts';
import { testCertificates } from './test-certificates.ts';

const host = 'console.aws.amazon.com';
const url = `https://${host}/console/home`;
const certificates = testCertificates();

/** Every pair of protocols: to the proxy, and inside the tunnel. */
const protocols: { speaks: 'plain' | 'tls' | 'h2'; http: 1 | 2 }[] = [
  { speaks: 'plain', http: 1 },
  { speaks: 'plain', http: 2 },
  { speaks: 'tls', http: 1 },
  { speaks: 'tls', http: 2 },
  { speaks: 'h2', http: 1 },
  { speaks: 'h2', http: 2 },
];

describe('a visitor behind a proxy', () => {
  for (const { speaks, http } of protocols) {
    it(`brings a request and its answer through a ${speaks} proxy with HTTP/${http} in the tunnel`, async (t) => {
      const { proxy, standIn, person } = await house(t, { speaks });
      const body = 'x'.repeat(100_000);
      const answer = await person.request({ method: 'POST', url: `https://${host}/api/list?a=1`, http, body });
      assert.deepEqual([answer.connectStatus, answer.status], [200, 200]);
      const sha256 = createHash('sha256').update(body).digest('hex');
      assert.equal((JSON.parse(answer.body.toString()) as { sha256: string }).sha256, sha256);
      assert.deepEqual(proxy.came.map(({ method, target }) => [method, target]), [['CONNECT', `${host}:443`]]); // prettier-ignore
      const { method, path, httpVersion } = only(standIn.requests);
      assert.deepEqual([method, path, httpVersion], ['POST', '/api/list?a=1', `${http}.${http === 1 ? 1 : 0}`]);
      assert.deepEqual(only(standIn.requests).body, { bytes: body.length, sha256 });
    });

    it(`uses the tunnel through a ${speaks} proxy again for the next request of HTTP/${http}`, async (t) => {
      const { proxy, standIn, person } = await house(t, { speaks });
      for (let i = 0; i < 3; i++) assert.equal((await person.request({ url, http })).status, 200);
      assert.deepEqual([proxy.came.length, standIn.requests.length], [1, 3]);
    });

    it(`finds a new way through a ${speaks} proxy that cut a tunnel of HTTP/${http}`, async (t) => {
      const { proxy, person } = await house(t, { speaks });
      await person.request({ url, http });
      proxy.cut();
      // Whoever comes before the end of the connection has reached this side is hung up on.
      const again = () => person.request({ url, http }).then(({ status }) => status === 200, () => false); // prettier-ignore
      await eventually('a request is answered again', again);
      assert.ok(proxy.came.length > 1);
    });
  }

  it('opens more tunnels of HTTP/1.1 for requests that overlap, and shares one of HTTP/2', async (t) => {
    for (const [http, tunnels] of [
      [1, 5],
      [2, 1],
    ] as const) {
      // prettier-ignore
      const { proxy, person } = await house(t, {});
      const slow = { url: `https://${host}/slow?milliseconds=50`, http };
      const answers = await Promise.all(Array.from({ length: 5 }, () => person.request(slow)));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.equal(proxy.came.length, tunnels, `HTTP/${http}`);
    }
  });

  for (const http of [1, 2] as const) {
    it(`asks CONNECT for something else than the URL where it is told to, in a tunnel of its own (HTTP/${http})`, async (t) => {
      const { proxy, person } = await house(t, {});
      await person.request({ url, http });
      const answer = await person.request({ url, http, connectTo: 'signin.aws.amazon.com:8443' });
      assert.equal(answer.status, 200);
      await person.request({ url, http });
      assert.deepEqual(proxy.came.map(({ target }) => target), [`${host}:443`, 'signin.aws.amazon.com:8443']); // prettier-ignore
    });

    it(`sends the Host that it is told to, whatever the tunnel leads to (HTTP/${http})`, async (t) => {
      const { standIn, person } = await house(t, {});
      await person.request({ url, http, headers: { host: 'signin.aws.amazon.com', cookie: 'a=b' } });
      const seen = only(standIn.requests);
      assert.deepEqual([seen.host, seen.headers.cookie], ['signin.aws.amazon.com', 'a=b']);
    });
  }

  it('sends a request in plain text to the proxy itself, with the whole URL as its target', async (t) => {
    const { proxy, person } = await house(t, {}, { proxyHeaders: { 'x-from': 'me' } });
    const answer = await person.request({ url: `http://${host}/a?b=c#d`, headers: { 'x-own': '1' } });
    assert.deepEqual([answer.connectStatus, answer.status, answer.body.toString()], [undefined, 200, 'plain answer']);
    const { method, target, headers } = only(proxy.came);
    assert.deepEqual([method, target], ['GET', `http://${host}/a?b=c`]);
    assert.deepEqual([headers['host'], headers['x-from'], headers['x-own']], [host, 'me', '1']);
  });

  it('sends the headers meant for the proxy with CONNECT and not to the host', async (t) => {
    for (const speaks of ['plain', 'h2'] as const) {
      const { proxy, standIn, person } = await house(t, { speaks }, { proxyHeaders: { 'proxy-authorization': 'B' } });
      await person.request({ url });
      assert.equal(only(proxy.came).headers['proxy-authorization'], 'B');
      assert.equal(only(standIn.requests).headers['proxy-authorization'], undefined);
    }
  });

  it('shows its certificate to a proxy that asks who comes', async (t) => {
    const { clientCert: cert, clientKey: key } = certificates;
    for (const speaks of ['tls', 'h2'] as const) {
      const { proxy, person } = await house(t, { speaks, asksWho: true }, {}, { cert, key });
      assert.equal((await person.request({ url })).status, 200);
      assert.equal(only(proxy.came).person, 'taro');
    }
  });

  it('comes from the address that it is told to', async (t) => {
    const { proxy, person } = await house(t, {}, { localAddress: '127.0.0.9' });
    await person.request({ url });
    assert.equal(only(proxy.came).from, '127.0.0.9');
  });
});

describe('a visitor whom the proxy refuses', () => {
  for (const speaks of ['plain', 'tls', 'h2'] as const) {
    it(`gives the answer of a ${speaks} proxy as it is`, async (t) => {
      const { standIn, person } = await house(t, { speaks, refuses: () => ({ status: 403, body: 'not on the list' }) });
      for (const http of [1, 2] as const) {
        const answer = await person.request({ url, http });
        assert.deepEqual([answer.connectStatus, answer.status], [403, 403]);
        assert.deepEqual([answer.body.toString(), /hand-made/.test(answer.headers.via ?? '')], ['not on the list', true]); // prettier-ignore
      }
      const visit = await person.webSocket(`wss://${host}/cloudshell/ws`, ['hello']);
      assert.deepEqual(visit, { connectStatus: 403, status: 403, echoed: [] });
      assert.equal(standIn.requests.length, 0);
    });
  }

  it('does not wait for a body whose length the proxy did not tell', async (t) => {
    const { person } = await house(t, { refuses: () => ({ status: 407, body: 'who are you', tellsLength: false }) });
    const answer = await person.request({ url });
    assert.deepEqual([answer.status, answer.body.length], [407, 0]);
  });

  it('gets through to another host by the same proxy', async (t) => {
    for (const speaks of ['plain', 'h2'] as const) {
      const refuses = (target: string) => (target.startsWith('evil') ? { status: 403, body: '' } : undefined);
      const { person } = await house(t, { speaks, refuses });
      assert.equal((await person.request({ url: 'https://evil.example/' })).connectStatus, 403);
      assert.equal((await person.request({ url })).status, 200);
    }
  });
});

describe('a visitor who finds no way', () => {
  const unreachable = { code: 'server_unreachable' };

  const ways: [what: string, behaviour: ProxyBehaviour, options: Partial<VisitorOptions>][] = [
    ['the host’s certificate is of another authority', {}, { consoleCa: otherAuthority() }],
    ['the proxy does not answer CONNECT', { refuses: () => 'nothing' }, { timeout: 200 }],
    ['the proxy does not answer CONNECT over HTTP/2', { speaks: 'h2', refuses: () => 'nothing' }, { timeout: 200 }],
    ['the tunnel leads nowhere', { leadsTo: 1 }, {}],
    ['the proxy speaks no HTTP/2', { speaks: 'tls' }, { proxyHttp: 2 }],
    ['the proxy wants a certificate that it has not', { speaks: 'tls', asksWho: true }, {}],
  ];
  for (const [what, behaviour, options] of ways) {
    it(`says so where ${what}`, async (t) => {
      const { person, standIn } = await house(t, behaviour, options);
      const began = Date.now();
      for (const http of [1, 2] as const) await assert.rejects(person.request({ url, http }), unreachable);
      await assert.rejects(person.webSocket(`wss://${host}/cloudshell/ws`, ['hello']), unreachable);
      assert.ok(Date.now() - began < 5000, 'in the time that it was told, the tunnel included');
      assert.equal(standIn.requests.length, 0);
    });
  }

  it('says so where the certificate is for other hosts', async (t) => {
    const { person } = await house(t, {});
    for (const other of ['https://other.example/', 'https://10.0.0.1/', 'https://[::2]/']) {
      await assert.rejects(person.request({ url: other }), unreachable, other);
    }
  });

  it('takes an address in the certificate for a host that is an address', async (t) => {
    const { person, proxy } = await house(t, {});
    assert.equal((await person.request({ url: 'https://127.0.0.1/console/home' })).status, 200);
    assert.equal(only(proxy.came).target, '127.0.0.1:443');
  });

  it('says so where the proxy is another one than it says', async (t) => {
    const { person } = await house(t, { speaks: 'tls' }, {}, { ca: otherAuthority() });
    await assert.rejects(person.request({ url }), unreachable);
    await assert.rejects(person.request({ url: 'http://plain.example/' }), unreachable);
  });

  it('says so where no proxy listens', async (t) => {
    const { person, proxy } = await house(t, {});
    await proxy.close();
    await assert.rejects(person.request({ url }), unreachable);
  });

  for (const http of [1, 2] as const) {
    it(`does not wait longer than it was told to for an answer of HTTP/${http}`, async (t) => {
      const { person, standIn } = await house(t, {}, { timeout: 300 });
      await person.request({ url, http });
      await assert.rejects(person.request({ url: `https://${host}/slow?milliseconds=10000`, http }), unreachable);
      await assert.rejects(person.request({ url: `https://${host}/events?every=5000`, http }), unreachable);
      assert.equal(standIn.requests.length, 3);
    });
  }

  for (const { speaks, http } of protocols) {
    it(`says so at once where a ${speaks} proxy cuts the connection under a request of HTTP/${http}`, async (t) => {
      const { person, proxy, standIn } = await house(t, { speaks }, { timeout: 60_000 });
      const asked = person.request({ url: `https://${host}/slow?milliseconds=10000`, http });
      const refused = assert.rejects(asked, unreachable);
      await eventually('the request is under way', () => Promise.resolve(standIn.requests.length === 1));
      const began = Date.now();
      proxy.cut();
      await refused;
      assert.ok(Date.now() - began < 5000);
    });
  }

  it('says so where the host speaks no HTTP/2', async (t) => {
    const { person } = await house(t, { leadsTo: await plainSite(t, 'old') });
    assert.equal((await person.request({ url })).status, 200);
    await assert.rejects(person.request({ url, http: 2 }), unreachable);
  });

  it('does not let an answer without end fill the memory', async (t) => {
    const { person } = await house(t, { leadsTo: await plainSite(t, Buffer.alloc(17 * 1024 * 1024)) });
    await assert.rejects(person.request({ url }), { code: 'internal' });
  });

  it('says so once it has hung up, which it may do twice', async (t) => {
    for (const speaks of ['plain', 'h2'] as const) {
      const { person, proxy } = await house(t, { speaks });
      await person.request({ url });
      await person.close();
      await person.close();
      await assert.rejects(person.request({ url: `https://signin.aws.amazon.com/` }), unreachable);
      assert.equal(proxy.came.length, 1);
    }
  });
});

describe('a visitor’s WebSocket', () => {
  for (const speaks of ['plain', 'h2'] as const) {
    it(`hears each message back through a ${speaks} proxy`, async (t) => {
      const { person, standIn } = await house(t, { speaks });
      const visit = await person.webSocket(`wss://${host}/cloudshell/ws?a=1`, ['whoami', 'ls'], { cookie: 'a=b' });
      assert.deepEqual(visit, { connectStatus: 200, status: 101, echoed: ['whoami', 'ls'] });
      const { path, webSocket, headers } = only(standIn.requests);
      assert.deepEqual([path, webSocket, headers.cookie], ['/cloudshell/ws?a=1', true, 'a=b']);
    });
  }

  it('gives the status where the host does not upgrade', async (t) => {
    const { person } = await house(t, {});
    const visit = await person.webSocket(`wss://${host}/elsewhere`, ['whoami']);
    assert.deepEqual(visit, { connectStatus: 200, status: 404, echoed: [] });
  });

  it('fails as soon as the host hangs up, as it does on a message that is too long', async (t) => {
    const { person } = await house(t, {}, { timeout: 60_000 });
    const long = 'x'.repeat(1024 * 1024 + 1);
    await assert.rejects(person.webSocket(`wss://${host}/cloudshell/ws`, [long]), { code: 'server_unreachable' });
  });
});

/** A proxy that leads to a stand-in, and somebody who comes by it. */
async function house(
  t: TestContext,
  behaviour: ProxyBehaviour,
  options: Partial<VisitorOptions> = {},
  tls: { ca?: string; cert?: string; key?: string } = {},
): Promise<{ proxy: HandMadeProxy; standIn: StandIn; person: Visitor }> {
  const standIn = await startStandIn({ certificate: certificates, host: '127.0.0.1', port: 0 });
  const proxy = await handMadeProxy({ leadsTo: standIn.port, ...behaviour });
  const { speaks = 'plain' } = behaviour;
  const person = visitor({
    proxy: {
      ...{ host: '127.0.0.1', port: proxy.port },
      ...(speaks !== 'plain' && { tls: { ca: certificates.ca, ...tls } }),
    },
    consoleCa: certificates.ca,
    proxyHttp: speaks === 'h2' ? 2 : 1,
    ...options,
  });
  let closed = false;
  t.after(async () => {
    if (closed) return;
    closed = true;
    await person.close();
    await proxy.close();
    await standIn.close();
  });
  return { proxy, standIn, person };
}

/** A site that speaks HTTP/1.1 alone and has one page. */
async function plainSite(t: TestContext, page: string | Buffer): Promise<number> {
  const server = createServer({ cert: certificates.cert, key: certificates.key }, (_request, response) => {
    response.end(page);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** An authority that has signed nothing here. */
function otherAuthority(): string {
  return certificates.cert;
}

function only<T>(list: readonly T[]): T {
  assert.equal(list.length, 1);
  const [one] = list;
  assert.ok(one !== undefined);
  return one;
}
