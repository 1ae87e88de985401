const nanosOf: Readonly<Record<string, number>> = { h: 3.6e12, m: 6e10, s: 1e9, ms: 1e6, us: 1e3, ns: 1 };

/**
 * A duration as absl::FormatDuration writes it (`1.827187ms`, `1m2.5s`), which is how Envoy's CEL says one; in nanoseconds. Undefined for anything else.
 */
function abslDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|ns))+$/.test(text)) return undefined;
  let nanos = 0;
  for (const [, number = '', unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s|us|ns)/g)) {
    nanos += Number(number) * (nanosOf[unit] ?? 0);
  }
  return Math.round(nanos);
}

/** `%CEL(request.duration)% %DURATION%`, in nanoseconds: exact once the request is over, in whole milliseconds before. Undefined where neither is there. */
export function receiptNanos(text: string): number | undefined {
  const [exact = '', milliseconds = ''] = text.split(' ');
  const nanos = abslDuration(exact) ?? (/^\d+$/.test(milliseconds) ? Number(milliseconds) * 1e6 : undefined);
  return nanos !== undefined && Number.isSafeInteger(nanos) ? nanos : undefined;
}
