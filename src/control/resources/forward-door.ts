import type { Door, Policy } from '../../policy/policy.types.ts';
import { connectionLog, connectLog, userFormat, visitorAt, visitorInside } from './access-log.ts';
import { authorizeTunnel, isGated } from './authorization.ts';
import { circuitBreakers } from './capacity.ts';
import { cidrRange, extension } from './types.ts';
import { consoleListener } from './console-chains.ts';
import { httpConnectionManager, router } from './connection-manager.ts';
import { names } from './names.ts';
import { proxyTls } from './tls.ts';

/** The listener of a forward proxy: CONNECT comes in, and what the tunnel is about to carry is told to the listener inside. */
export function forwardListener(door: Door, policy: Policy): object {
  const user = userFormat(door);
  return {
    name: names.listener(door.name),
    address: { socket_address: { address: door.listen.host, port_value: door.listen.port } },
    access_log: connectionLog(door, policy, visitorAt(door)),
    filter_chains: [
      {
        name: 'connect',
        ...(door.from.length > 0 && { filter_chain_match: { source_prefix_ranges: door.from.map(cidrRange) } }),
        ...(door.tls && { transport_socket: proxyTls(door) }),
        // A client that opens a connection and then keeps silent during the handshake holds nothing for long.
        transport_socket_connect_timeout: '10s',
        filters: [
          httpConnectionManager({
            statPrefix: names.listener(door.name),
            routes: names.connectRoutes(door.name),
            accessLog: connectLog(door, policy),
            unrecorded: isGated(policy) ? 'line' : undefined,
            http2: { allow_connect: true },
            upgrade: 'CONNECT',
            // Who comes with a password is known only by the answer.
            filters: [
              ...authorizeTunnel(door, policy, { user: door.users.kind === 'basic' ? undefined : user }),
              tellInside(user),
              router,
            ],
          }),
        ],
      },
    ],
  };
}

/** The internal listener behind it, which takes the tunnels for connections to the console. */
export function insideListener(door: Door, policy: Policy, hosts: readonly string[]): object {
  return {
    name: names.inside(door.name),
    internal_listener: {},
    ...consoleListener(door, policy, hosts, visitorInside),
  };
}

/** The cluster that leads from the CONNECT to the internal listener of the same door, with the filter state. */
export function toInside(door: Door): object {
  return {
    name: names.toInside(door.name),
    connect_timeout: '1s',
    circuit_breakers: circuitBreakers,
    load_assignment: {
      cluster_name: names.toInside(door.name),
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: {
                address: {
                  envoy_internal_address: {
                    server_listener_name: names.inside(door.name),
                    endpoint_id: names.inside(door.name),
                  },
                },
              },
            },
          ],
        },
      ],
    },
    transport_socket: extension(
      'envoy.transport_sockets.internal_upstream',
      'envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport',
      {
        transport_socket: extension(
          'envoy.transport_sockets.raw_buffer',
          'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer',
        ),
      },
    ),
  };
}

/** Filter state is the one thing that crosses an internal listener; the last key makes the true address the inner connection's own. */
function tellInside(user: string | undefined): object {
  const say = (key: string, format: string) => ({
    object_key: key,
    factory_key: key.startsWith('envoy.') ? key : 'envoy.string',
    shared_with_upstream: 'ONCE',
    format_string: { text_format_source: { inline_string: format } },
  });
  return extension('sekisho.tell_inside', 'envoy.extensions.filters.http.set_filter_state.v3.Config', {
    on_request_headers: [
      say('sekisho.client', '%DOWNSTREAM_REMOTE_ADDRESS%'),
      say('sekisho.tunnel', '%STREAM_ID%'),
      ...(user === undefined ? [] : [say('sekisho.user', user)]),
      say('envoy.filters.listener.original_dst.remote_ip', '%DOWNSTREAM_REMOTE_ADDRESS%'),
    ],
  });
}
