import type { Door, Policy } from '../../policy/policy.types.ts';
import { connectionLog, requestLog, type Visitor } from './access-log.ts';
import { authorizeRequest, isGated } from './authorization.ts';
import { httpConnectionManager, router } from './connection-manager.ts';
import { dnsCache } from './dns.ts';
import { names } from './names.ts';
import { bySourceAndServerName } from './server-name.ts';
import { consoleTls } from './tls.ts';
import { passThrough } from './tunnel.ts';
import { extension } from './types.ts';

/**
 * What a listener is that stands in for the console: by the server name of TLS it knows who is asked for, and whoever is not on the list is closed
 * and recorded. The same behind a CONNECT, at a reverse door and at a sidecar.
 */
export function consoleListener(door: Door, policy: Policy, hosts: readonly string[], visitor: Visitor): object {
  const pinned = door.inspect === 'tunnel' ? policy.console.pins.map(({ host }) => host) : [];
  const chainOf = (host: string): string => (pinned.includes(host) ? names.pin(host) : names.console);
  // Behind a CONNECT the outer listener has looked at the network already.
  const from = door.kind === 'forward' ? [] : door.from;
  return {
    access_log: connectionLog(door, policy, visitor),
    listener_filters: [
      // Of an internal listener it restores the client's address, of a redirected socket the address that was dialled.
      ...(door.kind === 'reverse'
        ? []
        : [
            extension(
              'envoy.filters.listener.original_dst',
              'envoy.extensions.filters.listener.original_dst.v3.OriginalDst',
            ),
          ]),
      extension(
        'envoy.filters.listener.tls_inspector',
        'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
        { enable_ja3_fingerprinting: true },
      ),
    ],
    // Not a server_names match: that is part of the chain, and a changed list would drain every connection; and its wildcard
    // covers any number of labels.
    filter_chain_matcher: bySourceAndServerName(from, hosts, chainOf),
    filter_chains:
      door.inspect === 'tunnel'
        ? [names.console, ...pinned.map(names.pin)].map((chain) => passThrough(chain, door, policy, visitor))
        : [decrypted(door, policy, visitor)],
  };
}

/** Here TLS ends under the console CA and every request becomes a record. */
function decrypted(door: Door, policy: Policy, visitor: Visitor): object {
  return {
    name: names.console,
    transport_socket: consoleTls(door),
    transport_socket_connect_timeout: '10s',
    filters: [
      httpConnectionManager({
        statPrefix: names.inside(door.name),
        routes: names.httpRoutes(door.name),
        accessLog: requestLog(door, policy, visitor),
        unrecorded: isGated(policy) ? 'page' : undefined,
        // Without allow_connect, or browsers open WebSockets by HTTP/2 and the console's HTTP/1.1 side refuses them.
        http2: {},
        upgrade: 'websocket',
        filters: [keepId, claimedArn, ...authorizeRequest(door, policy, visitor), dynamicForwardProxy(policy), router],
      }),
    ],
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
