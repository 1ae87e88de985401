import type { IncomingHttpHeaders } from 'node:http2';
import type { AnyCall, Status } from '../call.types.ts';

/** gRPC's metadata: the headers of a call, of which those that end in `-bin` are bytes as base64. */
export function metadataOf(headers: IncomingHttpHeaders): AnyCall['metadata'] {
  return {
    get: (name) => {
      const value = headers[name.toLowerCase()];
      if (value === undefined) return [];
      const values = Array.isArray(value) ? value : [value];
      if (!name.toLowerCase().endsWith('-bin')) return values;
      return values.flatMap((list) => list.split(',')).map((one) => Buffer.from(one.trim(), 'base64'));
    },
  };
}

/** Milliseconds of each unit of `grpc-timeout`. */
const units = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1000],
  ['m', 1],
  ['u', 1e-3],
  ['n', 1e-6],
]);

/** Node's timers know no more; who would wait longer than 24 days waits as if he had not said how long. */
const longestTimeoutMs = 2 ** 31 - 1;

/** How long the caller waits, in milliseconds; undefined for ever, NaN for what is no `grpc-timeout`. */
export function timeoutOf(headers: IncomingHttpHeaders): number | undefined {
  const said = headers['grpc-timeout'];
  if (said === undefined) return undefined;
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(said)) ?? [];
  const ms = Number(digits) * (units.get(unit) ?? Number.NaN);
  return ms > longestTimeoutMs ? undefined : ms;
}

/** The trailers that say how a call ended. Source: "gRPC over HTTP2", Responses. */
export function trailersOf({ code, details }: Status): Record<string, string> {
  return { 'grpc-status': String(code), ...(details !== '' && { 'grpc-message': percentEncoded(details) }) };
}

function percentEncoded(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
