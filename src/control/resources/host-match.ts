/**
 * How an admitted host is recognised. A pattern is an exact host or `*.` and a suffix that stands for exactly one label, because
 * a certificate's wildcard covers one label (RFC 9525 §6.3). Envoy's own domain wildcards cover any number, so
 * wherever a wildcard decides, a regular expression decides with it. Each stays far below Envoy's bound of 100 RE2 instructions.
 */

export const isWildcard = (pattern: string): boolean => pattern.startsWith('*.');

/** RE2 for a `*.` pattern: one label and the suffix, in any case, and behind it the port, which may be left out unless `required`. */
export function wildcardRegex(pattern: string, port?: { readonly number: number; readonly required: boolean }): string {
  const suffix = pattern.slice(1).replaceAll('.', '\\.');
  const tail = port === undefined ? '' : port.required ? `:${port.number}` : `(:${port.number})?`;
  return `(?i)^[a-z0-9-]+${suffix}${tail}$`;
}
