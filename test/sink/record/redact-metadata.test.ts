import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactEntry } from '../../../src/sink/record/redact.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { decode, encode, httpEntry, httpEntryType } from './entries.ts';

const rules = redactionRules();

/** A google.protobuf.Value, as protobufjs spells it. */
function value(plain: unknown): object {
  if (typeof plain === 'string') return { stringValue: plain };
  if (typeof plain === 'number') return { numberValue: plain };
  if (Array.isArray(plain)) return { listValue: { values: plain.map(value) } };
  return { structValue: struct(plain as Record<string, unknown>) };
}

function struct(plain: Record<string, unknown>): object {
  return { fields: Object.fromEntries(Object.entries(plain).map(([key, each]) => [key, value(each)])) };
}

function any(type: 'StringValue' | 'Struct' | 'UInt32Value', fields: object): object {
  const name = `google.protobuf.${type}`;
  return { type_url: `type.googleapis.com/${name}`, value: encode(name, fields) };
}

function redactedCommon(common: object): { common: unknown; marks: readonly string[] } {
  const { bytes, marks } = redactEntry(httpEntry({ common_properties: common }), 'http', rules);
  assert.equal(redactEntry(bytes, 'http', rules).bytes, bytes, 'a second time changes nothing');
  return { common: decode(httpEntryType, bytes)['common_properties'], marks };
}

function common(fields: object): unknown {
  return decode(httpEntryType, httpEntry({ common_properties: fields }))['common_properties'];
}

/** name → dynamic metadata of one filter, what is left of it, the mark. */
const metadata: Readonly<
  Record<string, readonly [before: Record<string, unknown>, after: Record<string, unknown>, mark: string]>
> = {
  'a header that a filter copied': [
    { authorization: 'Basic S', a: 1 },
    { authorization: 'REDACTED', a: 1 },
    'metadata.f.authorization',
  ],
  'a parameter that a filter copied': [{ code: 'S' }, { code: 'REDACTED' }, 'metadata.f.code'],
  'a secret that is a number': [{ otp: 123456 }, { otp: 'REDACTED' }, 'metadata.f.otp'],
  'a secret that is a struct': [{ credentials: { a: 'S' } }, { credentials: 'REDACTED' }, 'metadata.f.credentials'],
  'a URL': [{ url: 'https://x/?token=S' }, { url: 'https://x/?token=REDACTED' }, 'metadata.f.url?token'],
  'a URL deep inside': [
    { a: { b: ['x', { c: '/?token=S' }] } },
    { a: { b: ['x', { c: '/?token=REDACTED' }] } },
    'metadata.f.a.b.c?token',
  ],
};

for (const [name, [before, after, mark]] of Object.entries(metadata)) {
  test(`withheld from dynamic metadata: ${name}`, () => {
    const made = (plain: Record<string, unknown>): object => ({ metadata: { filter_metadata: { f: struct(plain) } } });
    assert.deepEqual(redactedCommon(made(before)), { common: common(made(after)), marks: [mark] });
  });
}

test('structs and lists nested deeper than anyone means well are withheld', () => {
  for (const wrap of [(inner: unknown) => ({ a: inner }), (inner: unknown) => [inner]]) {
    let nested: unknown = 'SECRET';
    for (let depth = 0; depth < 40; depth += 1) nested = wrap(nested);
    const entry = httpEntry({ common_properties: { metadata: { filter_metadata: { f: struct({ x: nested }) } } } });
    const { bytes, marks } = redactEntry(entry, 'http', rules);
    assert.equal(bytes.includes('SECRET'), false);
    assert.equal(marks.length, 1);
  }
});

test('a claimed ARN stays if it is one, in metadata and in the tag; anything else goes as a whole', () => {
  const made = (arn: unknown): object => ({
    custom_tags: { id: '7', ...(typeof arn === 'string' && { arn }) },
    metadata: { filter_metadata: { sekisho: struct({ denied: 'host', arn }) } },
  });
  const kept = made('arn%3Aaws%3Aiam%3A%3A123456789012%3Auser%2Ftaro');
  assert.deepEqual(redactedCommon(kept), { common: common(kept), marks: [] });
  const left = { custom_tags: { id: '7' }, metadata: { filter_metadata: { sekisho: struct({ denied: 'host' }) } } };
  assert.deepEqual(redactedCommon(made('{"creds":"S"}')), {
    common: common(left),
    marks: ['metadata.sekisho.arn', 'tags.arn'],
  });
  for (const arn of [7, ['S'], { a: 'S' }]) {
    assert.deepEqual(redactedCommon(made(arn)), { common: common(left), marks: ['metadata.sekisho.arn'] });
  }
});

test('our own metadata may hold URLs, too', () => {
  const made = (url: string): object => ({ metadata: { filter_metadata: { sekisho: struct({ url }) } } });
  assert.deepEqual(redactedCommon(made('/?token=S')), {
    common: common(made('/?token=REDACTED')),
    marks: ['metadata.sekisho.url?token'],
  });
});

for (const [holder, place] of [
  ['filter_state', (objects: object) => ({ filter_state_objects: objects })],
  ['metadata', (objects: object) => ({ metadata: { typed_filter_metadata: objects } })],
] as const) {
  test(`typed ${holder}: strings and structs are looked into, what only a filter knows goes by its key`, () => {
    const before = place({
      text: any('StringValue', { value: '/?token=S' }),
      map: any('Struct', struct({ password: 'S', a: 'b' })),
      number: any('UInt32Value', { value: 7 }),
      cookie: any('UInt32Value', { value: 7 }),
    });
    const after = place({
      text: any('StringValue', { value: '/?token=REDACTED' }),
      map: any('Struct', struct({ password: 'REDACTED', a: 'b' })),
      number: any('UInt32Value', { value: 7 }),
      cookie: any('StringValue', { value: 'REDACTED' }),
    });
    assert.deepEqual(redactedCommon(before), {
      common: common(after),
      marks: [`${holder}.text?token`, `${holder}.map.password`, `${holder}.cookie`],
    });
  });
}
