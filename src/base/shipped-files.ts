import { readdirSync } from 'node:fs';

/** Names of the files in a folder that came with Sekisho or a package of it, sorted; none where there is no such folder. Waits for the disk. */
export function shippedFiles(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
