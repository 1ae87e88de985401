import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { nameRecord } from '../../../src/sink/record/name.ts';
import {
  bareRefusal,
  mayHoldRefusal,
  refusalIn,
  type Refusal,
  type RefusableKind,
} from '../../../src/sink/record/refusal.ts';
import { alsMessage, consoleRequest, httpEntry, recordBytes, tcpEntry } from './entries.ts';

const client = '10.0.0.7:4711';
const http = (common: object) => httpEntry(consoleRequest({}, common));
const connection = (common: object) => tcpEntry({ common_properties: { custom_tags: { client }, ...common } });
const who = (reason: string): Refusal => ({ client: '10.0.0.7', reason });
const direct = { upstream_remote_address: undefined };

/** name → the entry, its kind, and who was refused. */
const entries: Readonly<Record<string, readonly [Buffer, RefusableKind, Refusal | undefined]>> = {
  'a request to the console': [http({}), 'http', undefined],
  'a 403 of AWS': [httpEntry(consoleRequest({}, {}, { response_code: { value: 403 } })), 'http', undefined],
  'a tag that says nothing': [http({ custom_tags: { client, denied: '-', barred: '' } }), 'http', undefined],
  'a host off the list': [http({ custom_tags: { client, denied: 'host' } }), 'http', who('host')],
  'nobody who says who it is': [
    http({ custom_tags: { client, barred: 'no_credentials' } }),
    'http',
    who('no_credentials'),
  ],
  'somebody unknown who asks for a host off the list': [
    http({ custom_tags: { denied: 'host', barred: 'locked', client } }),
    'http',
    who('locked'),
  ],
  'a client over IPv6': [
    http({ custom_tags: { client: '[fd00::7]:1', denied: 'host' } }),
    'http',
    { client: 'fd00::7', reason: 'host' },
  ],
  'a client of whom only the connection tells': [
    http({ custom_tags: { denied: 'host' } }),
    'http',
    { client: '127.0.0.7', reason: 'host' },
  ],
  'bytes that are no HTTP': [
    http({ custom_tags: { client }, response_flags: { downstream_protocol_error: true }, ...direct }),
    'http',
    who('protocol'),
  ],
  'a client that breaks the protocol behind what went to AWS': [
    http({ custom_tags: { client }, response_flags: { downstream_protocol_error: true } }),
    'http',
    undefined,
  ],
  'a connection for which nothing is configured': [
    connection({ response_flags: { no_route_found: true } }),
    'connection',
    who('no_filter_chain'),
  ],
  'a handshake that failed': [connection({}), 'connection', who('handshake')],
  'a connection of which nothing is known': [tcpEntry({}), 'connection', { client: '', reason: 'handshake' }],
  'what cannot be read': [Buffer.from([0x0a, 0x02, 0x12, 0x7f]), 'connection', undefined],
};

for (const [name, [entry, kind, expected]] of Object.entries(entries)) {
  test(`who was refused: ${name}`, () => {
    assert.deepEqual(refusalIn(entry, kind), expected);
  });
}

test('a record names the client and the reason of a refusal as the limit sees them', () => {
  for (const [name, [entry, kind, refusal]] of Object.entries(entries)) {
    if (name === 'what cannot be read') continue;
    const origin = { node: 'egress-1', log: 'office/http', epoch: 0, kind, identity: 'certificate' } as const;
    const named = nameRecord(decodeRecord(recordBytes(origin).encode(0, [], entry)), 0);
    assert.equal(named['sekisho.denied.reason'], refusal?.reason, name);
    if (refusal !== undefined) assert.equal(named['client.address'] ?? '', refusal.client, name);
  }
});

test('a message with a refusal is looked into, one with none of these bytes is not', () => {
  for (const [name, [entry, kind, refusal]] of Object.entries(entries)) {
    const message = alsMessage({
      identifier: { node: { id: 'egress-1' }, log_name: 'x/http' },
      http: [http({}), entry],
    });
    if (refusal !== undefined) assert.ok(mayHoldRefusal(message, kind), name);
  }
  const busy = Array.from({ length: 50 }, (_, n) => httpEntry(consoleRequest({ path: `/denied/barred?n=${n}` })));
  assert.equal(mayHoldRefusal(alsMessage({ http: busy }), 'http'), false);
});

test('the bare form of a refusal says who was refused and why, and is small', () => {
  const refusal = fc.record(
    { client: fc.ipV6(), reason: fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme-ascii' }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(refusal, fc.constantFrom('http', 'connection'), (one, kind) => {
      fc.pre(one.reason !== '-');
      const bytes = bareRefusal(one);
      assert.deepEqual(refusalIn(bytes, kind), one);
      assert.ok(bytes.length < 256);
    }),
  );
});

test('what a foreign sender writes instead of an address or a reason is not kept whole', () => {
  const address = { socket_address: { address: 'x'.repeat(10_000), port_value: 1 } };
  const entry = http({ downstream_remote_address: address, custom_tags: { denied: 'y'.repeat(10_000) } });
  assert.deepEqual(refusalIn(entry, 'http'), { client: 'x'.repeat(64), reason: 'y'.repeat(64) });
});
