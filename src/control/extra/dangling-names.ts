import { heldKeys, references, resourceKey } from '../resources/references.ts';
import { shortType } from '../xds/type-urls.ts';
import type { Extra, ExtraFinding, Group } from './extra.types.ts';

/** Names that nothing has on some of the nodes that get the resource; Envoy would take it, and answer 503 or wait for ever. */
export function danglingNames(extras: readonly Extra[], groups: readonly Group[]): ExtraFinding[] {
  const held = groups.map(({ name, generated }) => {
    const own = extras.filter(({ source: { on } }) => on === undefined || on === name);
    return { name, keys: heldKeys([...generated, ...own.map(({ resource }) => resource)]) };
  });
  return extras.flatMap(({ source, resource }) => {
    const mine = held.filter(({ name }) => source.on === undefined || source.on === name);
    return [...references(resource)].flatMap(({ type, name, path }): ExtraFinding[] => {
      const lacking = mine.find(({ keys }) => !keys.has(resourceKey(type, name)));
      if (lacking === undefined) return [];
      const message = `no ${shortType(type)} has the name "${name}" on the nodes of "${lacking.name}"`;
      const elsewhere = held.find(({ keys }) => keys.has(resourceKey(type, name)));
      const remedy =
        elsewhere === undefined
          ? 'add it to the files, or correct the name'
          : `say on: ${elsewhere.name} in the policy`;
      return [{ source, path, at: 'value', code: 'unknown-name', message, remedy }];
    });
  });
}
