import type { TypeChanges } from '../../wire/control-event.ts';
import { typeUrls } from '../resources/types.ts';
import { makeSnapshot, resourcesOf, type ResourceMap, type Snapshot } from '../xds/snapshot.ts';
import { shortType } from '../xds/type-urls.ts';
import { within } from './within.ts';

const nothing = makeSnapshot([]);

/** Names of one kind of change to one type take at most so many bytes: with all types and kinds a quarter of a record. */
const namesBytes = 1024;

/** How two snapshots differ, type by type, in the order in which a change reaches a node. `before` undefined: all is new. */
export function typeChanges(before: Snapshot = nothing, after: Snapshot): TypeChanges[] {
  const known: readonly string[] = Object.values(typeUrls);
  const others = [...before.types.keys(), ...after.types.keys()].filter((type) => !known.includes(type));
  return [...new Set([...known, ...others])].flatMap((type) => {
    const [old, now] = [resourcesOf(before, type), resourcesOf(after, type)];
    const added = [...now.keys()].filter((name) => !old.has(name));
    const changed = [...now.values()].filter((one) => isOther(old, one)).map(({ name }) => name);
    const removed = [...old.keys()].filter((name) => !now.has(name));
    if (added.length + changed.length + removed.length === 0) return [];
    return {
      type: shortType(type),
      ...{ added: added.length, changed: changed.length, removed: removed.length },
      addedNames: within(added, namesBytes),
      changedNames: within(changed, namesBytes),
      removedNames: within(removed, namesBytes),
    };
  });
}

function isOther(old: ResourceMap, { name, version }: { readonly name: string; readonly version: string }): boolean {
  const before = old.get(name);
  return before !== undefined && before.version !== version;
}
