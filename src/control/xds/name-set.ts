import type { NameList } from '../../wire/name-list.ts';

/**
 * The names that a client asks for. Immutable, and one and the same object wherever the same names are asked for: thousands of Envoys of a
 * group ask for the same, and what is worked out for one set holds for all of them.
 */
export interface NameSet {
  readonly names: ReadonlySet<string>;
  /** About how many bytes it takes to remember them. */
  readonly bytes: number;
}

export const noNames: NameSet = { names: new Set(), bytes: 0 };

/** What a string and its place in a set cost besides its characters; measured in Node 20, rounded up. */
export const bytesPerName = 64;

/** So much of what clients said is remembered by its bytes, to spare the decoding: enough for some thousand different lists. */
const spellingLimits = { entries: 4096, bytes: 8 * 1024 * 1024 };

/** By content; an entry goes with the last stream that holds its set. */
const known = new Map<string, WeakRef<NameSet>>();
const forgotten = new FinalizationRegistry((key: string) => {
  if (known.get(key)?.deref() === undefined) known.delete(key);
});

/** By the bytes of a request, of which the same set has many: other orders, other field numbers. */
const spellings = new Map<string, WeakRef<NameSet>>();
let spellingBytes = 0;

/** The set of what a client listed. */
export function nameSetOf(list: NameList): NameSet {
  if (list.isEmpty) return noNames;
  const set = ofLists.get(list) ?? spelled(list);
  ofLists.set(list, set);
  return set;
}

/** Lists that are one object as often as they come. */
const ofLists = new WeakMap<NameList, NameSet>();

function spelled(list: NameList): NameSet {
  const key = list.bytes.toString('latin1');
  const met = spellings.get(key)?.deref();
  if (met) return met;
  const set = internNames(list);
  if (spellings.size >= spellingLimits.entries || spellingBytes + key.length > spellingLimits.bytes) {
    spellings.clear();
    spellingBytes = 0;
  }
  spellings.set(key, new WeakRef(set));
  spellingBytes += key.length;
  return set;
}

/** The set of these names, whatever their order. */
export function internNames(names: Iterable<string>): NameSet {
  const sorted = [...new Set(names)].sort();
  if (sorted.length === 0) return noNames;
  const key = JSON.stringify(sorted);
  const found = known.get(key)?.deref();
  if (found) return found;
  const bytes = sorted.reduce((sum, name) => sum + name.length + bytesPerName, 0);
  const set: NameSet = { names: new Set(sorted), bytes };
  known.set(key, new WeakRef(set));
  forgotten.register(set, key);
  return set;
}
