import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/envoy.ts';
import { skipNamespaces } from '../support/netns.ts';
import { envoyUid, far, own } from '../support/door-host-parts.ts';
import { openDoorHost, type DoorHost } from '../support/door-host.ts';

/** Two sidecars that decrypt nothing, one for each family, and one that does. */
const doors = [
  { name: 'hosts', on: 'host', kind: 'sidecar', inspect: 'tunnel', listen: '127.0.0.1:15001', users: 'none' },
  { name: 'hosts-6', on: 'host', kind: 'sidecar', inspect: 'tunnel', listen: '[::1]:15001', users: 'none' },
  { name: 'open', on: 'host', kind: 'sidecar', listen: '127.0.0.1:15002', users: 'none' },
];
/** A name for each test, so that its records are its own. */
const name = (label: string): string => `${label}.console.aws.amazon.com`;
const labels = ['listed', 'foreign', 'six', 'decrypted', 'decrypted-foreign', 'again'];
const off = 'files.example.com';
const user = { SEKISHO_ENVOY_USER: String(envoyUid) };

describe('a host with envoy/redirect', { skip: skipNamespaces }, () => {
  let house: DoorHost;
  before(async () => {
    house = await openDoorHost({
      doors,
      zone: Object.fromEntries(labels.map((label) => [name(label), [far.console]])),
    });
  });
  after(() => house.close());
  const arrived = (at: string): number => house.seen().filter((one) => one.saw !== 'ready' && one.at === at).length;

  test('reaches whatever it likes before anything is set up', async () => {
    assert.match((await house.curl(off, far.foreign, { args: ['-k'] })).stdout, /answers/);
    assert.equal(await quic(house), 'answered');
    assert.equal((await house.redirect('show')).code, 1);
  });

  test('sets the redirect up, twice as well as once, and shows it', async () => {
    for (const time of ['once', 'twice']) {
      const { code, stderr } = await house.redirect('up', user);
      assert.equal(code, 0, time + stderr);
    }
    const { code, stdout } = await house.redirect('show');
    assert.equal(code, 0);
    assert.equal(stdout.match(/redirect to :15001/g)?.length, 1);
  });

  test('reaches the console by its listed name through the sidecar, on record with client, name and dialled address', async () => {
    const { stdout, stderr } = await house.curl(name('listed'), far.console);
    // The console sees Envoy's connection, under the one address of the host.
    assert.match(stdout, new RegExp(`^${far.console} answers ${own}$`, 'm'), stderr);
    const record = await house.record({ 'tls.client.server_name': name('listed'), 'sekisho.entry_type': ended });
    assert.equal(record['sekisho.door'], 'hosts');
    assert.equal(record['client.address'], own);
    assert.equal(record['sekisho.original.address'], far.console);
    assert.equal(record['sekisho.original.port'], 443);
    assert.equal(record['sekisho.upstream.address'], far.console);
    assert.equal(record['sekisho.finding'], undefined);
    assert.ok(Number(record['sekisho.received_bytes']) > 0 && Number(record['sekisho.sent_bytes']) > 0);
  });

  test('does not redirect Envoy’s own connections: one connection of a client is one at the door', async () => {
    const connections = house.records.filter(
      (one) => one['tls.client.server_name'] === name('listed') && one['sekisho.entry_type'] === ended,
    );
    assert.equal(connections.length, 1);
    const { stdout } = await house.curl(off, far.foreign, { uid: envoyUid, args: ['-k'] });
    assert.match(stdout, /answers/);
  });

  test('reaches the listed host and not the foreign one, when it sends a listed name to a foreign address', async () => {
    const before = arrived(far.foreign);
    const { stdout, stderr } = await house.curl(name('foreign'), far.foreign);
    assert.match(stdout, new RegExp(`^${far.console} answers`, 'm'), stderr);
    assert.equal(arrived(far.foreign), before);
    const record = await house.record({ 'tls.client.server_name': name('foreign'), 'sekisho.entry_type': ended });
    assert.equal(record['sekisho.original.address'], far.foreign);
    assert.equal(record['sekisho.upstream.address'], far.console);
    assert.equal(record['sekisho.finding'], 'other_destination');
  });

  test('reaches nobody, when it sends a listed name that leads nowhere to a foreign address', async () => {
    const before = arrived(far.foreign);
    assert.notEqual((await house.curl(name('nowhere'), far.foreign)).code, 0);
    assert.equal(arrived(far.foreign), before);
    const record = await house.record({ 'tls.client.server_name': name('nowhere'), 'sekisho.entry_type': ended });
    assert.equal(record['sekisho.original.address'], far.foreign);
    assert.equal(record['sekisho.upstream.address'], undefined);
    assert.equal(record['sekisho.finding'], undefined);
  });

  test('reaches nobody by a name off the list, and that is on record', async () => {
    const before = arrived(far.foreign);
    assert.notEqual((await house.curl(off, far.foreign, { args: ['-k'] })).code, 0);
    assert.equal(arrived(far.foreign), before);
    const record = await house.record({ 'tls.client.server_name': off, 'sekisho.kind': 'connection' });
    assert.equal(record['sekisho.denied.reason'], 'no_filter_chain');
    assert.equal(record['client.address'], own);
    assert.equal(record['sekisho.original.address'], far.foreign);
  });

  test('takes IPv6 to the door of that family', async () => {
    assert.match((await house.curl(name('six'), far.console6)).stdout, new RegExp(`^${far.console} answers`, 'm'));
    const record = await house.record({ 'tls.client.server_name': name('six'), 'sekisho.entry_type': ended });
    assert.equal(record['sekisho.door'], 'hosts-6');
    assert.equal(record['sekisho.original.address'], far.console6);
    assert.equal(record['sekisho.finding'], 'other_destination');
  });

  test('gets UDP to port 443 refused, and nothing of it leaves', async () => {
    const before = arrived(far.console);
    assert.equal(await quic(house), 'refused');
    assert.equal(arrived(far.console), before);
  });

  test('reaches its own services on port 443 as before', async () => {
    // There is none, which curl could not find out if it had come to the door.
    assert.equal((await house.curl(name('listed'), '127.0.0.1')).code, notConnected);
  });

  test('redirects to another port in one step, and there requests are decrypted and recorded', async () => {
    assert.equal((await house.redirect('up', { ...user, SEKISHO_REDIRECT_PORT: '15002' })).code, 0);
    for (const [label, address, finding] of [
      ['decrypted', far.console, undefined],
      ['decrypted-foreign', far.foreign, 'other_destination'],
    ] as const) {
      assert.match((await house.curl(name(label), address)).stdout, new RegExp(`^${far.console} answers`, 'm'));
      const record = await house.record({ 'server.address': name(label) });
      assert.equal(record['sekisho.door'], 'open');
      assert.equal(record['http.response.status_code'], 200);
      assert.equal(record['sekisho.original.address'], address);
      assert.equal(record['sekisho.finding'], finding);
    }
  });

  test('redirects only the users that it is told', async () => {
    assert.equal((await house.redirect('up', { ...user, SEKISHO_REDIRECT_USERS: '1000 2000-2999' })).code, 0);
    assert.match((await house.curl(off, far.foreign, { args: ['-k'] })).stdout, /answers/);
    for (const uid of [1000, 2500]) {
      assert.notEqual((await house.curl(off, far.foreign, { uid, args: ['-k'] })).code, 0);
    }
  });

  test('refuses connections while no Envoy listens', async () => {
    assert.equal((await house.redirect('up', { ...user, SEKISHO_REDIRECT_PORT: '15003' })).code, 0);
    assert.equal((await house.curl(name('again'), far.console)).code, notConnected);
  });

  test('takes down what it set up and nothing else, twice as well as once', async () => {
    const theirs = 'table inet theirs {\n\tchain theirs {\n\t}\n}\n';
    await house.host.must('nft', 'add table inet theirs; add chain inet theirs theirs');
    for (const time of ['once', 'twice']) assert.equal((await house.redirect('down')).code, 0, time);
    assert.equal(await house.host.must('nft', 'list', 'ruleset'), theirs);
    await eventually('it is as before', async () => (await house.curl(off, far.foreign, { args: ['-k'] })).code === 0);
    assert.equal(await quic(house), 'answered');
  });
});

const ended = 'TcpConnectionEnd';

/** curl's exit code where nobody listens. */
const notConnected = 7;

/** What becomes of a datagram that a client on the host sends to port 443 of the console. */
async function quic({ host }: DoorHost): Promise<string> {
  const send = `exec 3<>/dev/udp/${far.console}/443; echo hello >&3 && timeout 5 head -n 1 <&3`;
  const { stdout, stderr } = await host.run(['bash', '-c', send]);
  if (/answers/.test(stdout)) return 'answered';
  return /not permitted|refused/.test(stderr) ? 'refused' : `${stdout}${stderr}`;
}
