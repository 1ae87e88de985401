import type { Door, Policy } from '../../policy/policy.types.ts';
import { tunnelLog, type Visitor } from './access-log.ts';
import { authorizeConnection, isGated } from './authorization.ts';
import { dnsCache } from './dns.ts';
import { names } from './names.ts';
import { extension } from './types.ts';

/**
 * The chain of connections that are not decrypted. They go to where their server name leads, by Envoy's own resolvers or by a pin, and never to
 * an address that the client chose: a listed name on a foreign address reaches the listed host or nobody.
 */
export function passThrough(chain: string, door: Door, policy: Policy, visitor: Visitor): object {
  return {
    name: chain,
    filters: [
      ...authorizeConnection(door, policy, visitor),
      ...(chain === names.console ? [resolveServerName(policy)] : []),
      extension('envoy.filters.network.tcp_proxy', 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
        stat_prefix: names.inside(door.name),
        cluster: names.tunnel(chain),
        idle_timeout: '3600s',
        ...dialled(policy),
        access_log_options: {
          flush_access_log_on_connected: true,
          access_log_flush_interval: `${policy.record.periodicSeconds}s`,
        },
        access_log: tunnelLog(door, policy, visitor),
      }),
    ],
  };
}

/** Without the question Envoy dials at once; with it, only when the first bytes have passed the filter that asks. */
function dialled(policy: Policy): object {
  return isGated(policy) ? { upstream_connect_mode: onDownstreamData, max_early_data_bytes: 65_536 } : {};
}

/** ON_DOWNSTREAM_DATA of envoy.extensions.filters.network.tcp_proxy.v3.UpstreamConnectMode. */
const onDownstreamData = 1;

function resolveServerName(policy: Policy): object {
  return extension(
    'envoy.filters.network.sni_dynamic_forward_proxy',
    'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig',
    { port_value: 443, dns_cache_config: dnsCache(policy) },
  );
}
