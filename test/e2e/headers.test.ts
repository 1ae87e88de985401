import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { echoPath } from '../../src/edge/demo/stand-in-sockets.ts';
import type { SeenRequest } from '../../src/edge/demo/seen-requests.ts';
import { openHouse, type House } from '../support/house.ts';

const consoleHost = 'us-east-1.console.aws.amazon.com';
const forgery = 'forged-value';

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.close());

/** What a client says of itself and nobody may believe. */
const forged: Readonly<Record<string, string>> = {
  'x-forwarded-for': '8.8.8.8',
  'x-forwarded-host': `${forgery}.example`,
  'x-forwarded-port': forgery,
  'x-forwarded-proto': 'http',
  'x-forwarded-client-cert': `By=${forgery}`,
  'x-real-ip': '8.8.4.4',
  'x-request-id': `${forgery}-id`,
  'x-sekisho-user': forgery,
  'X-Sekisho-Client': forgery,
  'x-envoy-external-address': '8.8.8.8',
  'x-envoy-original-path': `/${forgery}`,
  'x-envoy-internal': 'true',
  'x-envoy-upstream-rq-timeout-ms': '1',
  'x-envoy-retry-on': '5xx',
  'x-envoy-decorator-operation': forgery,
  'x-envoy-original-dst-host': '127.0.0.1:1',
  forwarded: 'for=8.8.8.8',
  via: `1.1 ${forgery}`,
};

/** What concerns the connection to the proxy, or is for the proxy alone. */
const hopByHop: Readonly<Record<string, string>> = {
  'proxy-authorization': `Basic ${forgery}`,
  'proxy-connection': 'keep-alive',
  'keep-alive': 'timeout=9',
  te: 'gzip',
  connection: 'keep-alive, x-hop',
  'x-hop': forgery,
};

const forbidden = [
  /^x-forwarded-/,
  /^x-envoy-/,
  /^x-sekisho-/,
  /^proxy-/,
  /^(forwarded|via|keep-alive|te|transfer-encoding|connection)$/,
];

describe('what a client says of itself', { concurrency: 12 }, () => {
  for (const http of [1, 2] as const) {
    test(`reaches neither the console nor the record, by HTTP/${http}`, async () => {
      const path = `/slow`;
      const query = `milliseconds=200&forged=${http}`;
      // HTTP/2 has no headers of the connection (RFC 9113 section 8.2.2); Node refuses to send them.
      const headers = { ...forged, ...(http === 1 ? hopByHop : { 'proxy-authorization': 'Basic Zm9yZ2Vk' }) };
      const localAddress = `127.220.0.${http}`;
      const person = house.visitor({ localAddress, proxyHeaders: { ...forged, ...proxyAuthorization } });
      const answer = await person.request({ url: `https://${consoleHost}${path}?${query}`, headers, http });
      // Neither the time limit nor the other destination was obeyed.
      assert.equal(answer.status, 200);
      await person.close();

      const seen = seenAt(`${path}?${query}`);
      assertClean(seen);
      assert.equal(seen.headers['x-real-ip'], '8.8.4.4');

      const record = await house.record({ 'url.path': path, 'url.query': query });
      assert.equal(record['client.address'], localAddress);
      assert.equal(record['url.scheme'], 'https');
      assert.equal(record['user.id'], undefined);
      assert.equal(record['sekisho.stream_id'], seen.requestId);
      const outer = await house.record({ 'sekisho.stream_id': String(record['sekisho.tunnel_id']) });
      assert.equal(outer['client.address'], localAddress);
      for (const one of [record, outer]) {
        const said = JSON.stringify(one);
        for (const lie of [forgery, '8.8.8.8', 'Zm9yZ2Vk']) assert.ok(!said.includes(lie), `${lie} in ${said}`);
      }
    });
  }

  test('reaches neither with the upgrade of a WebSocket', async () => {
    const path = `${echoPath}?forged=socket`;
    const { status } = await house.visitor().webSocket(`wss://${consoleHost}${path}`, ['hello'], {
      ...forged,
      'proxy-authorization': `Basic ${forgery}`,
    });
    assert.equal(status, 101);
    const seen = seenAt(path);
    assertClean(seen, ['connection']);
    const record = await house.record({ 'sekisho.stream_id': seen.requestId ?? '' });
    assert.ok(!JSON.stringify(record).includes(forgery));
  });

  test('does not name the user of a refused request either', async () => {
    const localAddress = '127.220.1.1';
    const person = house.visitor({ localAddress, proxyHeaders: { ...forged, ...proxyAuthorization } });
    assert.equal((await person.request({ url: 'https://files.example.com/' })).connectStatus, 403);
    assert.equal((await person.request({ url: 'http://files.example.com/plain', headers: forged })).status, 403);
    for (const method of ['CONNECT', 'GET']) {
      const record = await house.record({ 'client.address': localAddress, 'http.request.method': method });
      assert.equal(record['user.id'], undefined);
      assert.ok(!JSON.stringify(record).includes(forgery));
    }
  });

  test('answers carry nothing of Envoy but the console’s own words', async () => {
    for (const http of [1, 2] as const) {
      const { headers } = await house.visitor().request({ url: `https://${consoleHost}/console/home`, http });
      for (const name of Object.keys(headers))
        assert.doesNotMatch(name, /^(x-envoy|x-sekisho|x-request-id|server|via)/);
    }
  });
});

const proxyAuthorization = { 'proxy-authorization': 'Basic Zm9yZ2Vk' };

function seenAt(path: string): SeenRequest {
  const [seen, ...more] = house.standIn.requests.filter((request) => request.path === path);
  assert.ok(seen, `the stand-in did not see ${path}`);
  assert.equal(more.length, 0);
  return seen;
}

function assertClean({ headers }: SeenRequest, allowed: readonly string[] = []): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!allowed.includes(name))
      assert.ok(!forbidden.some((pattern) => pattern.test(name)), `${name}: ${String(value)}`);
    assert.ok(!String(value).includes(forgery), `${name}: ${String(value)}`);
  }
}
