import { isIP } from 'node:net';
import type { Policy } from '../../policy/policy.types.ts';
import { decodeAny } from '../../wire/decode-any.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import { canonicalAddress, type NameConstraints } from '../ca/name-constraints.ts';
import { doorNames } from '../door-names.ts';
import { plan, type Plan } from '../plan.ts';
import { names } from '../resources/names.ts';
import type { Resource } from '../xds/snapshot.ts';
import type { TypeUrl } from '../xds/type-urls.ts';
import { shownResource } from './shown.ts';

/** What the nodes of a fleet are told, as anybody may see it: no secret is in it. The answer of `GET /published`. */
export interface PublishedJson {
  readonly policy: { readonly file: string; readonly sha256: string };
  readonly targets: readonly PublishedTarget[];
  /** What the console CA of the service can sign for; absent where there is no service. */
  readonly constraints?: NameConstraints;
}

/** Nodes that are told the same. */
export interface PublishedTarget {
  readonly group: string;
  /** The ids that the policy names. */
  readonly nodes: readonly string[];
  /** The glob by which the policy admits others. */
  readonly match?: string;
  /** In Envoy's own names. */
  readonly resources: readonly TypedJson[];
}

/** What is published by this plan. Nodes too old for doors get the same without listeners, and are left out here. */
export function publishedJson(policy: Policy, hosts: readonly string[], published: Plan): PublishedJson {
  const issued = issuedNames(policy, hosts);
  // Nodes that dial from different addresses share most of their resources, and to decode is dear.
  const known = new Map<string, TypedJson>();
  const shownOf = (type: TypeUrl, { name, version, bytes }: Resource): TypedJson => {
    const key = JSON.stringify([type, name, version]);
    const resource = known.get(key) ?? shownResource(decodeAny(bytes), issued);
    known.set(key, resource);
    return resource;
  };
  const resourcesUnder = (key: string): TypedJson[] =>
    [...(published.snapshots.get(key)?.types ?? [])].flatMap(([type, resources]) =>
      [...resources.values()].map((resource) => shownOf(type, resource)),
    );
  const targets = policy.fleet.groups.flatMap((group): PublishedTarget[] => {
    const byKey = new Map<string, string[]>();
    for (const { id } of group.nodes) {
      const key = published.keyOf(id, true) ?? '';
      byKey.set(key, [...(byKey.get(key) ?? []), id]);
    }
    const named = [...byKey].map(([key, nodes]) => ({ group: group.name, nodes, resources: resourcesUnder(key) }));
    if (!group.pattern) return named;
    // Whoever a pattern admits has no source of its own, so its snapshot is that of the group.
    const { match } = group.pattern;
    return [...named, { group: group.name, nodes: [], match, resources: resourcesUnder(group.name) }];
  });
  return { policy: { file: policy.file, sha256: policy.sha256 }, targets };
}

/** What a policy would publish. Throws `reference_missing` or `resource_invalid`. */
export function wouldPublish(policy: Policy, hosts: readonly string[]): PublishedJson {
  const pair = { certificateChain: '(issued by the console CA)', privateKey: '(withheld)' };
  const keys = new Map(policy.doors.map(({ name, tls }) => [name, { leaf: pair, ...(tls && { proxy: pair }) }]));
  return publishedJson(policy, hosts, plan({ policy, hosts, keys }));
}

/** The names of each certificate that the console CA issues for the doors, by the name of its secret. */
function issuedNames(policy: Policy, hosts: readonly string[]): Map<string, readonly string[]> {
  const issued = new Map<string, readonly string[]>();
  for (const door of policy.doors) {
    issued.set(names.leaf(door.name), canonical(hosts));
    const own = doorNames(policy, door);
    if (door.tls) issued.set(names.proxy(door.name), canonical([...own.hosts, ...own.addresses]));
  }
  return issued;
}

/** As the CA takes them: in any order, each once. */
function canonical(list: readonly string[]): string[] {
  return [...new Set(list.map((name) => (isIP(name) === 0 ? name.toLowerCase() : canonicalAddress(name))))].sort();
}
