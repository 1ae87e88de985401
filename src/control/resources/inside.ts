import type { Door, Policy } from '../../policy/policy.types.ts';
import { connectionLog, insideTags, requestLog } from './access-log.ts';
import { httpConnectionManager, router } from './connection-manager.ts';
import { dnsCache } from './dns.ts';
import { isWildcard, wildcardRegex } from './host-match.ts';
import { names } from './names.ts';
import { consoleTls } from './tls.ts';
import { extension } from './types.ts';

/** The internal listener behind a door: here TLS ends under the console CA and every request becomes a record. */
export function insideListener(door: Door, policy: Policy, hosts: readonly string[]): object {
  return {
    name: names.inside(door.name),
    internal_listener: {},
    access_log: [connectionLog(door.name, insideTags)],
    listener_filters: [
      extension('envoy.filters.listener.original_dst', 'envoy.extensions.filters.listener.original_dst.v3.OriginalDst'),
      extension(
        'envoy.filters.listener.tls_inspector',
        'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
      ),
    ],
    // Not a server_names match: that is part of the chain, and a changed list would drain every connection; and its wildcard
    // covers any number of labels.
    filter_chain_matcher: byServerName(hosts, 'console'),
    filter_chains: [
      {
        name: 'console',
        transport_socket: consoleTls(door.name),
        transport_socket_connect_timeout: '10s',
        filters: [
          httpConnectionManager({
            statPrefix: names.inside(door.name),
            routes: names.httpRoutes(door.name),
            accessLog: requestLog(door.name),
            // Without allow_connect, or browsers open WebSockets by HTTP/2 and the console's HTTP/1.1 side refuses them.
            http2: {},
            upgrade: 'websocket',
            filters: [keepId, claimedArn, dynamicForwardProxy(policy), router],
          }),
        ],
      },
    ],
  };
}

/** Exact names by a map, wildcards by an expression each; whoever is neither finds no chain, is closed and recorded. */
function byServerName(hosts: readonly string[], chain: string): object {
  const input = extension(
    'envoy.matching.inputs.server_name',
    'envoy.extensions.matching.common_inputs.network.v3.ServerNameInput',
  );
  const found = { action: extension(chain, 'google.protobuf.StringValue', { value: chain }) };
  const exact = hosts.filter((host) => !isWildcard(host));
  const wildcards = hosts.filter(isWildcard);
  const byExpression = {
    matcher_list: {
      matchers: wildcards.map((host) => ({
        predicate: {
          single_predicate: { input, value_match: { safe_regex: { google_re2: {}, regex: wildcardRegex(host) } } },
        },
        on_match: found,
      })),
    },
  };
  if (exact.length === 0) return byExpression;
  return {
    matcher_tree: { input, exact_match_map: { map: Object.fromEntries(exact.map((host) => [host, found])) } },
    ...(wildcards.length > 0 && { on_no_match: { matcher: byExpression } }),
  };
}

/** The stream id, kept where no change of headers can reach it. */
const keepId = extension('sekisho.keep_id', 'envoy.extensions.filters.http.set_filter_state.v3.Config', {
  on_request_headers: [
    {
      object_key: 'sekisho.id',
      factory_key: 'envoy.string',
      format_string: { text_format_source: { inline_string: '%STREAM_ID%' } },
    },
  ],
});

/**
 * The ARN of the console's cookie `aws-userInfo`, the only part of any cookie that is kept. Where the expression does not match, Envoy
 * keeps the whole value: the sink drops whatever is not an ARN.
 */
const claimedArn = extension('sekisho.claimed_arn', 'envoy.extensions.filters.http.header_to_metadata.v3.Config', {
  request_rules: [
    {
      cookie: 'aws-userInfo',
      on_header_present: {
        metadata_namespace: 'sekisho',
        key: 'arn',
        regex_value_rewrite: { pattern: { regex: '^.*?%22arn%22%3A%22(.*?)%22.*$' }, substitution: '\\1' },
      },
    },
  ],
});

const dynamicForwardProxy = (policy: Policy) =>
  extension(
    'envoy.filters.http.dynamic_forward_proxy',
    'envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig',
    { dns_cache_config: dnsCache(policy) },
  );
