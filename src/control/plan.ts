import type { Policy } from '../policy/policy.types.ts';
import { memberOf } from '../policy/membership.ts';
import { encodeAny } from '../wire/proto-json.ts';
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
  for (const group of policy.fleet.groups) {
    const sources = new Set([...group.nodes.map(({ source }) => source), ...(group.pattern ? [undefined] : [])]);
    for (const source of sources) {
      const key = variant(group.name, source);
      const resources = withExtras({ policy, hosts, group: group.name, source, keys });
      checkReferences(resources);
      const before = previous?.snapshots.get(key);
      const inputs = resources.map((resource) => ({
        type: resource['@type'],
        name: resourceName(resource),
        bytes: encodeAny(resource),
      }));
      snapshots.set(key, makeSnapshot(inputs, before && { previous: before }));
      const doorless = previous?.snapshots.get(withoutDoors(key));
      const rest = inputs.filter(({ type }) => type !== typeUrls.listener);
      snapshots.set(withoutDoors(key), makeSnapshot(rest, doorless && { previous: doorless }));
    }
  }
  return {
    snapshots,
    keyOf: (id, fit) => {
      const member = memberOf(policy, id);
      if (!member) return undefined;
      const key = variant(member.group.name, member.node?.source);
      return fit ? key : withoutDoors(key);
    },
  };
}

/** Nodes of a group differ only by the address from which they dial. */
function variant(group: string, source: string | undefined): string {
  return source === undefined ? group : `${group} from ${source}`;
}

function withoutDoors(key: string): string {
  return `${key} without doors`;
}
