import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../../src/base/errors.ts';
import { hasCommonProperties, sliceAls } from '../../../src/sink/record/slice.ts';
import { envoyApi } from '../../../src/wire/envoy-api.ts';
import { withheldName } from '../../../src/wire/shown-name.ts';
import { alsMessage, consoleRequest, httpEntry, tcpEntry } from './entries.ts';

const messageType = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';
const identifier = { node: { id: 'egress-1', cluster: 'tokyo' }, log_name: 'office/http' };

interface Entries {
  readonly log_entry: object[];
}

/** The entries as protobufjs sees them, each encoded anew. */
function entriesOf(message: Buffer): { http: Buffer[]; tcp: Buffer[] } {
  const decoded = envoyApi().lookupType(messageType).decode(message) as {
    http_logs?: Entries | null;
    tcp_logs?: Entries | null;
  };
  const bytes = (type: string, entries: Entries | null | undefined): Buffer[] =>
    (entries?.log_entry ?? []).map((entry) => Buffer.from(envoyApi().lookupType(type).encode(entry).finish()));
  return {
    http: bytes('envoy.data.accesslog.v3.HTTPAccessLogEntry', decoded.http_logs),
    tcp: bytes('envoy.data.accesslog.v3.TCPAccessLogEntry', decoded.tcp_logs),
  };
}

const anyHttp = fc
  .record({ path: fc.string({ minLength: 1 }), code: fc.integer({ min: 1, max: 999 }) })
  .map(({ path, code }) => httpEntry({ request: { path }, response: { response_code: { value: code } } }));
const anyTcp = fc.integer({ min: 1 }).map((bytes) => tcpEntry({ connection_properties: { received_bytes: bytes } }));

const anyEntries = fc.oneof(
  fc.record({ http: fc.array(anyHttp), tcp: fc.constant([]) }),
  fc.record({ http: fc.constant([]), tcp: fc.array(anyTcp) }),
);

test('the entries cut out of a message are those that protobufjs finds in it, and put together they are the message', () => {
  fc.assert(
    fc.property(anyEntries, ({ http, tcp }) => {
      const joined = (entries: { readonly http: readonly Buffer[]; readonly tcp: readonly Buffer[] }): Buffer =>
        alsMessage({ identifier, ...(http.length > 0 ? { http: entries.http } : { tcp: entries.tcp }) });
      const message = joined({ http, tcp });
      const sliced = sliceAls(message);
      assert.deepEqual({ http: sliced.http, tcp: sliced.tcp }, entriesOf(message));
      assert.deepEqual(joined(sliced), message);
    }),
  );
});

test('a message with entries of both types gives both, although protobuf would forget the first', () => {
  const [http, tcp] = [[httpEntry(consoleRequest())], [tcpEntry({ connection_properties: { sent_bytes: 1 } })]];
  assert.deepEqual(sliceAls(alsMessage({ http, tcp })), { http, tcp });
});

test('an entry shares the memory of its message', () => {
  const message = alsMessage({ http: [httpEntry(consoleRequest())] });
  assert.equal(sliceAls(message).http[0]?.buffer, message.buffer);
});

test('lists that come in several pieces are one list', () => {
  const [one, two] = [httpEntry({ request: { path: '/1' } }), httpEntry({ request: { path: '/2' } })];
  const message = Buffer.concat([alsMessage({ http: [one] }), alsMessage({ http: [two] })]);
  assert.deepEqual(sliceAls(message).http, [one, two]);
});

const epochs: Readonly<Record<string, [value: object | undefined, epoch: number]>> = {
  'a number': [{ numberValue: 1795442040554 }, 1795442040554],
  'a text of digits': [{ stringValue: '1795442040554' }, 1795442040554],
  'another text': [{ stringValue: 'yesterday' }, 0],
  'a negative number': [{ numberValue: -1 }, 0],
  'a fraction': [{ numberValue: 1.5 }, 0],
  nothing: [undefined, 0],
};
for (const [name, [value, epoch]] of Object.entries(epochs)) {
  test(`node metadata sekisho.epoch as ${name} is read as ${epoch}`, () => {
    const metadata = value && { fields: { other: { boolValue: true }, 'sekisho.epoch': value } };
    const message = alsMessage({ identifier: { ...identifier, node: { ...identifier.node, metadata } } });
    assert.deepEqual(sliceAls(message).identifier, { node: 'egress-1', cluster: 'tokyo', log: 'office/http', epoch });
  });
}

test('names that are none are not read, for they would be stored and logged', () => {
  const named = { node: { id: 'token=x', cluster: 'https://a:b@c' }, log_name: '/?code=x' };
  assert.deepEqual(sliceAls(alsMessage({ identifier: named })).identifier, {
    node: withheldName,
    cluster: withheldName,
    log: withheldName,
    epoch: 0,
  });
});

test('a message without an identifier has none', () => {
  assert.deepEqual(sliceAls(alsMessage({ http: [] })), { http: [], tcp: [] });
  assert.deepEqual(sliceAls(Buffer.alloc(0)), { http: [], tcp: [] });
});

test('common properties are seen wherever they stand in an entry', () => {
  const common = httpEntry({ common_properties: {} });
  const request = httpEntry({ request: { path: '/' } });
  assert.equal(hasCommonProperties(common), true);
  assert.equal(hasCommonProperties(Buffer.concat([request, common])), true);
  assert.equal(hasCommonProperties(request), false);
  assert.equal(hasCommonProperties(Buffer.alloc(0)), false);
});

test('any bytes are either a message or record_malformed', () => {
  const isRead = (bytes: Uint8Array): void => {
    try {
      sliceAls(Buffer.from(bytes));
    } catch (caught) {
      assert.ok(caught instanceof SekishoError && caught.code === 'record_malformed', String(caught));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), isRead));
  const whole = alsMessage({ identifier, http: [httpEntry(consoleRequest())] });
  for (let length = 0; length < whole.length; length += 1) isRead(whole.subarray(0, length));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
      const damaged = Buffer.from(whole);
      damaged[at] = byte;
      isRead(damaged);
    }),
  );
});

test('a message of more entries than any Envoy sends is refused as a whole', () => {
  const many = (count: number) => alsMessage({ http: Array.from({ length: count }, () => Buffer.alloc(0)) });
  assert.equal(sliceAls(many(65_536)).http.length, 65_536);
  assert.throws(() => sliceAls(many(65_537)), { code: 'record_malformed' });
});
