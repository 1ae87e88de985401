import type { Draft } from '../draft.ts';
import { items, namedNodes, patternGroups } from '../draft.ts';
import { globMatches } from '../glob.ts';
import { type Finding, finding, type Path, pathText } from '../problem.ts';
import { didYouMean } from '../suggest.ts';

/** Canary nodes that the fleet does not have, or that are named twice. */
export function checkRollout(draft: Draft): Finding[] {
  const canary = draft.rollout?.canary;
  const named = isList(canary) ? items(canary) : [];
  const first = new Map<string, Path>();
  return named.flatMap(({ value: id, index }) => {
    const path = ['rollout', 'canary', index];
    const earlier = first.get(id);
    if (earlier !== undefined) {
      return [finding('duplicate', path, `"${id}" is ${pathText(earlier)}, too`, 'name each canary node once')];
    }
    first.set(id, path);
    return unknownNode(draft, id, path);
  });
}

type DraftCanary = NonNullable<Draft['rollout']>['canary'];

function isList(canary: DraftCanary): canary is Extract<DraftCanary, readonly unknown[]> {
  return Array.isArray(canary);
}

function unknownNode(draft: Draft, id: string, path: Path): Finding[] {
  // Without a readable fleet every node would be unknown, which is not what is wrong.
  if (draft.fleet?.nodes === undefined) return [];
  const ids = namedNodes(draft).flatMap((node) => node.id ?? []);
  const fits = patternGroups(draft).some(({ match }) => match !== undefined && globMatches(match, id));
  if (fits || ids.includes(id)) return [];
  const remedy = ids.length === 0 ? 'write an id that fits a pattern of fleet.nodes' : didYouMean(id, ids);
  return [finding('unknown-name', path, `fleet.nodes has no node "${id}"`, remedy)];
}
