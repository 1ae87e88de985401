import { globMatches } from '../../policy/glob.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import { permitsAddress, permitsHost } from '../ca/name-constraints.ts';
import { resourceName } from '../resources/types.ts';
import { pushOrder, type Step } from '../xds/push-order.ts';
import { secretType, shortType } from '../xds/type-urls.ts';
import { fieldChanges, type FieldChange } from './field-changes.ts';
import type { PublishedJson, PublishedTarget } from './published.ts';
import { isIssued } from './shown.ts';

/** What `sekisho diff -o json` prints: how what a policy would publish differs from what is published. */
export interface PreviewJson {
  readonly changed: boolean;
  readonly from: PublishedJson['policy'];
  readonly to: PublishedJson['policy'];
  /** Names that the console CA of the running service does not cover: it would refuse the policy. */
  readonly uncovered: readonly string[];
  readonly groups: readonly PreviewGroup[];
}

/** Nodes for which the same changes. */
export interface PreviewGroup {
  /** Ids, or `host-*` for those whom a pattern admits. */
  readonly nodes: readonly string[];
  /** `gone`: the policy no longer has them; they are refused and keep what they have. */
  readonly fate: 'stays' | 'new' | 'gone';
  /** In the order in which a node gets them. */
  readonly changes: readonly ResourceChange[];
}

export interface ResourceChange {
  readonly act: 'added' | 'changed' | 'removed';
  /** `Listener`, `Cluster` … */
  readonly type: string;
  readonly name: string;
  /** Whether the console CA issues a certificate for it. */
  readonly issued: boolean;
  /** With `changed`. */
  readonly fields: readonly FieldChange[];
}

/** `only`: one node's id. Undefined where neither has that node. */
export function preview(
  from: PublishedJson,
  to: PublishedJson,
  uncovered: readonly string[],
  only?: string,
): PreviewJson | undefined {
  const subjects = only === undefined ? subjectsOf(from, to) : [{ label: only, of: nodeOf(only) }];
  const groups = new Map<string, { from?: PublishedTarget; to?: PublishedTarget; nodes: string[] }>();
  for (const { label, of } of subjects) {
    const [before, after] = [of(from), of(to)];
    const key = `${from.targets.findIndex((one) => one === before)} ${to.targets.findIndex((one) => one === after)}`;
    const known = groups.get(key);
    if (known) known.nodes.push(label);
    else groups.set(key, { nodes: [label], ...(before && { from: before }), ...(after && { to: after }) });
  }
  const found = [...groups.values()].filter((group) => group.from ?? group.to);
  if (only !== undefined && found.length === 0) return undefined;
  const changed = found.map(groupOf).filter(({ fate, changes }) => fate !== 'stays' || changes.length > 0);
  return { changed: changed.length > 0, from: from.policy, to: to.policy, uncovered, groups: changed };
}

/** Names of the certificates that `to` needs and the CA of `from` cannot sign for. */
export function uncoveredNames(
  { constraints }: PublishedJson,
  hosts: readonly string[],
  addresses: readonly string[],
): string[] {
  if (constraints === undefined) return [];
  return [
    ...hosts.filter((host) => !permitsHost(constraints, host)),
    ...addresses.filter((address) => !permitsAddress(constraints, address)),
  ];
}

interface Subject {
  readonly label: string;
  readonly of: (published: PublishedJson) => PublishedTarget | undefined;
}

/** Every node that one of the two names, and every pattern. */
function subjectsOf(from: PublishedJson, to: PublishedJson): Subject[] {
  // A pattern has the words that it has from now on.
  const targets = [...from.targets, ...to.targets];
  const ids = new Set(targets.flatMap(({ nodes }) => nodes));
  const patterns = new Map(
    targets.filter(({ match }) => match !== undefined).map((one) => [one.group, one.match ?? '']),
  );
  return [
    ...[...ids].map((id) => ({ label: id, of: nodeOf(id) })),
    ...[...patterns].map(([group, match]) => ({ label: match, of: patternOf(group) })),
  ];
}

/** As `memberOf`: by name, else by the first pattern that fits. */
function nodeOf(id: string): Subject['of'] {
  return ({ targets }) =>
    targets.find(({ nodes }) => nodes.includes(id)) ??
    targets.find(({ match }) => match !== undefined && globMatches(match, id));
}

function patternOf(name: string): Subject['of'] {
  return ({ targets }) => targets.find(({ group, match }) => match !== undefined && group === name);
}

function groupOf(group: { from?: PublishedTarget; to?: PublishedTarget; nodes: string[] }): PreviewGroup {
  const nodes = group.nodes.sort();
  if (group.to === undefined) return { nodes, fate: 'gone', changes: [] };
  const changes = resourceChanges(group.from?.resources ?? [], group.to.resources);
  return { nodes, fate: group.from === undefined ? 'new' : 'stays', changes };
}

/** A secret that is new or another one does not wait for its turn. */
const steps: readonly Step[] = [{ type: secretType, moves: 'arrivals' }, ...pushOrder];

/** What is gone stands where the last of its type may go. */
function resourceChanges(before: readonly TypedJson[], after: readonly TypedJson[]): ResourceChange[] {
  return steps.flatMap((step) => {
    const { type, moves } = step;
    const [old, now] = [byName(before, type), byName(after, type)];
    const short = shortType(type);
    const changes = [...now].flatMap(([name, resource]): ResourceChange[] => {
      const earlier = old.get(name);
      const issued = isIssued(resource);
      if (earlier === undefined) return [{ act: 'added', type: short, name, issued, fields: [] }];
      const fields = fieldChanges(earlier, resource);
      return fields.length === 0 ? [] : [{ act: 'changed', type: short, name, issued, fields }];
    });
    const removals = [...old.keys()]
      .filter((name) => !now.has(name))
      .map((name): ResourceChange => ({ act: 'removed', type: short, name, issued: false, fields: [] }));
    const first = steps.find((one) => one.type === type);
    return [...(step === first ? changes : []), ...(moves === 'all' ? removals : [])];
  });
}

function byName(resources: readonly TypedJson[], type: string): Map<string, TypedJson> {
  return new Map(
    resources.filter((one) => one['@type'] === type).map((resource) => [resourceName(resource), resource]),
  );
}
