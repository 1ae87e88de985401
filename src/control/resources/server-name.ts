import { cidrRange, extension } from './types.ts';

/**
 * Which filter chain serves a connection: first where it comes from (`from`, everywhere if empty), then the server name that TLS asks for. Whoever
 * fits nowhere finds no chain.
 */
export function bySourceAndServerName(
  from: readonly string[],
  hosts: readonly string[],
  chainOf: (host: string) => string,
): object {
  const byName = byServerName(hosts, chainOf);
  if (from.length === 0) return byName;
  return {
    matcher_tree: {
      input: input('envoy.matching.inputs.source_ip', 'SourceIPInput'),
      custom_match: extension('envoy.matching.matchers.ip', 'xds.type.matcher.v3.IPMatcher', {
        range_matchers: [{ ranges: from.map(cidrRange), on_match: { matcher: byName } }],
      }),
    },
  };
}

/** Exact names by a map, wildcards by an expression each. */
function byServerName(hosts: readonly string[], chainOf: (host: string) => string): object {
  const name = input('envoy.matching.inputs.server_name', 'ServerNameInput');
  const found = (host: string) => ({
    action: extension(chainOf(host), 'google.protobuf.StringValue', { value: chainOf(host) }),
  });
  const exact = hosts.filter((host) => !isWildcard(host));
  const wildcards = hosts.filter(isWildcard);
  const byExpression = {
    matcher_list: {
      matchers: wildcards.map((host) => ({
        predicate: {
          single_predicate: {
            input: name,
            value_match: { safe_regex: { google_re2: {}, regex: wildcardRegex(host) } },
          },
        },
        on_match: found(host),
      })),
    },
  };
  if (exact.length === 0) return byExpression;
  return {
    matcher_tree: {
      input: name,
      exact_match_map: { map: Object.fromEntries(exact.map((host) => [host, found(host)])) },
    },
    ...(wildcards.length > 0 && { on_no_match: { matcher: byExpression } }),
  };
}

function input(name: string, type: string): object {
  return extension(name, `envoy.extensions.matching.common_inputs.network.v3.${type}`);
}

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
