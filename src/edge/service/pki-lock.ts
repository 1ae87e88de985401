import { realDisk } from '../../base/disk.ts';
import type { FolderLock } from '../../base/disk.types.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { usersFolder } from '../../control/ca/layout.ts';

/**
 * Takes the use of a pki folder for the control planes that share the state of this id, or for this process alone. It finds others on this host only, and only where they use the same
 * folder; a folder that nobody may write to cannot tell. Throws `state_unshared`.
 */
export async function lockPki(pki: string, state: string | undefined, log: Log): Promise<FolderLock> {
  const folder = usersFolder(pki);
  try {
    await realDisk.makeDir(folder, 0o700);
    return await realDisk.lockFolder(folder, state);
  } catch (caught) {
    const error = SekishoError.from(caught);
    if (error.code === 'folder_in_use') throw unshared(pki, error);
    if (error.code !== 'file_unwritable') throw caught;
    log.info('the pki folder is read-only, so a second control plane that uses it would not be noticed', { pki });
    return { release: () => Promise.resolve() };
  }
}

function unshared(pki: string, cause: SekishoError): SekishoError {
  const { pid } = cause.facts;
  const who = pid === undefined ? 'another process, which does not answer,' : `process ${String(pid)}`;
  return new SekishoError(
    'state_unshared',
    `${who} is a control plane with the certificates of ${pki} and does not share its state with this one: start both with the same --state DIR, or stop one`,
    { facts: { path: pki, pid }, cause },
  );
}
