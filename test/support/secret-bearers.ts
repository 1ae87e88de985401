import fc from 'fast-check';
import { secretNames } from '../../src/sink/record/redaction-rules.ts';

const encoders: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  once: encodeURIComponent,
  twice: (text) => encodeURIComponent(encodeURIComponent(text)),
  'three times': (text) => encodeURIComponent(encodeURIComponent(encodeURIComponent(text))),
  'every byte': everyByte,
  'every other byte': (text) => Array.from(text, (one, at) => (at % 2 === 0 ? one : everyByte(one))).join(''),
  'lower case': (text) => encodeURIComponent(text).replaceAll(/%../g, (hex) => hex.toLowerCase()),
  'as in a form': (text) => new URLSearchParams({ '': text }).toString().slice(1),
};

/** Ways to write a text into a URL. */
export const encoder = fc.constantFrom(...Object.values(encoders));

/** Percent-encodes also what nobody has to. */
export function everyByte(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join('');
}

/** Names of secrets in the case and with the hyphens of whoever writes them, as an array, as a member of one. */
export const secretName = fc
  .tuple(
    fc.constantFrom(...secretNames.parameters, ...secretNames.endings.map((ending) => `my_${ending}`)),
    fc.constantFrom<(name: string) => string>(
      (name) => name,
      (name) => name.toUpperCase(),
      (name) => name.replaceAll('_', '-'),
      (name) => `${name}[]`,
      (name) => `user[${name}]`,
      (name) => ` ${name} `,
    ),
  )
  .map(([name, write]) => write(name));

/** Headers that carry a secret by their name. */
export const secretHeader = fc.constantFrom(
  ...[
    'cookie',
    'Cookie',
    'set-cookie',
    'authorization',
    'proxy-authorization',
    'password',
    'x-api-key',
    'x-csrf-token',
  ],
  ...[...secretNames.headers, ...secretNames.headerWords],
);

/** Ways in which a named secret stands in a text. */
const bearer = fc.constantFrom<(name: string, value: string, encode: (text: string) => string) => string>(
  (name, value, encode) => `/a?x=1&${encode(name)}=${value}&y=2`,
  (name, value, encode) => `/a?x=1;${encode(name)}=${value};y=2`,
  (name, value, encode) => `/a;${encode(name)}=${value}/b`,
  (name, value, encode) => `https://x/#${encode(name)}=${value}`,
  (name, value, encode) => `/a?next=${encode(`https://x/?x=1&${name}=${value}#y`)}`,
  (name, value, encode) => `/a?${encode(`next=/b?${name}=${value}`)}`,
  (name, value, encode) => `/a/${encode(`b?${name}=${value}`)}`,
  (name, value, encode) => `5; url=${encode(`/b?${name}=${value}`)}`,
  (name, value, encode) => `/a?d=${encode(JSON.stringify({ a: [{ [name]: value }] }))}`,
  (name, value, encode) => `/a?d=${encode(JSON.stringify({ a: JSON.stringify({ [name]: value, b: '&?#' }) }))}`,
  (_, value, encode) => `/a?u=${encode(`https://taro:${value}@x/`)}`,
  (_, value, encode) => `https://taro:${value}@x/?u=${encode('https://x')}`,
  (_, value) => `wss:${value}@x/`,
);

/** A text in which this secret stands so that docs/records.md promises to withhold it. */
export function bearing(secret: string): fc.Arbitrary<string> {
  return fc.tuple(bearer, secretName, encoder).map(([write, name, encode]) => write(name, secret, encode));
}
