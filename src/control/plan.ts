import type { Policy } from '../policy/policy.types.ts';
import { memberOf } from '../policy/membership.ts';
import { encodeAny, type TypedJson } from '../wire/proto-json.ts';
import { contentHash } from './content.ts';
import { doorNames } from './door-names.ts';
import { withExtras } from './extra/with-extras.ts';
import { checkReferences } from './resources/references.ts';
import { resourceName, typeUrls } from './resources/types.ts';
import type { DoorKeys } from './resources/secrets.ts';
import { makeSnapshot, type Snapshot } from './xds/snapshot.ts';

/** What every node of a fleet shall have. */
export interface Plan {
  /** One snapshot for each kind of node; nodes that shall have the same share it. */
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** The key of a node's snapshot; undefined for a node that is none of ours. A node that is not fit for doors gets all but these. */
  keyOf(nodeId: string, fit: boolean): string | undefined;
  /** A hash of what the nodes of a key get, which a renewed certificate does not change. */
  contentOf(key: string): string | undefined;
}

/**
 * Policy → resources → snapshots, all of it checked before any of it is published.
 * @throws SekishoError reference_missing or resource_invalid; then nothing has changed
 */
export function plan(facts: {
  readonly policy: Policy;
  readonly hosts: readonly string[];
  readonly keys: ReadonlyMap<string, DoorKeys>;
  readonly previous?: Plan | undefined;
}): Plan {
  const { policy, hosts, keys, previous } = facts;
  const snapshots = new Map<string, Snapshot>();
  const contents = new Map<string, string>();
  const add = (key: string, resources: readonly TypedJson[], names: unknown): void => {
    const before = previous?.snapshots.get(key);
    const inputs = resources.map((resource) => ({
      type: resource['@type'],
      name: resourceName(resource),
      bytes: encodeAny(resource),
    }));
    snapshots.set(key, makeSnapshot(inputs, before && { previous: before }));
    contents.set(key, contentHash(resources, names));
  };
  for (const group of policy.fleet.groups) {
    const proxies = policy.doors.filter(({ on, tls }) => on === group.name && tls);
    const names = proxies.map((door) => doorNames(policy, door));
    const sources = new Set([...group.nodes.map(({ source }) => source), ...(group.pattern ? [undefined] : [])]);
    for (const source of sources) {
      const key = variant(group.name, source);
      const resources = withExtras({ policy, hosts, group: group.name, source, keys });
      checkReferences(resources);
      add(key, resources, names);
      const doorless = resources.filter((resource) => resource['@type'] !== typeUrls.listener);
      add(withoutDoors(key), doorless, names);
    }
  }
  // Asked for every stream of a fleet at once, which may be of 10,000 named nodes.
  const named = new Map(
    policy.fleet.groups.flatMap(({ name, nodes }) => nodes.map(({ id, source }) => [id, variant(name, source)])),
  );
  return {
    snapshots,
    keyOf: (id, fit) => {
      const key = named.get(id) ?? memberOf(policy, id)?.group.name;
      return key === undefined || fit ? key : withoutDoors(key);
    },
    contentOf: (key) => contents.get(key),
  };
}

/** Nodes of a group differ only by the address from which they dial. */
function variant(group: string, source: string | undefined): string {
  return source === undefined ? group : `${group} from ${source}`;
}

function withoutDoors(key: string): string {
  return `${key} without doors`;
}
