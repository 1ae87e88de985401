import { dirname } from 'node:path';
import type { Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Cursor } from './output.types.ts';

/** A cursor in a file of its own: whoever reads it, also after a crash, finds the last one or the one before. */
export interface CursorFile {
  /** undefined: there is none yet. Throws file_unreadable where what stands there is none. */
  read(): Promise<StoredCursor | undefined>;
  commit(cursor: StoredCursor): Promise<void>;
}

export interface StoredCursor extends Cursor {
  /** When the sink received the last record that is safe at the other end, milliseconds since 1970; 0 where it is not known. */
  readonly received: number;
}

/** `about`: what a person wants to know who finds the file. */
export function cursorFile(path: string, about: string, disk: Disk): CursorFile {
  let folderMade = false;
  return {
    read: async () => {
      if ((await disk.stat(path)) === undefined) return undefined;
      // The last process may have died between naming it and syncing the name; what is built upon it must not go back behind it.
      await disk.syncDir(dirname(path));
      return parse((await disk.readFile(path)).toString(), path);
    },
    commit: async (cursor) => {
      if (!folderMade) await disk.makeDir(dirname(path), 0o750);
      folderMade = true;
      await disk.writeFileAtomic(path, `${JSON.stringify({ output: about, ...cursor })}\n`, 0o640);
    },
  };
}

function parse(text: string, path: string): StoredCursor {
  try {
    const { next, received, note } = JSON.parse(text) as Partial<Record<keyof StoredCursor, unknown>>;
    if (Number.isSafeInteger(next) && typeof received === 'number') return { next: Number(next), received, note };
  } catch {
    // Said below.
  }
  throw new SekishoError(
    'file_unreadable',
    `${path} is no cursor: correct its "next", or remove it to begin with the oldest record`,
    { facts: { path } },
  );
}
