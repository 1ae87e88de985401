const lastSecond = 253_402_300_799n; // 9999-12-31T23:59:59Z

/** Nanoseconds since 1970 as `2026-11-24T04:54:00.554662000Z`: always 30 chars, so that order is text order. Undefined outside 1970-9999. */
export function rfc3339(nanoseconds: bigint): string | undefined {
  const seconds = nanoseconds / 1_000_000_000n;
  if (nanoseconds < 0n || seconds > lastSecond) return undefined;
  const fraction = (nanoseconds % 1_000_000_000n).toString().padStart(9, '0');
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}
