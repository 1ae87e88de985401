import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import {
  bySplitDns,
  noNamesBut,
  skipBrowser,
  throughPac,
  throughProxy,
  type BrowserOptions,
} from '../support/browser.ts';
import { eventually } from '../support/envoy.ts';
import { openHouse, type DoorEntry, type House } from '../support/house.ts';
import { assertNowhere, filesIn } from '../support/secret-search.ts';
import { basicCredentials, usersLine } from '../support/users-line.ts';
import { claimedArn, morning } from './morning.ts';
import { browserOf, doorAt, person, publicAddress } from './workstation.ts';

const password = 'hanako’s-9c41-password';

/** Beside `lab` (no users) and `office` (client certificates), which every house has. */
const doors = (address: string): DoorEntry[] => [
  { name: 'hall', on: 'egress', kind: 'forward', listen: `${address}:3130`, tls: true, users: 'none' },
  { name: 'desk', on: 'egress', kind: 'forward', listen: `${address}:3131`, tls: true, users: { basic: 'users' } },
  { name: 'lan', on: 'egress', kind: 'reverse', listen: `${address}:8443`, users: 'none' },
];

interface Way {
  readonly way: string;
  readonly door: string;
  /** Who the records say came by it. */
  readonly user?: string;
  readonly browser: (house: House) => Promise<BrowserOptions> | BrowserOptions;
}

const ways: readonly Way[] = [
  {
    way: 'the PAC file, which leads to a proxy',
    door: 'lab',
    browser: (house) => ({ args: throughPac(`${publicAddress(house)}/proxy.pac`) }),
  },
  {
    way: 'the PAC file, which now leads to a proxy that speaks TLS',
    door: 'hall',
    browser: async (house) => {
      await house.reload((policy) =>
        policy.doors.sort((a, b) => Number(b.name === 'hall') - Number(a.name === 'hall')),
      );
      return { args: throughPac(`${publicAddress(house)}/proxy.pac`) };
    },
  },
  {
    way: 'a proxy that speaks TLS and asks for name and password',
    door: 'desk',
    user: 'hanako',
    browser: (house) => {
      const server = doorAt(house, 'https', 3131);
      return { asked: { server, username: 'hanako', password }, args: noNamesBut(server) };
    },
  },
  {
    way: 'a proxy that speaks TLS and wants a client certificate',
    door: 'office',
    user: 'taro.yamada',
    browser: (house) => ({ args: throughProxy(doorAt(house, 'https', 3129)), person: person(house) }),
  },
  {
    way: 'split DNS, without a proxy',
    door: 'lan',
    browser: (house) => ({ args: bySplitDns(['*.aws.amazon.com'], `${house.address}:8443`) }),
  },
];

describe('a real Chromium at one Envoy with five doors', { skip: skipBrowser }, () => {
  let house: House;
  const secrets: Record<string, string> = { password, credentials: basicCredentials('hanako', password).slice(6) };
  before(async () => {
    house = await openHouse({
      files: { users: await usersLine('hanako', password) },
      policy: (policy) => {
        policy.doors.push(...doors(policy.doors[0]?.listen.split(':')[0] ?? ''));
        // Nobody answers there: every host is pinned.
        policy.console.resolvers = ['127.0.0.1:1'];
      },
    });
  });
  after(() => house.close());

  for (const { way, door, user, browser: options } of ways) {
    it(`works at the console by ${way}; every request is on record once, with door and user`, async (t) => {
      const seenBefore = house.standIn.requests.length;
      const browser = await browserOf(t, house, await options(house));
      for (const [what, secret] of Object.entries(await morning(browser))) secrets[`${what} at ${door}`] = secret;
      await browser.close();

      const seen = house.standIn.requests.slice(seenBefore);
      assert.equal(house.standIn.counts().forgotten, 0);
      assert.ok(seen.length > 40, `the stand-in saw ${seen.length} requests`);
      // WebSockets are an upgrade of HTTP/1.1 (no RFC 8441); everything else is HTTP/2 from the browser to the stand-in.
      assert.deepEqual(
        seen.filter((one) => one.httpVersion === '1.1').map((one) => one.path),
        ['/cloudshell/ws'],
      );
      const ids = new Set(seen.map((one) => one.requestId));
      assert.equal(ids.size, seen.length);
      const recorded = () => house.records.filter((record) => ids.has(String(record['sekisho.stream_id'])));
      await eventually('all are on record', () => Promise.resolve(idsOf(recorded()).size === ids.size));
      const found = recorded();
      const values = (name: string) => [...new Set(found.map((record) => record[name]))];
      assert.equal(found.length, ids.size);
      assert.deepEqual(values('sekisho.door'), [door]);
      assert.deepEqual(values('user.id'), [user]);
      assert.deepEqual(values('client.address'), ['127.0.0.1']);
      assert.ok(values('sekisho.claimed_arn').includes(claimedArn));
    });
  }

  it('has left no request on record twice, and no secret on the disk or in what the processes say', async () => {
    const requests = house.records.filter((record) => record['sekisho.kind'] === 'http');
    assert.ok(requests.length > 5 * 40, `${requests.length} records`);
    assert.equal(idsOf(requests).size, requests.length);

    const files = await filesIn(house.dir);
    const journal = files.filter(({ name }) => name.startsWith(join(house.dir, 'data', 'journal')));
    const text = Buffer.concat(journal.map(({ bytes }) => bytes));
    assert.ok(text.includes('/console/home') && text.includes('code_challenge='), 'the journal is in plain text');
    assertNowhere(secrets, [...files, { name: 'the log', bytes: Buffer.from(house.log.join('\n')) }]);
  });
});

function idsOf(records: readonly NamedRecord[]): Set<unknown> {
  return new Set(records.map((record) => record['sekisho.stream_id']));
}
