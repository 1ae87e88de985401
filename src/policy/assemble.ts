import path from 'node:path';
import type { PolicyFiles } from './files.ts';
import type {
  Door,
  DoorUsers,
  ExtraResource,
  FleetNode,
  NodeGroup,
  OutputRules,
  Policy,
  RecordRules,
  RolloutRules,
  SocketAddress,
} from './policy.types.ts';
import type { PolicyInput } from './schema.ts';

type NamedFiles = Pick<PolicyFiles, 'certificates' | 'accounts'>;
type Contents = NamedFiles & { readonly resources: readonly ExtraResource[] };

/** The policy out of what the schema read and the files that it names. All checks have passed. */
export function assemblePolicy(
  { file, sha256, source }: Pick<Policy, 'file' | 'sha256' | 'source'>,
  input: PolicyInput,
  files: Contents,
): Policy {
  const trust = input.console.trust === undefined ? undefined : files.certificates.get(input.console.trust);
  return {
    file,
    sha256,
    source,
    fleet: {
      name: input.fleet.name,
      egress: input.fleet.egress.map((network) => network.cidr),
      groups: Object.entries(input.fleet.nodes).map(([name, value]) => groupOf(name, value)),
    },
    doors: input.doors.map((door) => doorOf(door, files)),
    console: {
      partitions: input.console.partitions,
      regions: input.console.regions,
      also: input.console.also,
      resolvers: input.console.resolvers,
      pins: Object.entries(input.console.pins).map(([host, endpoints]) => ({ host, endpoints })),
      ...(trust === undefined ? {} : { trust }),
    },
    record: recordOf(input.record),
    outputs: input.outputs.map((output) => outputOf(path.dirname(file), output)),
    resources: files.resources,
    ...(input.rollout === undefined ? {} : { rollout: rolloutOf(input.rollout) }),
    server: {
      grpc: { listen: input.server.grpc.listen, addresses: addressesOf(input.server.grpc) },
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

function recordOf({ assurance, redact, periodic, refusals }: PolicyInput['record']): RecordRules {
  const { burst, rate, tally } = refusals;
  return {
    assurance,
    redactQuery: redact.query,
    periodicSeconds: periodic.seconds,
    refusals: { burst, rate, tallySeconds: tally.seconds },
  };
}

function outputOf(folder: string, { kind, dir, rotate }: PolicyInput['outputs'][number]): OutputRules {
  return { kind, dir: path.resolve(folder, dir), rotate: { bytes: rotate.bytes, seconds: rotate.age.seconds } };
}

function rolloutOf({ canary, soak }: NonNullable<PolicyInput['rollout']>): RolloutRules {
  return { canary: 'percent' in canary ? canary : { nodes: canary }, soakSeconds: soak.seconds };
}

function doorOf(door: PolicyInput['doors'][number], files: NamedFiles): Door {
  const { name, on, kind, inspect, listen, from, tls, reason } = door;
  const networks = from.map((network) => network.cidr);
  const users = usersOf(door.users, files);
  return { name, on, kind, inspect, listen, from: networks, tls, users, ...(reason === undefined ? {} : { reason }) };
}

function addressesOf({ listen, address = listen }: PolicyInput['server']['grpc']): SocketAddress[] {
  return Array.isArray(address) ? address : [address];
}

/** A file that could not be read was a problem, and then there is no policy to assemble. */
function usersOf(users: PolicyInput['doors'][number]['users'], { certificates, accounts }: NamedFiles): DoorUsers {
  if (users === 'none') return { kind: 'none' };
  if ('basic' in users) return { kind: 'basic', accounts: accounts.get(users.basic) ?? new Map() };
  return { kind: 'certificate', authorities: certificates.get(users.certificate) ?? '' };
}
