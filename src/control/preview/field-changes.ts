import { isDeepStrictEqual } from 'node:util';
import { isMap } from '../../base/json-value.ts';

/** One difference between two resources. Without `old` the value is new there, without `new` it is gone. */
export interface FieldChange {
  /** In Envoy's names: `virtual_hosts[console].domains[3]`. An element stands by its name where it has one, else by its place. */
  readonly path: string;
  readonly old?: unknown;
  readonly new?: unknown;
}

/** What differs between two values of JSON, as few and as deep as can be told. */
export function fieldChanges(old: unknown, now: unknown, path = ''): FieldChange[] {
  if (isDeepStrictEqual(old, now)) return [];
  if (Array.isArray(old) && Array.isArray(now)) return listChanges(old, now, path);
  if (!isMap(old) || !isMap(now)) return [{ path, old, new: now }];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((field) => {
    const at = below(path, field);
    if (!Object.hasOwn(now, field)) return [{ path: at, old: old[field] }];
    if (!Object.hasOwn(old, field)) return [{ path: at, new: now[field] }];
    return fieldChanges(old[field], now[field], at);
  });
}

/** Keys of maps, such as host names, are told from fields. */
function below(path: string, field: string): string {
  if (!/^@?\w+$/.test(field)) return `${path}[${field}]`;
  return path === '' ? field : `${path}.${field}`;
}

function listChanges(old: readonly unknown[], now: readonly unknown[], path: string): FieldChange[] {
  const [oldNames, newNames] = [namesOf(old), namesOf(now)];
  return oldNames && newNames
    ? namedChanges(byName(old, oldNames), byName(now, newNames), path)
    : placedChanges(old, now, path);
}

/** The names of the elements, where each has one of its own. */
function namesOf(list: readonly unknown[]): string[] | undefined {
  const names = list.flatMap((item) => (isMap(item) && typeof item['name'] === 'string' ? [item['name']] : []));
  return names.length === list.length && new Set(names).size === names.length ? names : undefined;
}

function byName(list: readonly unknown[], names: readonly string[]): Map<string, unknown> {
  return new Map(names.map((name, at) => [name, list[at]]));
}

function namedChanges(
  old: ReadonlyMap<string, unknown>,
  now: ReadonlyMap<string, unknown>,
  path: string,
): FieldChange[] {
  const changes = [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const at = `${path}[${name}]`;
    if (!now.has(name)) return [{ path: at, old: old.get(name) }];
    if (!old.has(name)) return [{ path: at, new: now.get(name) }];
    return fieldChanges(old.get(name), now.get(name), at);
  });
  // Filters and virtual hosts take their turns in order.
  const [before, after] = [
    [...old.keys()].filter((name) => now.has(name)),
    [...now.keys()].filter((name) => old.has(name)),
  ];
  return isDeepStrictEqual(before, after)
    ? changes
    : [...changes, { path: `${path} (order)`, old: before, new: after }];
}

/** Elements without names: what both lists have in the same order stays; between that, old and new objects are compared in pairs. */
function placedChanges(old: readonly unknown[], now: readonly unknown[], path: string): FieldChange[] {
  const changes: FieldChange[] = [];
  let [from, start] = [0, 0];
  for (const [at, here] of [...commonPlaces(old, now), [old.length, now.length] as const]) {
    const [gone, come] = [old.slice(from, at), now.slice(start, here)];
    const pairs = Math.min(gone.length, come.length);
    for (let n = 0; n < Math.max(gone.length, come.length); n += 1) {
      const [oldPath, newPath] = [`${path}[${from + n}]`, `${path}[${start + n}]`];
      if (n < pairs && isMap(gone[n]) && isMap(come[n])) changes.push(...fieldChanges(gone[n], come[n], newPath));
      else {
        if (n < gone.length) changes.push({ path: oldPath, old: gone[n] });
        if (n < come.length) changes.push({ path: newPath, new: come[n] });
      }
    }
    [from, start] = [at + 1, here + 1];
  }
  return changes;
}

/** So many comparisons at most; longer lists differ as a whole behind what they begin and end with alike. */
const mostComparisons = 4_000_000;

/** Places of a longest common subsequence, in both lists. */
function commonPlaces(old: readonly unknown[], now: readonly unknown[]): (readonly [number, number])[] {
  const [a, b] = [old.map((item) => JSON.stringify(item)), now.map((item) => JSON.stringify(item))];
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const [m, n] = [a.length - head - tail, b.length - head - tail];
  const places = Array.from({ length: head }, (_, at): readonly [number, number] => [at, at]);
  if (m * n <= mostComparisons) {
    const middle = longestCommon(a.slice(head, head + m), b.slice(head, head + n));
    places.push(...middle.map(([at, here]): readonly [number, number] => [head + at, head + here]));
  }
  for (let back = tail; back > 0; back -= 1) places.push([a.length - back, b.length - back]);
  return places;
}

/** The textbook table: `lengths[i][j]` for what is behind i in `a` and behind j in `b`. */
function longestCommon(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const places: (readonly [number, number])[] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length;) {
    if (a[i] === b[j]) places.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return places;
}
