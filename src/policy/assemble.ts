import type { Door, DoorUsers, FleetNode, NodeGroup, Policy } from './policy.types.ts';
import type { PolicyInput } from './schema.ts';

/** The policy out of what the schema read and the files that it names. All checks have passed. */
export function assemblePolicy(file: string, input: PolicyInput, certificates: ReadonlyMap<string, string>): Policy {
  const trust = input.console.trust === undefined ? undefined : certificates.get(input.console.trust);
  return {
    file,
    fleet: {
      name: input.fleet.name,
      egress: input.fleet.egress.map((network) => network.cidr),
      groups: Object.entries(input.fleet.nodes).map(([name, value]) => groupOf(name, value)),
    },
    doors: input.doors.map((door) => doorOf(door, certificates)),
    console: {
      partitions: input.console.partitions,
      regions: input.console.regions,
      also: input.console.also,
      resolvers: input.console.resolvers,
      pins: Object.entries(input.console.pins).map(([host, endpoints]) => ({ host, endpoints })),
      ...(trust === undefined ? {} : { trust }),
    },
    record: { assurance: input.record.assurance, redactQuery: input.record.redact.query },
    server: {
      grpc: { listen: input.server.grpc.listen, address: input.server.grpc.address ?? input.server.grpc.listen },
      admin: input.server.admin,
      public: input.server.public,
    },
  };
}

function groupOf(name: string, value: PolicyInput['fleet']['nodes'][string]): NodeGroup {
  return Array.isArray(value) ? { name, nodes: value.map(nodeOf) } : { name, nodes: [], pattern: value };
}

/** Without keys whose value is undefined, which an optional property may not have. */
function nodeOf({
  id,
  address,
  source,
}: {
  id: string;
  address?: string | undefined;
  source?: string | undefined;
}): FleetNode {
  return { id, ...(address === undefined ? {} : { address }), ...(source === undefined ? {} : { source }) };
}

function doorOf(door: PolicyInput['doors'][number], certificates: ReadonlyMap<string, string>): Door {
  const { name, on, kind, inspect, listen, from, tls, reason } = door;
  const users: DoorUsers =
    door.users === 'none'
      ? { kind: 'none' }
      : { kind: 'certificate', authorities: certificates.get(door.users.certificate) ?? '' };
  const networks = from.map((network) => network.cidr);
  return { name, on, kind, inspect, listen, from: networks, tls, users, ...(reason === undefined ? {} : { reason }) };
}
