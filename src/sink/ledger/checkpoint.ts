import { dirname } from 'node:path';
import { isMap } from '../../base/json-value.ts';
import type { Disk } from '../../base/disk.ts';
import type { LedgerState } from './ledger.types.ts';

/** What a start need not count again. It is derived from the journal and from what Envoys said, and may be deleted. */
export interface Checkpoint {
  /** undefined: there is none, or none that can be used. */
  read(): Promise<LedgerState | undefined>;
  write(state: LedgerState): Promise<void>;
}

export function checkpoint(path: string, disk: Disk): Checkpoint {
  return {
    read: async () => {
      if ((await disk.stat(path)) === undefined) return undefined;
      return stateIn((await disk.readFile(path)).toString());
    },
    write: async (state) => {
      await disk.makeDir(dirname(path), 0o750);
      await disk.writeFileAtomic(path, `${JSON.stringify({ format, ...state })}\n`, 0o640);
    },
  };
}

/** Changes when the content does; an older file is as good as none. */
const format = 1;

function stateIn(text: string): LedgerState | undefined {
  try {
    const found: unknown = JSON.parse(text);
    // Nobody but this class writes it, and whole: its format says what is in it.
    return isMap(found) && found['format'] === format ? (found as unknown as LedgerState) : undefined;
  } catch {
    return undefined;
  }
}
