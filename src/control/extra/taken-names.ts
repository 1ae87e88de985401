import { heldKeys, resourceKey } from '../resources/references.ts';
import { shortType } from '../xds/type-urls.ts';
import type { Extra, ExtraFinding, Group } from './extra.types.ts';
import { nameField } from './read-extra.ts';

/** Names that one of ours has, on whatever node, or another of the user's: xDS knows a resource by type and name alone. */
export function takenNames(extras: readonly Extra[], groups: readonly Group[]): ExtraFinding[] {
  const ours = heldKeys(groups.flatMap(({ generated }) => generated));
  const first = new Map<string, Extra>();
  return extras.flatMap((extra) => {
    const { source, type, name } = extra;
    const key = resourceKey(type, name);
    const finding = { source, path: [nameField(type)], at: 'value', code: 'duplicate' } as const;
    if (ours.has(key)) {
      const message = `Sekisho has a ${shortType(type)} of the name "${name}" itself`;
      return [{ ...finding, message, remedy: 'take another name; what Sekisho makes cannot be replaced' }];
    }
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, extra);
      return [];
    }
    const { file, line } = earlier.source.place([], 'value');
    const message = `a ${shortType(type)} of the name "${name}" stands in ${file}:${line}, too`;
    return [{ ...finding, message, remedy: 'keep one of them, or rename it' }];
  });
}
