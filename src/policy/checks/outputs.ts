import path from 'node:path';
import type { Draft } from '../draft.ts';
import { items } from '../draft.ts';
import { type Finding, finding } from '../problem.ts';

/** Outputs that would write into each other's files. `folder`: where relative paths start. */
export function checkOutputs(draft: Draft, folder: string): Finding[] {
  const taken = new Map<string, number>();
  return items(draft.outputs).flatMap(({ value: { dir }, index }) => {
    if (dir === undefined) return [];
    const place = path.resolve(folder, dir);
    const earlier = taken.get(place);
    if (earlier === undefined) {
      taken.set(place, index);
      return [];
    }
    const message = `outputs[${earlier}] writes to "${dir}", too`;
    return [finding('duplicate', ['outputs', index, 'dir'], message, 'give each output a folder of its own')];
  });
}
