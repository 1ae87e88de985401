import { isIP } from 'node:net';
import type { Door, Policy } from '../policy/policy.types.ts';
import type { CaFacts } from './ca/init-ca.ts';

/** Names and addresses under which a door that speaks TLS itself is reached. */
export interface DoorNames {
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
}

/** What the certificate of the proxy itself carries: the addresses of the group's nodes, and the one it listens on. */
export function doorNames(policy: Policy, door: Door): DoorNames {
  const group = policy.fleet.groups.find(({ name }) => name === door.on);
  const listens = ['0.0.0.0', '::'].includes(door.listen.host) ? [] : [door.listen.host];
  return split([...(group?.nodes.flatMap(({ address }) => address ?? []) ?? []), ...listens]);
}

/** What the two authorities have to know of a policy. `constraints` are the base names of the admitted hosts. */
export function caFacts(policy: Policy, constraints: readonly string[]): CaFacts {
  const doors = policy.doors.filter((door) => door.tls).map((door) => doorNames(policy, door));
  const server = split(policy.server.grpc.addresses.map(({ host }) => host));
  return {
    fleet: policy.fleet.name,
    hosts: [...constraints, ...doors.flatMap(({ hosts }) => hosts)],
    addresses: doors.flatMap(({ addresses }) => addresses),
    serverHosts: server.hosts,
    serverAddresses: server.addresses,
  };
}

function split(names: readonly string[]): DoorNames {
  const unique = [...new Set(names)];
  return {
    hosts: unique.filter((name) => isIP(name) === 0),
    addresses: unique.filter((name) => isIP(name) !== 0),
  };
}
