/**
 * The names of the files of a state folder. Entry `rollout.json` lies in `rollout.json.7.2`: written under lease 7, as its second content there. A file is
 * never written to again; a new content is a new name, so that whoever knows a name knows its bytes, and a folder that is watched for names shows each change.
 */
export interface EntryFile {
  readonly file: string;
  readonly entry: string;
  /** The lease under which it was written. */
  readonly lease: number;
  readonly turn: number;
}

/** The entry that says whose folder it is. Its newest file was the last that a new holder wrote when it took the lease. */
export const ownEntry = 'state.json';

export function entryFile(entry: string, lease: number, turn: number): EntryFile {
  return { file: `${entry}.${lease}.${turn}`, entry, lease, turn };
}

/** The file of the lease with this number. */
export function leaseFile(lease: number): string {
  return `lease.${lease}`;
}

/** The file in which the process with this id tells the holder of the lease what it sees. */
export function noteFile(id: string): string {
  return `note.${id}`;
}

/** The ids of the processes that left a note. */
export function notesIn(names: readonly string[]): string[] {
  return names.flatMap((name) => /^note\.([0-9a-f]{16})$/.exec(name)?.[1] ?? []);
}

/** The highest number of a lease among the names of a folder; undefined where there is no lease. */
export function newestLease(names: readonly string[]): number | undefined {
  return highest(leases(names).map(({ lease }) => lease));
}

/** A number above every lease under which anything in the folder was written. */
export function nextLease(names: readonly string[]): number {
  const entries = entryFiles(names).map(({ lease }) => lease);
  return 1 + (highest([...entries, newestLease(names) ?? 0]) ?? 0);
}

/**
 * The newest file of each entry. Whoever takes the lease writes all entries anew under its number, `state.json` last: what is older than that was
 * written late, by somebody who had lost the lease, and counts for nothing.
 */
export function currentFiles(names: readonly string[]): Map<string, EntryFile> {
  const files = entryFiles(names);
  const since = highest(files.filter(({ entry }) => entry === ownEntry).map(({ lease }) => lease)) ?? 0;
  const current = new Map<string, EntryFile>();
  for (const file of files) {
    const known = current.get(file.entry);
    if (file.lease >= since && (known === undefined || isNewer(file, known))) current.set(file.entry, file);
  }
  return current;
}

/** The files of entries that are not current, the leases below the newest, and what was not whole when its writer died: nobody reads them any more. */
export function supersededFiles(names: readonly string[]): string[] {
  const current = new Set([...currentFiles(names).values()].map(({ file }) => file));
  const newest = newestLease(names);
  return [
    ...entryFiles(names).flatMap(({ file }) => (current.has(file) ? [] : [file])),
    ...leases(names).flatMap(({ file, lease }) => (lease === newest ? [] : [file])),
    ...names.filter((name) => unfinished.test(name)),
  ];
}

/** Whether it can be the name of an entry: one that no other name of the folder looks like. */
export function isEntry(name: string): boolean {
  return entryFiles([entryFile(name, 1, 1).file]).length === 1;
}

/** As an atomic write names a file before it is whole. */
const unfinished = /^\.[a-z].*\.[0-9a-f]{12}\.tmp$/;

function entryFiles(names: readonly string[]): EntryFile[] {
  return names.flatMap((file) => {
    const [, entry, lease, turn] = /^([a-z][\w-]*\.[a-z]+)\.(\d{1,15})\.(\d{1,15})$/.exec(file) ?? [];
    return entry === undefined ? [] : [{ file, entry, lease: Number(lease), turn: Number(turn) }];
  });
}

function leases(names: readonly string[]): { file: string; lease: number }[] {
  return names.flatMap((file) => {
    const number = /^lease\.(\d{1,15})$/.exec(file)?.[1];
    return number === undefined ? [] : [{ file, lease: Number(number) }];
  });
}

function isNewer(one: EntryFile, other: EntryFile): boolean {
  return one.lease > other.lease || (one.lease === other.lease && one.turn > other.turn);
}

function highest(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}
