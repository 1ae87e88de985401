/**
 * The last net under the log: takes out of a value what looks like a secret, whoever put it there. Code must not rely on it; secrets
 * do not belong in messages or facts in the first place.
 *
 * Withheld are PEM blocks in any text and every value under a key that names a secret (`password`, `setCookie`, `access_token`,
 * `private-key`). The result is made of plain JSON values, bounded in depth and size, and free of cycles.
 */
export function withoutSecrets(value: unknown): unknown {
  return plain(value, 0, new Set());
}

/** Text without its PEM blocks; one that never ends is withheld to the end of the text. */
export function withoutPem(text: string): string {
  return text.replace(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?(?:-----END \1-----|$)/g, '[PEM withheld]');
}

const withheld = '[withheld]';
/** Words that make a key the name of a secret. */
const secretWords = new Set([
  'password',
  'passphrase',
  'authorization',
  'cookie',
  'token',
  'key',
  'secret',
  'credentials',
]);
/** Deeper than any fact that we log on purpose. */
const maxDepth = 6;
/** Entries of one list or object, and characters of one text: a log line is for reading. */
const maxEntries = 100;
const maxText = 8192;

function plain(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return shortened(withoutPem(value));
  if (value === null || typeof value === 'boolean' || typeof value === 'undefined') return value;
  // JSON knows no NaN and no Infinity, and would write null.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[no date]' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.has(value)) return '[above]';
  if (depth === maxDepth) return '[deeper]';
  return plainObject(value, depth, new Set(above).add(value));
}

function plainObject(value: object, depth: number, above: Set<object>): unknown {
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((entry) => plain(entry, depth + 1, above));
  const entries = value instanceof Error ? errorEntries(value) : entriesOf(value);
  return Object.fromEntries(
    entries
      .filter(([, entry]) => entry !== undefined)
      .slice(0, maxEntries)
      .map(([key, entry]) => [key, namesSecret(key) ? withheld : plain(entry, depth + 1, above)]),
  );
}

function entriesOf(value: object): [string, unknown][] {
  if (!(value instanceof Map)) return Object.entries(value);
  return [...value].map(([key, entry]: [unknown, unknown]) => [String(key), entry]);
}

/** An error's own words first, then what its class adds (`code`, `facts`); `name`, `stack` and `cause` are not enumerable everywhere. */
function errorEntries(error: Error): [string, unknown][] {
  const own = Object.entries(error).filter(([key]) => !['name', 'message', 'stack', 'cause'].includes(key));
  return [['name', error.name], ['message', error.message], ...own, ['cause', error.cause], ['stack', error.stack]];
}

/** Whether one of the words of the key, in camelCase, snake_case or kebab-case, singular or plural, is a secret's. */
function namesSecret(key: string): boolean {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some((word) => secretWords.has(word) || secretWords.has(word.replace(/s$/, '')));
}

function shortened(text: string): string {
  return text.length <= maxText ? text : `${text.slice(0, maxText)}[${text.length - maxText} more]`;
}
