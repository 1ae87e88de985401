import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { echoPath } from '../../src/edge/demo/stand-in-sockets.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { openHouse, type House } from '../support/house.ts';
import { peopleCertificates } from '../../src/edge/demo/people.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const consoleHost = 'us-east-1.console.aws.amazon.com';
const signInHost = 'signin.aws.amazon.com';

let house: House;
before(async () => {
  house = await openHouse({
    policy: (policy) => {
      // A door that only one network may use.
      const door = { on: 'egress', kind: 'forward', users: 'none' } as const;
      const at = policy.doors[0]?.listen.replace(':3128', ':3130') ?? '';
      policy.doors.push({ ...door, name: 'floor-3', listen: at, from: ['127.200.3.0/24'] });
    },
  });
});
after(() => house.close());

// Every record needs up to a second; together they wait once.
describe('a door', { concurrency: 50 }, () => {
  test('records of requests carry the true address of each client, and the stream id of its CONNECT', async () => {
    for (const from of ['127.200.1.1', '127.201.2.2', '127.202.3.3']) {
      const path = `/api/from-${from}`;
      const person = house.visitor({ localAddress: from });
      assert.equal((await person.request({ url: `https://${consoleHost}${path}` })).status, 200);
      // A CONNECT is on record once its tunnel ends.
      await person.close();
    }
    for (const from of ['127.200.1.1', '127.201.2.2', '127.202.3.3']) {
      const inner = await house.record({ 'url.path': `/api/from-${from}`, 'sekisho.log': 'lab/http' });
      assert.equal(inner['client.address'], from);
      const outer = await house.record({ 'sekisho.stream_id': text(inner, 'sekisho.tunnel_id') });
      assert.deepEqual(
        pick(outer, ['http.request.method', 'client.address', 'client.port', 'server.address', 'sekisho.log']),
        {
          'http.request.method': 'CONNECT',
          'client.address': from,
          'client.port': inner['client.port'],
          'server.address': consoleHost,
          'sekisho.log': 'lab/connect',
        },
      );
      assert.equal(inner['user.id'], undefined);
      assert.equal(inner['sekisho.door'], 'lab');
      assert.equal(inner['sekisho.node'], 'egress-1');
      assert.equal(inner['sekisho.identity'], 'certificate');
    }
  });

  test('requests in one tunnel have ids of their own and share the tunnel’s', async () => {
    const person = house.visitor();
    for (const path of ['/api/shared-1', '/api/shared-2'])
      await person.request({ url: `https://${consoleHost}${path}` });
    const first = await house.record({ 'url.path': '/api/shared-1' });
    const second = await house.record({ 'url.path': '/api/shared-2' });
    assert.equal(first['sekisho.tunnel_id'], second['sekisho.tunnel_id']);
    assert.notEqual(first['sekisho.stream_id'], second['sekisho.stream_id']);
  });

  test('a person with a client certificate is on the record of the request and of the CONNECT', async () => {
    const person = house.visitor({ door: 'office' });
    await person.request({ url: `https://${consoleHost}/api/with-certificate` });
    await person.close();
    const inner = await house.record({ 'url.path': '/api/with-certificate', 'sekisho.log': 'office/http' });
    assert.deepEqual(pick(inner, ['user.id', 'tls.client.subject']), {
      'user.id': 'taro.yamada',
      'tls.client.subject': 'CN=taro.yamada,OU=people,O=Sekisho',
    });
    const outer = await house.record({ 'sekisho.stream_id': text(inner, 'sekisho.tunnel_id') });
    assert.equal(outer['user.id'], 'taro.yamada');
    assert.equal(outer['client.address'], inner['client.address']);
  });

  test('without a certificate, or with one of another authority, the handshake is refused and nothing passes', async () => {
    const folder = join(house.dir, 'strangers');
    const stranger = await peopleCertificates(folder, 'taro.yamada');
    const foreign = { cert: await readFile(stranger.certificate, 'utf8'), key: await readFile(stranger.key, 'utf8') };
    // A server's certificate of the console CA is none of a person.
    const server = await house.issue([consoleHost]);
    for (const certificate of ['none', foreign, server] as const) {
      await assert.rejects(
        house.visitor({ door: 'office', certificate }).request({ url: `https://${consoleHost}/api/refused-handshake` }),
        { code: 'server_unreachable' },
      );
    }
    assert.ok(house.standIn.requests.every(({ path }) => path !== '/api/refused-handshake'));
  });

  for (const proxyHttp of [1, 2] as const) {
    for (const http of [1, 2] as const) {
      for (const door of ['lab', 'office'] as const) {
        test(`HTTP/${http} passes in a tunnel by HTTP/${proxyHttp} through ${door}`, async () => {
          const path = `/api/http-${http}-in-${proxyHttp}-${door}`;
          const person = house.visitor({ door, proxyHttp });
          const body = 'x'.repeat(40_000);
          const asked = { method: 'POST', url: `https://${consoleHost}${path}`, body, http };
          const [one, two] = await Promise.all([person.request(asked), person.request(asked)]);
          assert.deepEqual([one.status, two.status], [200, 200]);
          assert.equal((JSON.parse(one.body.toString()) as { bytes: number }).bytes, body.length);
          await person.close();
          const inner = await house.record({ 'url.path': path });
          assert.deepEqual(pick(inner, ['network.protocol.version', 'http.request.body.size', 'sekisho.door']), {
            'network.protocol.version': http === 2 ? '2' : '1.1',
            'http.request.body.size': body.length,
            'sekisho.door': door,
          });
          const outer = await house.record({ 'sekisho.stream_id': text(inner, 'sekisho.tunnel_id') });
          assert.equal(outer['network.protocol.version'], proxyHttp === 2 ? '2' : '1.1');
          assert.equal(outer['client.port'], inner['client.port']);
        });
      }
    }
  }

  test('a WebSocket echoes through the door and is on record with what passed', async () => {
    const visit = await house
      .visitor({ door: 'office' })
      .webSocket(`wss://${consoleHost}${echoPath}?from=door-test`, ['one', 'two']);
    assert.deepEqual(visit, { connectStatus: 200, status: 101, echoed: ['one', 'two'] });
    const record = await house.record({ 'url.path': echoPath, 'url.query': 'from=door-test' });
    assert.deepEqual(pick(record, ['http.response.status_code', 'user.id', 'sekisho.route']), {
      'http.response.status_code': 101,
      'user.id': 'taro.yamada',
      'sekisho.route': 'websocket',
    });
  });

  test('the ARN that a cookie claims is on record, and a cookie without one leaves nothing', async () => {
    const arn = 'arn:aws:sts::123456789012:assumed-role/Admin/taro.yamada';
    const cookie = (value: object) => ({
      cookie: `a=b; aws-userInfo=${encodeURIComponent(JSON.stringify(value))}; c=d`,
    });
    const person = house.visitor();
    const ask = (path: string, http: 1 | 2, value: object) =>
      person.request({ url: `https://${consoleHost}${path}`, http, headers: cookie(value) });
    await ask('/api/arn-1', 1, { arn, alias: '' });
    await ask('/api/arn-2', 2, { alias: '', arn });
    await ask('/api/arn-none', 1, { username: 'nobody-knows-this' });
    await ask('/api/arn-forged', 1, { arn: 'DROP TABLE' });
    const claimed = async (path: string) => (await house.record({ 'url.path': path }))['sekisho.claimed_arn'];
    assert.equal(await claimed('/api/arn-1'), arn);
    assert.equal(await claimed('/api/arn-2'), arn);
    assert.equal(await claimed('/api/arn-none'), undefined);
    assert.equal(await claimed('/api/arn-forged'), undefined);
    assert.ok(!JSON.stringify(house.records).includes('nobody-knows-this'));
  });

  const refused: [name: string, url: string, server: string][] = [
    ['a host off the list', 'https://files.example.com/', 'files.example.com'],
    ['two labels under a wildcard of one', 'https://a.b.console.aws.amazon.com/', 'a.b.console.aws.amazon.com'],
    ['the suffix of a wildcard itself', 'https://awsstatic.com/', 'awsstatic.com'],
    [
      'a host that begins as an admitted one',
      'https://signin.aws.amazon.com.example/',
      'signin.aws.amazon.com.example',
    ],
    ['a host that ends as an admitted one', 'https://evilsignin.aws.amazon.com/', 'evilsignin.aws.amazon.com'],
    ['another port of an admitted host', `https://${signInHost}:8443/`, signInHost],
    [
      'another port under a wildcard',
      `https://eu-west-1.console.aws.amazon.com:22/`,
      'eu-west-1.console.aws.amazon.com',
    ],
    ['an IPv4 address', 'https://127.0.0.1/', '127.0.0.1'],
    ['an IPv6 address', 'https://[::1]/', '::1'],
  ];
  for (const [index, [name, url, server]] of refused.entries()) {
    for (const proxyHttp of [1, 2] as const) {
      test(`CONNECT to ${name} is refused and on record, by HTTP/${proxyHttp}`, async () => {
        const localAddress = `127.210.${proxyHttp}.${index + 1}`;
        const { connectStatus, body } = await house.visitor({ localAddress, proxyHttp }).request({ url });
        assert.equal(connectStatus, 403);
        assert.match(body.toString(), /^sekisho: /);
        const record = await house.record({ 'client.address': localAddress });
        assert.deepEqual(
          pick(record, ['http.request.method', 'server.address', 'http.response.status_code', 'sekisho.denied.reason']),
          {
            'http.request.method': 'CONNECT',
            'server.address': server,
            'http.response.status_code': 403,
            'sekisho.denied.reason': 'host',
          },
        );
      });
    }
  }

  for (const url of ['http://files.example.com/plain-a', `http://${signInHost}/plain-b`, 'http://127.0.0.1/plain-c']) {
    test(`${url} in plain text is refused and on record`, async () => {
      const answer = await house.visitor().request({ url });
      assert.equal(answer.status, 403);
      const record = await house.record({ 'url.path': new URL(url).pathname });
      assert.deepEqual(pick(record, ['sekisho.log', 'http.request.method', 'sekisho.denied.reason']), {
        'sekisho.log': 'lab/connect',
        'http.request.method': 'GET',
        'sekisho.denied.reason': 'host',
      });
    });
  }

  const foreignHosts = ['files.example.com', 'a.b.console.aws.amazon.com', `${signInHost}:8443`, '127.0.0.1'];
  for (const host of foreignHosts) {
    for (const http of [1, 2] as const) {
      test(`Host ${host} inside an admitted tunnel is refused and on record, by HTTP/${http}`, async () => {
        const path = `/foreign-${http}-${host.replaceAll(/\W/g, '-')}`;
        const answer = await house.visitor().request({ url: `https://${signInHost}${path}`, headers: { host }, http });
        assert.equal(answer.status, 403);
        assert.equal(answer.connectStatus, 200);
        const record = await house.record({ 'url.path': path });
        assert.deepEqual(pick(record, ['sekisho.log', 'tls.client.server_name', 'sekisho.denied.reason']), {
          'sekisho.log': 'lab/http',
          'tls.client.server_name': signInHost,
          'sekisho.denied.reason': 'host',
        });
        assert.ok(house.standIn.requests.every((seen) => seen.path !== path));
      });
    }
  }

  test('another admitted Host in a tunnel reaches that host, and its record says both names', async () => {
    const url = `https://${signInHost}/api/other-admitted`;
    const answer = await house.visitor().request({ url, headers: { host: consoleHost } });
    assert.equal(answer.status, 200);
    const record = await house.record({ 'url.path': '/api/other-admitted' });
    assert.equal(record['server.address'], consoleHost);
    assert.equal(record['tls.client.server_name'], signInHost);
  });

  for (const server of ['files.example.com', 'a.b.console.aws.amazon.com']) {
    test(`server name ${server} inside an admitted CONNECT is closed, with a record of the connection`, async () => {
      const localAddress = server.startsWith('a') ? '127.211.0.1' : '127.211.0.2';
      const person = house.visitor({ localAddress, door: 'office' });
      const asked = { url: `https://${server}/`, connectTo: `${signInHost}:443` };
      await assert.rejects(person.request(asked), { code: 'server_unreachable' });
      const record = await house.record({ 'client.address': localAddress, 'sekisho.log': 'office/connection' });
      assert.deepEqual(pick(record, ['sekisho.kind', 'tls.client.server_name', 'user.id', 'sekisho.denied.reason']), {
        'sekisho.kind': 'connection',
        'tls.client.server_name': server,
        'user.id': 'taro.yamada',
        'sekisho.denied.reason': 'no_filter_chain',
      });
      const outer = await house.record({ 'sekisho.stream_id': text(record, 'sekisho.tunnel_id') });
      assert.equal(outer['client.address'], localAddress);
    });
  }

  test('who comes from a network that the door does not serve is closed, with a record of the connection', async () => {
    const url = `https://${consoleHost}/api/floor-3`;
    assert.equal((await house.visitor({ door: 'floor-3', localAddress: '127.200.3.9' }).request({ url })).status, 200);
    const stranger = house.visitor({ door: 'floor-3', localAddress: '127.200.4.9' });
    await assert.rejects(stranger.request({ url }), { code: 'server_unreachable' });
    const record = await house.record({ 'client.address': '127.200.4.9' });
    assert.deepEqual(pick(record, ['sekisho.kind', 'sekisho.door', 'sekisho.denied.reason']), {
      'sekisho.kind': 'connection',
      'sekisho.door': 'floor-3',
      'sekisho.denied.reason': 'no_filter_chain',
    });
  });
});

function pick(record: NamedRecord, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, record[name]]));
}

function text(record: NamedRecord, name: string): string {
  return String(record[name]);
}
