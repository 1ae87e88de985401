import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../../src/base/errors.ts';
import { redactEntry, type EntryType } from '../../../src/sink/record/redact.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { bytesField, uintField } from '../../../src/wire/protobuf.ts';
import { consoleRequest, decode, httpEntry, httpEntryType, tcpEntry } from './entries.ts';

const rules = redactionRules();

test('an entry without secrets comes back as the very same Buffer, without marks', () => {
  for (const entry of [httpEntry(consoleRequest()), httpEntry({}), Buffer.alloc(0)]) {
    const { bytes, marks } = redactEntry(entry, 'http', rules);
    assert.equal(bytes, entry);
    assert.deepEqual(marks, []);
  }
  const tcp = tcpEntry({ common_properties: { stream_id: 'x' }, connection_properties: { sent_bytes: 3 } });
  assert.equal(redactEntry(tcp, 'tcp', rules).bytes, tcp);
});

/** place → where the secret is put, and the same place afterwards. */
interface Place {
  readonly request?: object;
  readonly common?: object;
  readonly response?: object;
}
const places: Readonly<Record<string, readonly [before: Place, after: Place]>> = {
  'request.path?code': [{ request: { path: '/a?code=S&b=1' } }, { request: { path: '/a?code=REDACTED&b=1' } }],
  'request.original_path?code': [
    { request: { original_path: '/a?code=S' } },
    { request: { original_path: '/a?code=REDACTED' } },
  ],
  'request.referer?token': [
    { request: { referer: 'https://x/?token=S' } },
    { request: { referer: 'https://x/?token=REDACTED' } },
  ],
  'request.authority@userinfo': [{ request: { authority: 'taro:S@x' } }, { request: { authority: 'REDACTED@x' } }],
  'request.user_agent?token': [
    { request: { user_agent: 'x token=S' } },
    { request: { user_agent: 'x token=REDACTED' } },
  ],
  'request.headers.cookie': [
    { request: { request_headers: { cookie: 'S', origin: 'https://x' } } },
    { request: { request_headers: { cookie: 'REDACTED', origin: 'https://x' } } },
  ],
  'response.headers.location?state': [
    { response: { response_headers: { location: '/?state=S', 'x-a': 'b' } } },
    { response: { response_headers: { location: '/?state=REDACTED', 'x-a': 'b' } } },
  ],
  'response.trailers.set-cookie': [
    { response: { response_trailers: { 'set-cookie': 'S' } } },
    { response: { response_trailers: { 'set-cookie': 'REDACTED' } } },
  ],
  'response.code_details?token': [
    { response: { response_code_details: 'lua{/?token=S}' } },
    { response: { response_code_details: 'lua{/?token=REDACTED' } },
  ],
  'tags.authorization': [
    { common: { custom_tags: { authorization: 'Basic S' } } },
    { common: { custom_tags: { authorization: 'REDACTED' } } },
  ],
  'tags.arn': [{ common: { custom_tags: { arn: '{"k":"S"}', a: 'b' } } }, { common: { custom_tags: { a: 'b' } } }],
};

for (const [mark, [before, after]] of Object.entries(places)) {
  test(`${mark} is withheld and marked, and the entry else is as it was`, () => {
    const made = (place: Place): Buffer =>
      httpEntry(consoleRequest(place.request, { custom_tags: {}, ...place.common }, place.response));
    const { bytes, marks } = redactEntry(made(before), 'http', rules);
    assert.deepEqual(decode(httpEntryType, bytes), decode(httpEntryType, made(after)));
    assert.deepEqual(marks, [mark]);
    assert.equal(redactEntry(bytes, 'http', rules).bytes, bytes, 'a second time changes nothing');
  });
}

const unknownField = fc
  .record({
    number: fc.integer({ min: 500, max: 100_000 }),
    content: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.nat()),
  })
  .map(({ number, content }) =>
    typeof content === 'number' ? uintField(number, content) : bytesField(number, Buffer.from(content)),
  );

test('fields that no protocol knows survive at every level, byte for byte', () => {
  fc.assert(
    fc.property(fc.array(unknownField, { minLength: 5, maxLength: 5 }), fc.boolean(), (unknown, secret) => {
      const [top, common, request, header, tag] = unknown as [Buffer, Buffer, Buffer, Buffer, Buffer];
      const made = (path: string, value: string): Buffer => {
        const map = (field: number, key: string, more: Buffer): Buffer =>
          bytesField(field, Buffer.concat([bytesField(1, key), more, bytesField(2, value)]));
        return Buffer.concat([
          top,
          bytesField(1, Buffer.concat([common, map(22, 'cookie', tag), bytesField(26, 'id')])),
          bytesField(3, Buffer.concat([bytesField(5, path), request, map(13, 'cookie', header)])),
          top,
        ]);
      };
      const entry = secret ? made('/?code=S', 'S') : made('/', 'REDACTED');
      const { bytes } = redactEntry(entry, 'http', rules);
      assert.deepEqual(bytes, secret ? made('/?code=REDACTED', 'REDACTED') : entry);
    }),
  );
});

test('lengths are repaired when a value shrinks or grows across a boundary of their encoding', () => {
  for (const size of [1, 7, 8, 9, 110, 120, 127, 128, 129, 16_300, 16_384, 16_400]) {
    const made = (code: string): object => consoleRequest({ path: `/?code=${code}&x=${'y'.repeat(100)}` });
    const { bytes } = redactEntry(httpEntry(made('s'.repeat(size))), 'http', rules);
    assert.deepEqual(bytes, httpEntry(made('REDACTED')));
  }
});

test('any bytes are either redacted or record_malformed', () => {
  const isRedacted = (bytes: Uint8Array, type: EntryType): void => {
    try {
      redactEntry(Buffer.from(bytes), type, rules);
    } catch (caught) {
      assert.ok(caught instanceof SekishoError && caught.code === 'record_malformed', String(caught));
    }
  };
  const type = fc.constantFrom<EntryType>('http', 'tcp');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), type, isRedacted), { numRuns: 1000 });
  const whole = httpEntry(consoleRequest({ path: '/?code=S', request_headers: { cookie: 'S' } }));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), type, (at, byte, as) => {
      const damaged = Buffer.from(whole);
      damaged[at] = byte;
      isRedacted(damaged, as);
      isRedacted(whole.subarray(0, at), as);
    }),
    { numRuns: 2000 },
  );
});

test('thousands of secrets in one entry cost no quadratic time, and the marks stay few', () => {
  const headers = Array.from({ length: 30_000 }, (_, at) =>
    bytesField(13, Buffer.concat([bytesField(1, `cookie-${at}`), bytesField(2, 'secret')])),
  );
  const started = performance.now();
  const { bytes, marks } = redactEntry(bytesField(3, Buffer.concat(headers)), 'http', rules);
  assert.ok(performance.now() - started < 2000);
  assert.equal(bytes.includes('secret'), false);
  assert.equal(marks.length, 65);
  assert.equal(marks.at(-1), 'more');
});
