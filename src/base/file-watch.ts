import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

import type { Watch } from './disk.types.ts';

/**
 * Watches one file by its name, or a folder for the names in it. What is watched is the folder, because a file that an editor or a config map replaces by
 * rename takes the watch on the old file with it. A slow look beside it finds what the kernel does not announce: a link whose
 * target lies elsewhere, a network file system, no inotify watches left.
 */
export function watchFile(path: string, changed: () => void): Watch {
  let known = identity(path);
  const look = (): void => {
    const found = identity(path);
    if (found === known) return;
    known = found;
    changed();
  };
  const slow = setInterval(look, slowLookMs);
  slow.unref();
  const fast = [watchFolder(dirname(path), look), ...(known.startsWith(folderMark) ? [watchFolder(path, look)] : [])];
  return {
    close: () => {
      clearInterval(slow);
      for (const one of fast) one?.close();
    },
  };
}

const slowLookMs = 2000;

/**
 * Which file stands under the name and when it last changed; '' for none. Nanoseconds, because two writes can share a millisecond. Of a folder the names in
 * it but hidden ones, which are files that somebody is still working on.
 */
function identity(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return '';
  if (found.isDirectory()) return folderMark + namesIn(path).join('/');
  return `${found.dev}:${found.ino} ${found.size} ${found.ctimeNs}`;
}

const folderMark = 'folder: ';

function namesIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
    return names.sort();
  } catch {
    // It went away, or may not be read: the same as an empty one.
    return [];
  }
}

function watchFolder(folder: string, look: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, look);
    // A folder that goes away, or a watch that the kernel takes back: the slow look remains.
    watcher.on('error', () => {
      watcher.close();
    });
    return watcher;
  } catch {
    return undefined;
  }
}
