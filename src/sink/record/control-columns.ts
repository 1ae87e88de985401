import type { ControlEvent, TypeChanges } from '../../wire/control-event.ts';

/** Names of what a record of the kind `control` says, and where each comes from; '' and undefined are absent. */
export const controlColumns: readonly (readonly [
  name: string,
  valueOf: (event: ControlEvent) => string | number | readonly string[] | undefined,
])[] = [
  ['sekisho.control.act', ({ act }) => act],
  ['sekisho.control.actor', ({ actor }) => actor],
  ['sekisho.control.operator', ({ operator }) => operator],
  ['sekisho.control.policy', ({ policy }) => policy],
  ['sekisho.control.policy_sha256', ({ policySha256 }) => policySha256],
  ['sekisho.control.target', ({ target }) => target],
  ['sekisho.control.version', ({ version }) => version],
  ['sekisho.control.nodes', ({ nodes }) => some(nodes)],
  ['sekisho.control.more_nodes', ({ moreNodes }) => moreNodes || undefined],
  ['sekisho.control.changes', ({ changes }) => some(changes.map(countsOf))],
  ['sekisho.control.added', ({ changes }) => some(changes.flatMap(namesOf('addedNames')))],
  ['sekisho.control.changed', ({ changes }) => some(changes.flatMap(namesOf('changedNames')))],
  ['sekisho.control.removed', ({ changes }) => some(changes.flatMap(namesOf('removedNames')))],
  ['sekisho.control.type', ({ type }) => type],
  ['sekisho.control.text', ({ text }) => text],
];

/** `Cluster +2 ~1 -0`. */
function countsOf({ type, added, changed, removed }: TypeChanges): string {
  return `${type} +${added} ~${changed} -${removed}`;
}

function namesOf(which: 'addedNames' | 'changedNames' | 'removedNames') {
  return (changes: TypeChanges): string[] => changes[which].map((name) => `${changes.type} ${name}`);
}

function some(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}
