import type { Door, Policy } from '../../policy/policy.types.ts';
import { visitorAt } from './access-log.ts';
import { consoleListener } from './console-chains.ts';
import { names } from './names.ts';

/**
 * The listener of a door without a proxy protocol: people's connections to the console arrive at it as they are, by split DNS (reverse) or because
 * nftables on their own host redirects them (sidecar).
 */
export function directListener(door: Door, policy: Policy, hosts: readonly string[]): object {
  return {
    name: names.inside(door.name),
    address: { socket_address: { address: door.listen.host, port_value: door.listen.port } },
    ...consoleListener(door, policy, hosts, visitorAt(door)),
  };
}
