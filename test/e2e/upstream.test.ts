import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startDns, type DnsServer } from '../support/dns.ts';
import { eventually, ownLoopback } from '../support/envoy.ts';
import { openHouse, type House } from '../support/house.ts';
import { sekisho } from '../support/sekisho.ts';

/** Where the names of the console lead; the first label says to whom. */
const zone: Readonly<Record<string, readonly string[]>> = {
  'loopback.console.aws.amazon.com': ['127.0.0.1'],
  'private-a.console.aws.amazon.com': ['10.0.0.1'],
  'private-b.console.aws.amazon.com': ['172.16.0.1'],
  'private-c.console.aws.amazon.com': ['192.168.0.1'],
  'carrier.console.aws.amazon.com': ['100.64.0.1'],
  'metadata.console.aws.amazon.com': ['169.254.169.254'],
  'zero.console.aws.amazon.com': ['0.0.0.0'],
  'broadcast.console.aws.amazon.com': ['255.255.255.255'],
  'loopback-6.console.aws.amazon.com': ['::1'],
  'unspecified-6.console.aws.amazon.com': ['::'],
  'mapped.console.aws.amazon.com': ['::ffff:127.0.0.1'],
  'nat64.console.aws.amazon.com': ['64:ff9b::127.0.0.1'],
  'link-local-6.console.aws.amazon.com': ['fe80::1'],
  'metadata-6.console.aws.amazon.com': ['fd00:ec2::254'],
  'many.console.aws.amazon.com': ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:10.0.0.1'],
};

const source = '127.0.0.77';
const egress = ['51.44.71.80/32', '2406:da14::1/128'];
const pinned = 'console.aws.amazon.com';

let dns: DnsServer;
let house: House;
let echo: Server;
before(async () => {
  dns = await startDns(ownLoopback(), {
    ...zone,
    'egress.console.aws.amazon.com': ['51.44.71.80'],
    'egress-6.console.aws.amazon.com': ['2406:da14::1'],
    // Documentation (RFC 5737, RFC 3849): nobody has these, and no packet with a loopback source leaves this machine.
    'elsewhere.console.aws.amazon.com': ['192.0.2.1'],
    'elsewhere-6.console.aws.amazon.com': ['2001:db8::1'],
    [pinned]: ['10.0.0.1'],
  });
  house = await openHouse({
    policy: (policy) => {
      policy.fleet.egress = [...egress];
      policy.fleet.nodes.egress = policy.fleet.nodes.egress.map((node) => ({ ...node, source }));
      policy.console.resolvers = [dns.at];
      policy.console.pins = { [pinned]: policy.console.pins[pinned] ?? [] };
    },
  });
  const unchained = await house.otherStandIn(['signin.aws.amazon.com'], 'foreign');
  const misnamed = await house.otherStandIn(['health.aws.amazon.com'], 'trusted');
  echo = createServer(await house.issue(['us-east-1.signin.aws']), (request, response) => {
    response.end(request.socket.remoteAddress);
  });
  echo.listen(0, house.address);
  await once(echo, 'listening');
  await house.reload(({ console: { pins } }) => {
    pins['signin.aws.amazon.com'] = [unchained.at];
    pins['us-east-1.signin.aws.amazon.com'] = [misnamed.at];
    pins['us-east-1.signin.aws'] = [`${house.address}:${(echo.address() as AddressInfo).port}`];
  });
  await eventually('Envoy has the pins', async () => {
    const answer = await house.visitor().request({ url: 'https://us-east-1.signin.aws/' });
    return answer.status === 200;
  });
});
after(async () => {
  echo.closeAllConnections();
  echo.close();
  await house.close();
  await dns.close();
});

describe('on the way to the console', { concurrency: 50 }, () => {
  const untrusted: [name: string, host: string, why: RegExp][] = [
    ['that chains to no trusted authority', 'signin.aws.amazon.com', /CERTIFICATE_VERIFY_FAILED/],
    ['for another host', 'us-east-1.signin.aws.amazon.com', /SAN/],
  ];
  for (const [name, host, why] of untrusted) {
    for (const upgrade of [false, true]) {
      test(`a certificate ${name} gives 503 and a record that says why${upgrade ? ', for a WebSocket, too' : ''}`, async () => {
        const path = `/api/untrusted-${String(upgrade)}`;
        const person = house.visitor();
        if (upgrade) assert.equal((await person.webSocket(`wss://${host}${path}`, ['x'])).status, 503);
        else {
          const answer = await person.request({ url: `https://${host}${path}` });
          assert.equal(answer.status, 503);
          // What the other end showed is for the record, not for the client.
          assert.doesNotMatch(answer.body.toString(), /health\.aws/);
        }
        const record = await house.record({ 'url.path': path, 'server.address': host });
        assert.equal(record['http.response.status_code'], 503);
        assert.match(String(record['sekisho.upstream.failure']), why);
      });
    }
  }

  for (const [host, addresses] of Object.entries(zone)) {
    test(`${addresses.join(' and ')} is never dialled for a name of the console`, async () => {
      const answer = await house.visitor().request({ url: `https://${host}/` });
      assert.equal(answer.status, 503);
      assert.ok(dns.asked.has(host));
      await assertUnresolved(host);
    });
  }

  for (const host of ['egress.console.aws.amazon.com', 'egress-6.console.aws.amazon.com']) {
    test(`a name that leads to the fleet’s own egress address (${host.split('.')[0] ?? ''}) is refused as a loop`, async () => {
      assert.equal((await house.visitor().request({ url: `https://${host}/` })).status, 503);
      assert.ok(dns.asked.has(host));
      await assertUnresolved(host);
    });
  }

  test('a host that is pinned is dialled where the pin says, and its name is not asked for', async () => {
    assert.equal((await house.visitor().request({ url: `https://${pinned}/console/home` })).status, 200);
    assert.ok(!dns.asked.has(pinned));
  });

  test('the console sees the source address of the node', async () => {
    const answer = await house
      .visitor({ localAddress: '127.230.0.1' })
      .request({ url: 'https://us-east-1.signin.aws/' });
    assert.equal(answer.body.toString(), source);
  });

  for (const host of ['elsewhere.console.aws.amazon.com', 'elsewhere-6.console.aws.amazon.com']) {
    test(`an address that nobody forbids (${host.split('.')[0] ?? ''}) is dialled, so the tests above can fail`, async () => {
      assert.equal((await house.visitor().request({ url: `https://${host}/` })).status, 503);
      const record = await house.record({ 'server.address': host, 'http.request.method': 'GET' });
      assert.deepEqual(record['sekisho.response_flags'], ['UF']);
    });
  }
});

test('sekisho check refuses a pin to a door of the policy, with its place', async () => {
  const file = join(house.dir, 'loop.yaml');
  const text = `fleet: { name: house, egress: [51.44.71.80/32], nodes: { egress: [{ id: egress-1, address: 198.51.100.7 }] } }
doors:
  - { name: lab, on: egress, kind: forward, listen: 127.0.0.1:3128, users: none }
console:
  regions: [us-east-1]
  pins:
    signin.aws.amazon.com: [10.0.0.9, 127.0.0.1:3128]
record: { assurance: stream }
`;
  await writeFile(file, text);
  const { code, stdout } = await sekisho(['check', '-c', file, '--no-envoy']);
  assert.equal(code, 1);
  assert.match(stdout, new RegExp(`^${file}:7:\\d+: 127\\.0\\.0\\.1:3128 is doors\\[0\\] itself`));
});

/** Refused before any connection: Envoy had no address left to dial. */
async function assertUnresolved(host: string): Promise<void> {
  const record = await house.record({ 'server.address': host, 'http.request.method': 'GET' });
  assert.deepEqual(record['sekisho.response_flags'], ['DF']);
  assert.match(String(record['sekisho.response_code_details']), /dns_resolution_failure/);
  assert.equal(record['sekisho.upstream.address'], undefined);
}
