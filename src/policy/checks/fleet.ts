import type { Draft } from '../draft.ts';
import { items, namedNodes, patternGroups } from '../draft.ts';
import { globMatches, globsMeet } from '../glob.ts';
import { limits } from '../limits.ts';
import { overlaps, parseAddress } from '../network.ts';
import { type Finding, finding, type Path, pathText } from '../problem.ts';

/** Addresses, groups and node ids that do not go together. */
export function checkFleet(draft: Draft): Finding[] {
  return [
    ...egressOverlaps(draft),
    ...sizes(draft),
    ...duplicateIds(draft),
    ...ambiguousPatterns(draft),
    ...sourceFamilies(draft),
  ];
}

function egressOverlaps(draft: Draft): Finding[] {
  const networks = items(draft.fleet?.egress);
  return networks.flatMap(({ value, index }, position) => {
    const other = networks.slice(0, position).find((earlier) => overlaps(earlier.value, value));
    if (other === undefined) return [];
    const path = ['fleet', 'egress', index];
    return [finding('overlap', path, `${value.cidr} overlaps ${other.value.cidr}`, 'keep the larger of the two')];
  });
}

function sizes(draft: Draft): Finding[] {
  const nodes = draft.fleet?.nodes;
  if (nodes === undefined) return [];
  const path = ['fleet', 'nodes'];
  const groups = Object.keys(nodes).length;
  const total = namedNodes(draft).length + patternGroups(draft).reduce((sum, group) => sum + (group.max ?? 0), 0);
  return [
    ...(groups === 0
      ? [finding('limit', path, 'the fleet has no group', 'add one, such as egress: [{id: egress-1}]')]
      : []),
    ...(groups > limits.groups
      ? [
          finding(
            'limit',
            path,
            `${groups} groups, at most ${limits.groups} may be`,
            'join groups that open the same doors',
          ),
        ]
      : []),
    ...(total > limits.nodes
      ? [finding('limit', path, `${total} nodes, at most ${limits.nodes} may be`, 'split the fleet, or lower max')]
      : []),
  ];
}

function duplicateIds(draft: Draft): Finding[] {
  const first = new Map<string, Path>();
  return namedNodes(draft).flatMap(({ group, index, id }) => {
    if (id === undefined) return [];
    const path = ['fleet', 'nodes', group, index, 'id'];
    const earlier = first.get(id);
    if (earlier === undefined) {
      first.set(id, path);
      return [];
    }
    return [
      finding(
        'duplicate',
        path,
        `"${id}" is the id of ${pathText(earlier.slice(0, -1))}, too`,
        'give each node its own id',
      ),
    ];
  });
}

/** A node must belong to one group, whatever id it comes with. */
function ambiguousPatterns(draft: Draft): Finding[] {
  const patterns = patternGroups(draft);
  const nodes = namedNodes(draft);
  return patterns.flatMap(({ group, match }, position) => {
    if (match === undefined) return [];
    const path = ['fleet', 'nodes', group, 'match'];
    const remedy = 'narrow the pattern, so that each id fits one group';
    const named = nodes.find((node) => node.group !== group && node.id !== undefined && globMatches(match, node.id));
    const earlier = patterns
      .slice(0, position)
      .find((other) => other.match !== undefined && globsMeet(match, other.match));
    return [
      ...(named === undefined
        ? []
        : [finding('overlap', path, `"${match}" fits ${String(named.id)}, a node of group ${named.group}`, remedy)]),
      ...(earlier === undefined
        ? []
        : [
            finding(
              'overlap',
              path,
              `"${match}" and "${String(earlier.match)}" of group ${earlier.group} fit the same ids`,
              remedy,
            ),
          ]),
    ];
  });
}

/** A node that dials from an IPv6 address cannot show an IPv4 egress address. */
function sourceFamilies(draft: Draft): Finding[] {
  const egress = draft.fleet?.egress ?? [];
  // An entry that could not be read may have been the one of the other family.
  if (egress.length === 0 || egress.includes(undefined)) return [];
  const families = new Set(items(egress).map(({ value }) => value.family));
  return namedNodes(draft).flatMap(({ group, index, source }) => {
    const address = source === undefined ? undefined : parseAddress(source);
    if (address === undefined || 'refused' in address || families.has(address.family)) return [];
    const path = ['fleet', 'nodes', group, index, 'source'];
    const message = `${String(source)} is IPv${address.family}, but fleet.egress has no IPv${address.family} address`;
    return [
      finding('conflict', path, message, 'write an address of the family of fleet.egress, or add its egress address'),
    ];
  });
}
