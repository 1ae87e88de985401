import { SekishoError } from '../../base/errors.ts';
import { rfc3339 } from '../record/rfc3339.ts';

const day = 86_400_000;
const unitMilliseconds: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: day };
const withZone = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * A point in time as `time` of a record is written (RFC 3339, UTC, nanoseconds), so that the two compare as text.
 * Takes RFC 3339 (`2026-11-24T10:00:00+09:00`), a date (its midnight, UTC), `90s`, `30m`, `2h`, `7d` (so long ago) and `today` (the last
 * midnight, UTC). `now`: milliseconds since 1970. Throws SekishoError `usage`.
 */
export function parseTimeBound(text: string, now: number): string {
  const nanoseconds = instantOf(text.trim(), now);
  const time = nanoseconds === undefined ? undefined : rfc3339(nanoseconds);
  if (time !== undefined) return time;
  throw new SekishoError(
    'usage',
    `${JSON.stringify(text)} is no time. Write 2h, 30m or 7d for so long ago, today, 2026-11-24, or 2026-11-24T10:00:00Z ` +
      '(with its zone: Z or +09:00).',
  );
}

function instantOf(text: string, now: number): bigint | undefined {
  if (text === 'today') return fromMilliseconds(now - (now % day));
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  if (ago !== null) return fromMilliseconds(now - Number(ago[1]) * (unitMilliseconds[ago[2] ?? ''] ?? 0));
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return fromDate(`${text}T00:00:00Z`);
  const [whole, date, time, fraction = '', zone] = withZone.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const seconds = fromDate([date, 'T', time, zone].join('').toUpperCase());
  return seconds === undefined ? undefined : seconds + BigInt(fraction.padEnd(9, '0'));
}

function fromDate(text: string): bigint | undefined {
  const milliseconds = isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? undefined : fromMilliseconds(milliseconds);
}

/** Date.parse takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(date);
}

function fromMilliseconds(milliseconds: number): bigint {
  return BigInt(Math.floor(milliseconds)) * 1_000_000n;
}
