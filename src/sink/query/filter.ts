import ipaddr from 'ipaddr.js';
import { SekishoError } from '../../base/errors.ts';
import { recordKinds } from '../record/envelope.ts';
import type { NamedRecord } from '../record/name.ts';
import { parseTimeBound } from './time-bound.ts';

/** What somebody asks for, in their own words; each part narrows, an absent one admits everything. */
export interface RecordQuestion {
  /** From here on, inclusive; see `parseTimeBound`. */
  readonly since?: string | undefined;
  /** Up to here, exclusive. */
  readonly until?: string | undefined;
  /** `user.id` exactly, or a claimed ARN where it starts with `arn:`. */
  readonly user?: string | undefined;
  /** The requested host or TLS server name, exactly or `*.example.com` for every host below. */
  readonly host?: string | undefined;
  /** An address or a network (`10.0.0.0/8`). */
  readonly client?: string | undefined;
  /** `200`, `4xx`, `400-499`, or several with commas. */
  readonly status?: string | undefined;
  /** `http`, `tcp`, `connection`, `intent`, `gap` or `control`. */
  readonly kind?: string | undefined;
}

export type RecordFilter = (record: NamedRecord) => boolean;

/** The question as a predicate. `now`: milliseconds since 1970. Throws SekishoError `usage` where a part is not understood. */
export function recordFilter(question: RecordQuestion, now: number): RecordFilter {
  const tests: readonly RecordFilter[] = [
    ...part(question.since, (text) => sinceTest(parseTimeBound(text, now))),
    ...part(question.until, (text) => untilTest(parseTimeBound(text, now))),
    ...part(question.user, userTest),
    ...part(question.host, hostTest),
    ...part(question.client, clientTest),
    ...part(question.status, statusTest),
    ...part(question.kind, kindTest),
  ];
  return (record) => tests.every((test) => test(record));
}

function part(text: string | undefined, parse: (text: string) => RecordFilter): readonly RecordFilter[] {
  return text === undefined ? [] : [parse(text.trim())];
}

/** Times are written so that they compare as text. */
function sinceTest(since: string): RecordFilter {
  return (record) => String(record['time'] ?? '') >= since;
}

function untilTest(until: string): RecordFilter {
  return (record) => String(record['time'] ?? '') < until;
}

function userTest(user: string): RecordFilter {
  if (user === '') throw usage('A user is empty. Write the name as user.id shows it, or an ARN.');
  const name = user.startsWith('arn:') ? 'sekisho.claimed_arn' : 'user.id';
  return (record) => record[name] === user;
}

function hostTest(text: string): RecordFilter {
  const host = text.toLowerCase();
  if (!/^(?:\*\.)?[\w.:-]+$/.test(host)) {
    throw usage(
      `${JSON.stringify(text)} is no host. Write console.aws.amazon.com, or *.aws.amazon.com for all below it.`,
    );
  }
  const suffix = host.startsWith('*.') ? host.slice(1) : undefined;
  const matches = (value: unknown): boolean =>
    typeof value === 'string' && (suffix === undefined ? value === host : value.endsWith(suffix));
  return (record) => matches(record['server.address']) || matches(record['tls.client.server_name']);
}

function clientTest(text: string): RecordFilter {
  const [network, bits] = parseNetwork(text);
  return (record) => {
    const client = record['client.address'];
    if (typeof client !== 'string' || !ipaddr.isValid(client)) return false;
    const address = ipaddr.process(client);
    return address.kind() === network.kind() && address.match(network, bits);
  };
}

function parseNetwork(text: string): [network: ipaddr.IPv4 | ipaddr.IPv6, bits: number] {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    if (ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)) {
      const address = ipaddr.process(text);
      return [address, address.kind() === 'ipv4' ? 32 : 128];
    }
  } catch {
    // Said below, in our own words.
  }
  throw usage(`${JSON.stringify(text)} is no address. Write 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32.`);
}

function statusTest(text: string): RecordFilter {
  const ranges = parseStatus(text);
  return (record) => {
    const status = record['http.response.status_code'];
    return typeof status === 'number' && ranges.some(([from, to]) => status >= from && status <= to);
  };
}

function kindTest(kind: string): RecordFilter {
  if (!Object.hasOwn(recordKinds, kind)) {
    throw usage(`${JSON.stringify(kind)} is no kind of record. Write one of ${Object.keys(recordKinds).join(', ')}.`);
  }
  return (record) => record['sekisho.kind'] === kind;
}

function usage(message: string): SekishoError {
  return new SekishoError('usage', message);
}

/** Ranges of HTTP status codes, both ends inclusive, from `200`, `4xx`, `400-499` or several with commas. Throws SekishoError `usage`. */
export function parseStatus(text: string): readonly (readonly [from: number, to: number])[] {
  return text.split(',').map((part) => parseRange(part.trim(), text));
}

function parseRange(part: string, whole: string): readonly [number, number] {
  const hundreds = /^([1-5])xx$/i.exec(part);
  if (hundreds !== null) return [Number(hundreds[1]) * 100, Number(hundreds[1]) * 100 + 99];
  const range = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(part);
  const from = Number(range?.[1]);
  const to = Number(range?.[2] ?? from);
  if (range !== null && from <= to) return [from, to];
  throw new SekishoError(
    'usage',
    `${JSON.stringify(whole)} is no status. Write 200, 4xx, 400-499, or several: 403,5xx.`,
  );
}
