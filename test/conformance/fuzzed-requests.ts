import fc from 'fast-check';
import { encode } from '../sink/record/entries.ts';
import { requestOf, type Variant } from './conversation.ts';
import { kindNames, kinds, type KindName } from './kinds.ts';

/** What a client does that follows no rule. */
export interface Misconduct {
  readonly variant: Variant;
  readonly service: KindName | 'ADS';
  readonly acts: readonly Act[];
  /** What becomes of the stream: the client has no more to say, goes away, or stays and never reads. */
  readonly end: 'half-close' | 'cancel' | 'deaf';
}

export type Act =
  | { readonly act: 'say'; readonly fields: Fields; readonly bend: Bend | undefined }
  | { readonly act: 'bytes'; readonly bytes: Uint8Array }
  /** Hears what the server has to say so far. */
  | { readonly act: 'hear' };

/** The fields of a request of either variant; `last` in place of a nonce or a version means that of the last response of the type. */
export interface Fields {
  readonly type_url: string;
  readonly response_nonce: string;
  readonly version_info?: string;
  readonly [field: string]: unknown;
}

/** What happens to the bytes of a request on their way: one becomes another, the rest is cut off, something comes behind. */
interface Bend {
  readonly at: number;
  readonly flip: number;
  readonly cut: boolean;
  readonly tail: Uint8Array;
}

export function bytesOf(
  variant: Variant,
  { fields, bend }: { readonly fields: Fields; readonly bend: Bend | undefined },
): Buffer {
  const bytes = encode(requestOf(variant), written(fields) as object);
  if (!bend) return bytes;
  const at = Math.floor(bend.at * bytes.length);
  if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ bend.flip;
  return Buffer.concat([bend.cut ? bytes.subarray(0, at) : bytes, bend.tail]);
}

/** Long things are short in a counterexample: a text again and again, and so many names. */
type Long = { readonly again: string; readonly times: number } | { readonly names: number };

function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  if (isLong(value)) {
    return 'names' in value ? Array.from({ length: value.names }, (_, n) => `n${n}`) : value.again.repeat(value.times);
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, written(one)]));
}

function isLong(value: object): value is Long {
  return 'names' in value || 'again' in value;
}

function again(text: string, most: number): fc.Arbitrary<Long> {
  return fc.integer({ min: 1, max: most }).map((times) => ({ again: text, times }));
}

const proper = kindNames.map((name) => kinds[name].type);
const types = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...proper) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '',
      'type.googleapis.com/',
      '__proto__',
      'constructor',
      'type.googleapis.com/example.Thing',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);

const shortName = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('A', 'B', 'toString', '*', 'nobody', '', '__proto__', 'xdstp:///a/b?c=d#e') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
);
const name = fc.oneof({ weight: 9, arbitrary: shortName }, { weight: 1, arbitrary: again('x', 60_000) });
const names = fc.oneof(
  { weight: 30, arbitrary: fc.array(name, { maxLength: 6 }) },
  { weight: 1, arbitrary: fc.record({ names: fc.integer({ min: 1, max: 150_000 }) }) },
);
const said = fc.oneof(
  fc.constantFrom('', 'last', 'last', 'last', 'of long ago'),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const node = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ id: 'fuzz-1', cluster: 'test' }) },
  { weight: 1, arbitrary: fc.constantFrom({}, { id: '' }, { id: 'stranger' }, { id: `fuzz-${'x'.repeat(300)}` }) },
  {
    weight: 1,
    arbitrary: fc.record({ id: fc.string({ unit: 'binary' }), user_agent_name: fc.string({ unit: 'binary' }) }),
  },
);
const error = fc.record({
  code: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
  message: fc.oneof(
    fc.constantFrom('', 'bad', 'goo.gle/debugproto {\n  name: "A"\n} : bad'),
    fc.string({ unit: 'binary' }),
    again('goo.gle/debugproto : ', 20_000),
    again('-----BEGIN ', 5000),
    again('aA1 ', 100_000),
  ),
});
const versions = fc.dictionary(shortName, said, { maxKeys: 4 });
/** One in so many. */
const seldom = <Value>(value: fc.Arbitrary<Value>, of: number): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 1, arbitrary: value }, { weight: of - 1, arbitrary: fc.constant(undefined) });

/** Absent fields are left out of the message. */
const fields: fc.Arbitrary<Fields> = fc
  .record({
    type_url: types,
    response_nonce: said,
    version_info: said,
    resource_names: names,
    resource_names_subscribe: names,
    resource_names_unsubscribe: names,
    initial_resource_versions: versions,
    error_detail: seldom(error, 6),
  })
  .map(({ error_detail, ...rest }) => ({ ...rest, ...(error_detail && { error_detail }) }));

const bend: fc.Arbitrary<Bend> = fc.record({
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  flip: fc.nat(255),
  cut: fc.boolean(),
  tail: fc.uint8Array({ maxLength: 12 }),
});
const say: fc.Arbitrary<Act> = fc.record({
  act: fc.constant('say' as const),
  fields,
  bend: seldom(bend, 40),
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 40, arbitrary: say },
  { weight: 20, arbitrary: fc.constant({ act: 'hear' as const }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 200 }) }) },
);

/** Mostly it says who it is at first: otherwise it would not come far. */
const first = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .record({ node, fields })
      .map((both): Act => ({ act: 'say', fields: { ...both.fields, node: both.node }, bend: undefined })),
  },
  { weight: 1, arbitrary: act },
);

export const misconduct: fc.Arbitrary<Misconduct> = fc
  .record({
    variant: fc.constantFrom<Variant>('sotw', 'delta'),
    service: fc.oneof(fc.constant('ADS' as const), fc.constantFrom(...kindNames)),
    first,
    more: fc.array(act, { maxLength: 24 }),
    end: fc.constantFrom('half-close' as const, 'half-close' as const, 'cancel' as const, 'deaf' as const),
  })
  .map(({ first: one, more, ...rest }) => ({
    ...rest,
    acts: [one, ...more].map((said) => toService(said, rest.service)),
  }));

/** A service of one type ends the stream at any other, which would be the end of most. */
function toService(said: Act, service: KindName | 'ADS'): Act {
  if (said.act !== 'say' || service === 'ADS' || !proper.includes(said.fields.type_url)) return said;
  return { ...said, fields: { ...said.fields, type_url: kinds[service].type } };
}
