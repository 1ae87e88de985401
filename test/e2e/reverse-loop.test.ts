import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { far, own, ownToo } from '../support/door-host-parts.ts';
import { openDoorHost, type DoorHost } from '../support/door-host.ts';
import { skipNamespaces } from '../support/netns.ts';

/** One that decrypts on the address that the fleet goes out with, one that does not on an address of which only the door tells. */
const door = { on: 'host', kind: 'reverse', users: 'none', reason: 'a test in a network of its own' };
const doors = [
  { ...door, name: 'lan', listen: `${own}:443` },
  { ...door, name: 'pass', listen: `${ownToo}:443`, inspect: 'tunnel' },
];
const name = (label: string): string => `${label}.console.aws.amazon.com`;
const addressOf = { lan: own, pass: ownToo } as const;

describe('a reverse door whose host thinks that the console is the door,', { skip: skipNamespaces }, () => {
  let house: DoorHost;
  before(async () => {
    const looped = [`${own} ${name('looped-lan')}`, `${ownToo} ${name('looped-pass')}`];
    house = await openDoorHost({
      doors,
      zone: {
        [name('real')]: [far.console],
        [name('looped-lan')]: [far.console],
        [name('looped-pass')]: [far.console],
        [name('poisoned')]: [own, ownToo],
      },
      splitZone: { [name('real')]: [own] },
      files: {
        '/etc/hosts': ['127.0.0.1 localhost', ...looped, ''].join('\n'),
        '/etc/resolv.conf': `nameserver ${far.splitDns}\n`,
      },
    });
  });
  after(() => house.close());

  for (const at of ['lan', 'pass'] as const) {
    test(`reaches the console by console.resolvers, though the host’s own DNS leads to the door (${at})`, async () => {
      assert.match(await house.host.must('getent', 'hosts', name('real')), new RegExp(own));
      const { stdout, stderr } = await house.curl(name('real'), addressOf[at], { from: house.side });
      assert.match(stdout, new RegExp(`^${far.console} answers ${own}$`, 'm'), stderr);
      const record = await house.record({ 'sekisho.door': at, 'sekisho.upstream.address': far.console });
      assert.equal(record['client.address'], far.console);
    });
  }

  for (const [why, label] of [
    ['the hosts file, which is read before any resolver is asked', 'looped-lan'],
    ['a resolver that was told so', 'poisoned'],
  ] as const) {
    test(`answers 503 and asks itself nothing where it learns that from ${why}`, async () => {
      const total = await connections(own);
      const args = ['-o', '/dev/null', '-w', '%{http_code}'];
      const { stdout } = await house.curl(name(label), own, { from: house.side, args });
      assert.equal(stdout.trim(), '503');
      const record = await house.record({ 'server.address': name(label) });
      assert.deepEqual(record['sekisho.response_flags'], ['DF']);
      assert.equal(record['sekisho.upstream.address'], undefined);
      assert.equal(await connections(own), total + 1);
    });
  }

  for (const label of ['looped-pass', 'poisoned']) {
    test(`closes what it does not decrypt and dials nobody (${label})`, async () => {
      const total = await connections(ownToo);
      assert.notEqual((await house.curl(name(label), ownToo, { from: house.side })).code, 0);
      const wanted = { 'sekisho.door': 'pass', 'sekisho.entry_type': 'TcpConnectionEnd' };
      const record = await house.record({ ...wanted, 'tls.client.server_name': name(label) });
      assert.equal(record['sekisho.upstream.address'], undefined);
      assert.equal(await connections(ownToo), total + 1);
    });
  }

  /** How many connections a door has ever taken. */
  function connections(address: string): Promise<number> {
    return house.stat(`listener.${address}_443.downstream_cx_total`);
  }
});
