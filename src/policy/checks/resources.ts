import type { Draft } from '../draft.ts';
import { items } from '../draft.ts';
import { type Finding, finding } from '../problem.ts';
import { didYouMean } from '../suggest.ts';

/** Entries of `resources:` for groups that there are not. What is in the files is judged where Envoy's API is known. */
export function checkResources(draft: Draft): Finding[] {
  const nodes = draft.fleet?.nodes;
  if (nodes === undefined) return [];
  const groups = Object.keys(nodes);
  return items(draft.resources).flatMap(({ value, index }) => {
    if (typeof value === 'string' || value.on === undefined || groups.includes(value.on)) return [];
    const remedy = groups.length === 0 ? 'add the group to fleet.nodes' : didYouMean(value.on, groups);
    const message = `fleet.nodes has no group "${value.on}"`;
    return [finding('unknown-name', ['resources', index, 'on'], message, remedy)];
  });
}
