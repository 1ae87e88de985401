import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type { TestContext } from 'node:test';
import test from 'node:test';
import type { Log } from '../../../src/base/log.ts';
import type { PublicServerOptions } from '../../../src/edge/http/public-server.ts';
import { publicServer } from '../../../src/edge/http/public-server.ts';
import { publishedCertificates } from '../../../src/edge/http/published-certificates.ts';
import { testCertificates } from '../demo/test-certificates.ts';
import { ask, say } from './asking.ts';

test('the PAC comes with the type that browsers want, made for the name under which it was asked', async (t) => {
  const server = await open(t, { pac: (host) => `// for ${String(host)}\n` });
  for (const [host, expected] of [
    ['Sekisho.corp.example:18081', 'sekisho.corp.example'],
    ['10.0.0.5', '10.0.0.5'],
    ['[FD00::1]:18081', '[fd00::1]'],
    ['";alert(1)', 'undefined'],
    ['a/b', 'undefined'],
  ] as const) {
    const answer = await ask(server, '/proxy.pac', { headers: { host } });
    assert.equal(answer.headers['content-type'], 'application/x-ns-proxy-autoconfig');
    assert.equal(answer.body.toString(), `// for ${expected}\n`);
  }
});

test('where there is no proxy, the PAC is not there, with a sentence of what to do and no word in the log', async (t) => {
  const told: string[] = [];
  const tell = (message: string) => void told.push(message);
  const log: Log = { error: tell, warn: tell, info: tell, debug: tell, child: () => log };
  const answer = await ask(await open(t, { pac: () => undefined, log }), '/proxy.pac');
  assert.equal(answer.status, 404);
  const { error } = JSON.parse(answer.body.toString()) as { error: string };
  assert.match(error, /forward door/);
  assert.deepEqual(told, []);
});

test('the CA comes as PEM and as DER, and the index names both with their fingerprint', async (t) => {
  const ca = testCertificates().ca;
  const server = await open(t, { certificates: publishedCertificates(ca, 'sekisho-console-root') });
  const { fingerprint256 } = new X509Certificate(ca);
  for (const [path, type, name] of [
    ['/ca.pem', 'application/x-pem-file', 'sekisho-console-root.pem'],
    ['/ca.crt', 'application/x-x509-ca-cert', 'sekisho-console-root.crt'],
  ] as const) {
    const answer = await ask(server, path);
    assert.equal(answer.headers['content-type'], type);
    assert.equal(answer.headers['content-disposition'], `attachment; filename="${name}"`);
    assert.equal(new X509Certificate(answer.body).fingerprint256, fingerprint256);
    const index = await ask(server, '/');
    assert.match(index.body.toString(), new RegExp(`<a href="${path}">${name}</a>, SHA-256 ${fingerprint256}`));
  }
  assert.equal((await ask(server, '/ca.crt')).body[0], 0x30);
});

test('a key that stands in the text beside the certificate is not served', async (t) => {
  const { ca, key } = testCertificates();
  const server = await open(t, { certificates: publishedCertificates(`${ca}\n${key}`, 'root') });
  assert.doesNotMatch((await ask(server, '/ca.pem')).body.toString(), /PRIVATE/);
});

test('what is no CA certificate is not published', () => {
  const { cert, key } = testCertificates();
  for (const pem of ['', key, cert]) assert.throws(() => publishedCertificates(pem, 'root'), { code: 'ca_invalid' });
});

test('HEAD answers what GET does, without the body', async (t) => {
  const server = await open(t, {});
  for (const path of ['/', '/proxy.pac', '/nothing']) {
    const [get, head] = [await ask(server, path), await ask(server, path, { method: 'HEAD' })];
    assert.equal(head.status, get.status);
    assert.equal(head.headers['content-length'], get.headers['content-length']);
    assert.equal(head.headers['content-type'], get.headers['content-type']);
    assert.equal(head.body.length, 0);
  }
});

for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
  test(`${method} gets 405 and what is allowed`, async (t) => {
    const server = await open(t, {});
    for (const path of ['/', '/nothing']) {
      const answer = await ask(server, path, { method });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, 'GET, HEAD');
      assert.deepEqual(Object.keys(JSON.parse(answer.body.toString()) as object), ['error']);
    }
  });
}

for (const path of [
  '/nothing',
  '/ca.key',
  '/healthz',
  '/metrics',
  '/proxy.pac/',
  '/../etc/passwd',
  '/%zz',
  '//',
  '/__proto__',
]) {
  test(`${path} is not there, and says so in JSON`, async (t) => {
    const answer = await ask(await open(t, {}), path);
    assert.equal(answer.status, path === '/%zz' ? 400 : 404);
    assert.deepEqual(Object.keys(JSON.parse(answer.body.toString()) as object), ['error']);
  });
}

for (const path of ['/', '/proxy.pac', '/nothing', '/%zz']) {
  test(`${path} says nothing of what runs here and keeps the browser careful`, async (t) => {
    const { headers } = await ask(await open(t, {}), path);
    assert.equal(headers['server'], undefined);
    assert.equal(headers['x-powered-by'], undefined);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(String(headers['content-security-policy']), /default-src 'none'/);
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['referrer-policy'], 'no-referrer');
  });
}

test('a body is never taken for the next request', async (t) => {
  const server = await open(t, {});
  const hidden = 'GET /proxy.pac HTTP/1.1\r\nHost: a\r\n\r\n';
  const said = await say(server, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`);
  assert.match(said, /^HTTP\/1\.1 405 /);
  assert.equal(said.match(/^HTTP\/1\.1 /gm)?.length, 1);
});

test('headers beyond the limit are refused', async (t) => {
  const said = await say(await open(t, {}), `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(9000)}\r\n\r\n`);
  assert.match(said, /^HTTP\/1\.1 431 /);
});

test('what is not HTTP gets 400 and the line is closed', async (t) => {
  assert.match(await say(await open(t, {}), 'hello\r\n\r\n'), /^HTTP\/1\.1 400 /);
});

async function open(t: TestContext, options: Partial<PublicServerOptions>) {
  const server = await publicServer({
    host: '127.0.0.1',
    port: 0,
    pac: () => '// PAC\n',
    certificates: [],
    ...options,
  });
  t.after(() => server.close());
  return server;
}
