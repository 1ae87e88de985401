import { errnoOf, SekishoError } from './errors.ts';

/** What the operating system said about reading `path`, as file_unreadable. */
export function unreadable(path: string, caught: unknown): SekishoError {
  return refused('file_unreadable', `cannot read ${path}`, path, caught);
}

/** What the operating system said about writing `path`: disk_full where it lacks space, else file_unwritable. */
export function unwritable(path: string, caught: unknown): SekishoError {
  return refused(isDiskFull(caught) ? 'disk_full' : 'file_unwritable', `cannot write ${path}`, path, caught);
}

/** Whether an error means that space (or the user's share of it) ran out, and may come back. */
export function isDiskFull(caught: unknown): boolean {
  const errno = errnoOf(caught);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

function refused(
  code: 'file_unreadable' | 'file_unwritable' | 'disk_full',
  what: string,
  path: string,
  caught: unknown,
): SekishoError {
  if (caught instanceof SekishoError) return caught;
  const errno = errnoOf(caught);
  const reason = errno ?? (caught instanceof Error ? caught.message : String(caught));
  return new SekishoError(code, `${what} (${reason}): ${remedyOf(errno)}`, { facts: { path, errno }, cause: caught });
}

/** What to do about an errno of the disk, as the end of a sentence. */
export function remedyOf(errno: string | undefined): string {
  return remedies[errno ?? ''] ?? 'look at the disk and the system log';
}

const remedies: Readonly<Record<string, string>> = {
  ENOENT: 'create it or correct the path',
  ENOTDIR: 'a part of the path is a file; correct the path',
  EISDIR: 'this is a folder; name a file',
  EACCES: 'give the user that Sekisho runs as permission on it and on the folders above it',
  EPERM: 'give the user that Sekisho runs as permission on it and on the folders above it',
  EROFS: 'the file system is mounted read-only; mount it for writing or choose another folder',
  ENOSPC: 'free space on this file system',
  EDQUOT: 'raise the quota or free space on this file system',
  EMFILE: 'raise the limit of open files (ulimit -n)',
  ENAMETOOLONG: 'choose a shorter path',
};
