import type { Readable } from './readable.ts';
import type { PolicyInput } from './schema.ts';

/** The policy as far as it could be read; what the checks across several keys work on. */
export type Draft = Readable<PolicyInput>;
export type DraftDoor = NonNullable<NonNullable<Draft['doors']>[number]>;
export type DraftGroup = NonNullable<NonNullable<NonNullable<Draft['fleet']>['nodes']>[string]>;

export interface Item<T> {
  readonly value: T;
  readonly index: number;
}

/** The readable items of a list, with their indexes in the file. */
export function items<T>(list: readonly (T | undefined)[] | undefined): Item<T>[] {
  return (list ?? []).flatMap((value, index) => (value === undefined ? [] : [{ value, index }]));
}

/** A group that names its nodes. Index is the place in the group's list. */
export interface NamedNode {
  readonly group: string;
  readonly index: number;
  readonly id?: string | undefined;
  readonly address?: string | undefined;
  readonly source?: string | undefined;
}

export function namedNodes(draft: Draft): NamedNode[] {
  return groups(draft).flatMap(([group, value]) =>
    isNamed(value) ? items(value).map((node) => ({ ...node.value, group, index: node.index })) : [],
  );
}

export interface PatternGroup {
  readonly group: string;
  readonly match?: string | undefined;
  readonly max?: number | undefined;
}

export function patternGroups(draft: Draft): PatternGroup[] {
  return groups(draft).flatMap(([group, value]) => (isNamed(value) ? [] : [{ ...value, group }]));
}

function groups(draft: Draft): [string, DraftGroup][] {
  return Object.entries(draft.fleet?.nodes ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, DraftGroup]],
  );
}

function isNamed(group: DraftGroup): group is Extract<DraftGroup, readonly unknown[]> {
  return Array.isArray(group);
}
