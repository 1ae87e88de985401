import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import * as clients from '../support/door-clients.ts';
import { host, user, type Coming } from '../support/door-clients.ts';
import { eventually } from '../support/envoy.ts';
import { openHouse, type DoorEntry, type House } from '../support/house.ts';
import { usersLine } from '../support/users-line.ts';

/**
 * Each client at each door of one Envoy: the status that it gets and from whom, and all records that it leaves. A record is told by its log, the
 * protocol of a request, what was answered or why it was refused, the user, and a server name that is not the console's.
 */
const table = `
| door                | client              | gets                 | leaves                                                                                     |
| ------------------- | ------------------- | -------------------- | ------------------------------------------------------------------------------------------ |
| forward             | curl --http1.1      | 200                  | connect 200, http/1.1 200                                                                  |
| forward             | curl --http2        | 200                  | connect 200, http/2 200                                                                    |
| forward             | curl, no trust      | untrusted            | connect 200, connection handshake                                                          |
| forward             | openssl             | 200 from the door    | connect 200, http/1.1 200                                                                  |
| forward             | openssl, other name | closed               | connect 200, connection no_filter_chain files.example.com                                  |
| forward             | openssl, two labels | closed               | connect 200, connection no_filter_chain a.b.console.aws.amazon.com                         |
| forward             | openssl, no name    | closed               | connect 200, connection no_filter_chain                                                    |
| forward             | openssl -proxy      | 426                  | connect protocol, connection protocol                                                      |
| forward             | socket, HTTP        | 403                  | connect host                                                                               |
| forward             | socket, no HTTP     | 400                  | connect protocol, connection protocol                                                      |
| forward             | socket, no HTTP/2   | closed               | connection protocol                                                                        |
| forward             | socket, inside      | closed               | connect 200, connection no_filter_chain                                                    |
| forward tunnel      | curl --http1.1      | 200                  | connect 200, tcp begins, tcp ends                                                          |
| forward tunnel      | curl --http2        | 200                  | connect 200, tcp begins, tcp ends                                                          |
| forward tunnel      | curl, no trust      | untrusted            | connect 200, tcp begins, tcp ends                                                          |
| forward tunnel      | openssl             | 200 from the console | connect 200, tcp begins, tcp ends                                                          |
| forward tunnel      | openssl, other name | closed               | connect 200, connection no_filter_chain files.example.com                                  |
| forward tunnel      | openssl, two labels | closed               | connect 200, connection no_filter_chain a.b.console.aws.amazon.com                         |
| forward tunnel      | openssl, no name    | closed               | connect 200, connection no_filter_chain                                                    |
| forward tunnel      | openssl -proxy      | 426                  | connect protocol, connection protocol                                                      |
| forward tunnel      | socket, HTTP        | 403                  | connect host                                                                               |
| forward tunnel      | socket, no HTTP     | 400                  | connect protocol, connection protocol                                                      |
| forward tunnel      | socket, no HTTP/2   | closed               | connection protocol                                                                        |
| forward tunnel      | socket, inside      | closed               | connect 200, connection no_filter_chain                                                    |
| forward Basic       | curl --http1.1      | 200                  | connect 200 hanako, http/1.1 200 hanako                                                    |
| forward Basic       | curl --http2        | 200                  | connect 200 hanako, http/2 200 hanako                                                      |
| forward Basic       | curl, no trust      | untrusted            | connect 200 hanako, connection handshake hanako                                            |
| forward Basic       | openssl             | 200 from the door    | connect 200 hanako, http/1.1 200 hanako                                                    |
| forward Basic       | openssl, other name | closed               | connect 200 hanako, connection no_filter_chain hanako files.example.com                    |
| forward Basic       | openssl, two labels | closed               | connect 200 hanako, connection no_filter_chain hanako a.b.console.aws.amazon.com           |
| forward Basic       | openssl, no name    | closed               | connect 200 hanako, connection no_filter_chain hanako                                      |
| forward Basic       | socket, HTTP        | 407                  | connect no_credentials                                                                     |
| forward Basic       | socket, no HTTP     | 400                  | connect protocol, connection protocol                                                      |
| forward Basic       | socket, inside      | closed               | connect 200 hanako, connection no_filter_chain hanako                                      |
| forward certificate | curl --http1.1      | 200                  | connect 200 taro.yamada, http/1.1 200 taro.yamada                                          |
| forward certificate | curl --http2        | 200                  | connect 200 taro.yamada, http/2 200 taro.yamada                                            |
| forward certificate | curl, no trust      | untrusted            | connect 200 taro.yamada, connection handshake taro.yamada                                  |
| forward certificate | openssl             | 200 from the door    | connect 200 taro.yamada, http/1.1 200 taro.yamada                                          |
| forward certificate | openssl, other name | closed               | connect 200 taro.yamada, connection no_filter_chain taro.yamada files.example.com          |
| forward certificate | openssl, two labels | closed               | connect 200 taro.yamada, connection no_filter_chain taro.yamada a.b.console.aws.amazon.com |
| forward certificate | openssl, no name    | closed               | connect 200 taro.yamada, connection no_filter_chain taro.yamada                            |
| forward certificate | socket, HTTP        | 403                  | connect host taro.yamada                                                                   |
| forward certificate | socket, no HTTP     | 400                  | connect protocol taro.yamada, connection protocol taro.yamada                              |
| forward certificate | socket, inside      | closed               | connect 200 taro.yamada, connection no_filter_chain taro.yamada                            |
| reverse             | curl --http1.1      | 200                  | http/1.1 200                                                                               |
| reverse             | curl --http2        | 200                  | http/2 200                                                                                 |
| reverse             | curl, no trust      | untrusted            | connection handshake                                                                       |
| reverse             | openssl             | 200 from the door    | http/1.1 200                                                                               |
| reverse             | openssl, other name | closed               | connection no_filter_chain files.example.com                                               |
| reverse             | openssl, two labels | closed               | connection no_filter_chain a.b.console.aws.amazon.com                                      |
| reverse             | openssl, no name    | closed               | connection no_filter_chain                                                                 |
| reverse             | socket, HTTP        | closed               | connection no_filter_chain                                                                 |
| reverse             | socket, no HTTP     | closed               | connection no_filter_chain                                                                 |
| reverse tunnel      | curl --http1.1      | 200                  | tcp begins, tcp ends                                                                       |
| reverse tunnel      | curl --http2        | 200                  | tcp begins, tcp ends                                                                       |
| reverse tunnel      | curl, no trust      | untrusted            | tcp begins, tcp ends                                                                       |
| reverse tunnel      | openssl             | 200 from the console | tcp begins, tcp ends                                                                       |
| reverse tunnel      | openssl, other name | closed               | connection no_filter_chain files.example.com                                               |
| reverse tunnel      | openssl, two labels | closed               | connection no_filter_chain a.b.console.aws.amazon.com                                      |
| reverse tunnel      | openssl, no name    | closed               | connection no_filter_chain                                                                 |
| reverse tunnel      | socket, HTTP        | closed               | connection no_filter_chain                                                                 |
| reverse tunnel      | socket, no HTTP     | closed               | connection no_filter_chain                                                                 |
| reverse certificate | curl --http1.1      | 200                  | http/1.1 200 taro.yamada                                                                   |
| reverse certificate | curl --http2        | 200                  | http/2 200 taro.yamada                                                                     |
| reverse certificate | curl, no trust      | untrusted            | connection handshake                                                                       |
| reverse certificate | openssl             | 200 from the door    | http/1.1 200 taro.yamada                                                                   |
| reverse certificate | openssl, other name | closed               | connection no_filter_chain files.example.com                                               |
| reverse certificate | openssl, two labels | closed               | connection no_filter_chain a.b.console.aws.amazon.com                                      |
| reverse certificate | openssl, no name    | closed               | connection no_filter_chain                                                                 |
| reverse certificate | socket, HTTP        | closed               | connection no_filter_chain                                                                 |
| reverse certificate | socket, no HTTP     | closed               | connection no_filter_chain                                                                 |
| sidecar             | curl --http1.1      | 200                  | http/1.1 200                                                                               |
| sidecar             | curl --http2        | 200                  | http/2 200                                                                                 |
| sidecar             | curl, no trust      | untrusted            | connection handshake                                                                       |
| sidecar             | openssl             | 200 from the door    | http/1.1 200                                                                               |
| sidecar             | openssl, other name | closed               | connection no_filter_chain files.example.com                                               |
| sidecar             | openssl, two labels | closed               | connection no_filter_chain a.b.console.aws.amazon.com                                      |
| sidecar             | openssl, no name    | closed               | connection no_filter_chain                                                                 |
| sidecar             | socket, HTTP        | closed               | connection no_filter_chain                                                                 |
| sidecar             | socket, no HTTP     | closed               | connection no_filter_chain                                                                 |
| sidecar tunnel      | curl --http1.1      | 200                  | tcp begins, tcp ends                                                                       |
| sidecar tunnel      | curl --http2        | 200                  | tcp begins, tcp ends                                                                       |
| sidecar tunnel      | curl, no trust      | untrusted            | tcp begins, tcp ends                                                                       |
| sidecar tunnel      | openssl             | 200 from the console | tcp begins, tcp ends                                                                       |
| sidecar tunnel      | openssl, other name | closed               | connection no_filter_chain files.example.com                                               |
| sidecar tunnel      | openssl, two labels | closed               | connection no_filter_chain a.b.console.aws.amazon.com                                      |
| sidecar tunnel      | openssl, no name    | closed               | connection no_filter_chain                                                                 |
| sidecar tunnel      | socket, HTTP        | closed               | connection no_filter_chain                                                                 |
| sidecar tunnel      | socket, no HTTP     | closed               | connection no_filter_chain                                                                 |
`;

const people = 'people/people-ca.crt';
const doorsAt = (address: string): readonly DoorEntry[] => {
  const door = (name: string, kind: DoorEntry['kind'], port: number, more: Partial<DoorEntry> = {}): DoorEntry => {
    return {
      name: name.replace(' ', '-').toLowerCase(),
      on: 'egress',
      kind,
      listen: `${address}:${port}`,
      users: 'none',
      ...more,
    };
  };
  return [
    door('forward', 'forward', 3130),
    door('forward tunnel', 'forward', 3131, { inspect: 'tunnel' }),
    door('forward Basic', 'forward', 3132, { tls: true, users: { basic: 'users' } }),
    door('forward certificate', 'forward', 3133, { tls: true, users: { certificate: people } }),
    door('reverse', 'reverse', 8443),
    door('reverse tunnel', 'reverse', 8444, { inspect: 'tunnel' }),
    door('reverse certificate', 'reverse', 8445, { users: { certificate: people } }),
    door('sidecar', 'sidecar', 15001),
    door('sidecar tunnel', 'sidecar', 15002, { inspect: 'tunnel' }),
  ];
};

const acts: Readonly<Record<string, (coming: Coming) => Promise<string>>> = {
  'curl --http1.1': (coming) => clients.curl(coming, '--http1.1'),
  'curl --http2': (coming) => clients.curl(coming, '--http2'),
  'curl, no trust': (coming) => clients.curl(coming, '--http2', clients.otherAuthority(coming)),
  openssl: (coming) => clients.openssl(coming, host),
  'openssl, other name': (coming) => clients.openssl(coming, 'files.example.com'),
  'openssl, two labels': (coming) => clients.openssl(coming, 'a.b.console.aws.amazon.com'),
  'openssl, no name': (coming) => clients.openssl(coming, undefined),
  'openssl -proxy': (coming) => clients.opensslProxy(coming),
  'socket, HTTP': (coming) =>
    clients.socket(coming, `GET http://${host}/ HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
  'socket, no HTTP': (coming) => clients.socket(coming, 'nonsense\r\n\r\n'),
  'socket, no HTTP/2': (coming) => clients.socket(coming, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nwhat is no frame of HTTP/2'),
  'socket, inside': (coming) => clients.socketInside(coming, 'GET / HTTP/1.1\r\n\r\n'),
};

interface Row {
  readonly door: string;
  readonly client: string;
  readonly gets: string;
  readonly leaves: string;
  /** Where this client comes from, so that its records are known. */
  readonly from: string;
}

const rows: readonly Row[] = table
  .trim()
  .split('\n')
  .slice(2)
  .map((line, index) => {
    const [, door = '', client = '', gets = '', leaves = ''] = line.split('|').map((cell) => cell.trim());
    return { door, client, gets, leaves, from: `127.230.0.${index + 1}` };
  });

describe('at one Envoy with doors of every kind', () => {
  let house: House;
  let doors: readonly DoorEntry[] = [];
  const got = new Map<Row, Promise<string>>();
  before(async () => {
    house = await openHouse({
      files: { users: await usersLine(user.name, user.password) },
      policy: (policy) => {
        doors = doorsAt(policy.doors[0]?.listen.split(':')[0] ?? '');
        policy.doors = [...doors];
        // Nobody answers there: every host is pinned.
        policy.console.resolvers = ['127.0.0.1:1'];
      },
    });
    await everyClient();
  });
  after(() => house.close());

  async function everyClient(): Promise<void> {
    const queue = [...rows]; // Eight at a time.
    const worker = async (): Promise<void> => {
      for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
        const answer = act(row, row.from);
        got.set(row, answer);
        await answer.catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  }

  async function act({ door: name, client }: Row, from: string): Promise<string> {
    const door = doors.find((one) => one.name === nameOf(name));
    const one = acts[client];
    assert.ok(door && one, `${name}, ${client}`);
    return one({ house, door, from });
  }

  for (const row of rows) {
    test(`${row.client} at ${row.door} gets ${row.gets} and leaves ${row.leaves}`, async () => {
      assert.equal(await got.get(row), row.gets);
      const enough = row.leaves.split(', ').length;
      await eventually('its records', () => Promise.resolve(recordsOf(row).length >= enough)).catch(() => undefined);
      assert.equal(recordsOf(row).map(inWords).sort().join(', '), row.leaves);
      assert.deepEqual([...new Set(recordsOf(row).map((record) => record['sekisho.door']))], [nameOf(row.door)]);
    });
  }

  test('and nothing more comes of any of them', async () => {
    // Who comes now is on record after whatever the others might still have left.
    const last = rows.filter(({ client }) => client === 'curl --http1.1' || client === 'openssl, other name');
    await Promise.all(
      last.map(async (row, index) => {
        await act(row, `127.231.0.${index + 1}`);
        await house.record({ 'client.address': `127.231.0.${index + 1}` });
      }),
    );
    for (const row of rows) assert.equal(recordsOf(row).map(inWords).sort().join(', '), row.leaves, row.client);
  });

  function recordsOf({ from }: Row): NamedRecord[] {
    return house.records.filter((record) => record['client.address'] === from);
  }
});

const nameOf = (door: string): string => door.replace(' ', '-').toLowerCase();
const states: Readonly<Record<string, string>> = { TcpUpstreamConnected: 'begins', TcpConnectionEnd: 'ends' };

function inWords(record: NamedRecord): string {
  const log = String(record['sekisho.log']).split('/')[1] ?? '';
  const version = record['network.protocol.version'];
  const status = record['http.response.status_code'] ?? states[String(record['sekisho.entry_type'])];
  const name = record['tls.client.server_name'];
  const words = [
    log === 'http' ? `${log}/${String(version)}` : log,
    record['sekisho.denied.reason'] ?? status,
    record['user.id'],
    name === host ? undefined : name,
  ];
  return words.filter((word) => word !== undefined).join(' ');
}
