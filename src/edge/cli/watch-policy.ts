import path from 'node:path';
import { realDisk } from '../../base/disk.ts';
import type { Watch } from '../../base/disk.types.ts';

/** Watches a policy and the files that it names. */
export interface PolicyWatch {
  /** The files that the policy names now, absolute. Those that it named before and names no more are let go. */
  follow(files: readonly string[]): void;
  /** No call comes after this. */
  close(): void;
}

/** Calls back after a change of the policy file, or of one that it names. */
export function watchPolicy(file: string, changed: () => void): PolicyWatch {
  const own = path.resolve(file);
  const watches = new Map<string, Watch>();
  let closed = false;
  const follow = (files: readonly string[]): void => {
    // A reload that was under way when the service was told to stop.
    if (closed) return;
    const wanted = new Set([own, ...files]);
    for (const [name, watch] of watches) {
      if (wanted.has(name)) continue;
      watch.close();
      watches.delete(name);
    }
    for (const name of wanted) if (!watches.has(name)) watches.set(name, realDisk.watch(name, changed));
  };
  follow([]);
  return {
    follow,
    close: () => {
      closed = true;
      for (const watch of watches.values()) watch.close();
      watches.clear();
    },
  };
}
