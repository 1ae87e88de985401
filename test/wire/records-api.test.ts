import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { SekishoError } from '../../src/base/errors.ts';
import { protoFile } from '../../src/wire/proto-files.ts';
import {
  decodeQueryRequest,
  decodeRecordsResponse,
  decodeTailRequest,
  encodeQueryRequest,
  encodeRecordsResponse,
  encodeTailRequest,
  filterNames,
  recordForms,
  recordsService,
} from '../../src/wire/records-api.ts';

const root = new protobuf.Root();
root.resolvePath = (_, target) => protoFile(target);
root.loadSync('sekisho/v1/records.proto', { keepCase: true });
const type = (name: string): protobuf.Type => root.lookupType(`sekisho.v1.${name}`);
const plain = { longs: Number, enums: String, bytes: Buffer, defaults: false } as const;
const byProtobufjs = (name: string, bytes: Buffer): Record<string, unknown> =>
  type(name).toObject(type(name).decode(bytes), plain);

const index = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const word = fc.string({ minLength: 1, unit: 'grapheme' });
const filter = fc.record(Object.fromEntries(filterNames.map((name) => [name, word])), {
  requiredKeys: [],
  noNullPrototype: true,
});
const form = fc.constantFrom(...recordForms);
const enumName = (of: (typeof recordForms)[number]): string => `RECORD_FORM_${of.toUpperCase()}`;
/** protobufjs leaves out what has its default value. */
const said = (fields: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0 && value !== ''));

test('a query is what records.proto says, and comes back as it was', () => {
  fc.assert(
    fc.property(
      fc.record({ filter, form, from: index, to: index, limit: index }, { noNullPrototype: true }),
      (request) => {
        const bytes = encodeQueryRequest(request);
        assert.deepEqual(decodeQueryRequest(bytes), request);
        const { form: asked, ...rest } = request;
        assert.deepEqual(byProtobufjs('QueryRequest', bytes), said({ ...rest, form: enumName(asked) }));
      },
    ),
  );
});

test('a tail is what records.proto says, and from the oldest record is not from now on', () => {
  fc.assert(
    fc.property(
      fc.record({ filter, form, from: fc.option(index, { nil: undefined }) }, { noNullPrototype: true }),
      (request) => {
        const bytes = encodeTailRequest(request);
        assert.deepEqual(decodeTailRequest(bytes), request);
        const { form: asked, from, ...rest } = request;
        const wanted = { ...rest, form: enumName(asked), ...(from !== undefined && { from }) };
        const read = Object.entries(byProtobufjs('TailRequest', bytes)).filter(([name]) => name !== '_from');
        assert.deepEqual(Object.fromEntries(read), wanted);
      },
    ),
  );
});

test('a response is what records.proto says, and comes back as it was', () => {
  const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const error = fc.record({ code: word, message: word, lost: index }, { noNullPrototype: true });
  const item = fc.record({ index, payload, json: word, error }, { requiredKeys: ['index'], noNullPrototype: true });
  fc.assert(
    fc.property(fc.record({ items: fc.array(item), next: index }, { noNullPrototype: true }), (response) => {
      const bytes = encodeRecordsResponse(response);
      assert.deepEqual(decodeRecordsResponse(bytes), response);
      const message = type('RecordsResponse').toObject(type('RecordsResponse').decode(bytes), {
        ...plain,
        defaults: true,
      });
      assert.equal(message['next'], response.next);
      const items = message['items'] as Record<string, unknown>[];
      assert.equal(items.length, response.items.length);
      for (const [at, one] of response.items.entries()) {
        assert.equal(items[at]?.['index'], one.index);
        assert.equal(items[at]['json'], one.json ?? '');
        assert.deepEqual(items[at]['payload'], one.payload ?? Buffer.alloc(0));
        assert.deepEqual(items[at]['error'], one.error ?? null);
      }
    }),
  );
});

test('the methods are those of records.proto', () => {
  const { methods } = root.lookupService('sekisho.v1.Records');
  assert.deepEqual(Object.keys(methods), Object.keys(recordsService));
  for (const [name, { requestStream = false, responseStream }] of Object.entries(methods)) {
    const ours = recordsService[name as keyof typeof recordsService];
    assert.deepEqual([ours.requestStream, ours.responseStream], [requestStream, responseStream]);
    assert.equal(ours.path, `/sekisho.v1.Records/${name}`);
  }
});

for (const [what, bytes] of Object.entries({
  'that is cut short': Buffer.from([0x0a, 9, 1]),
  'with a form of a later version': Buffer.from([0x10, 9]),
})) {
  test(`a request ${what} is refused`, () => {
    for (const decode of [decodeQueryRequest, decodeTailRequest]) {
      assert.throws(
        () => decode(bytes),
        (caught) => caught instanceof SekishoError && caught.code === 'request_malformed',
      );
    }
  });
}
