import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Disk } from '../../base/disk.types.ts';
import { SekishoError } from '../../base/errors.ts';
import { formatProblem, loadPolicy } from '../../policy/load.ts';
import type { Policy, PolicySource } from '../../policy/policy.types.ts';
import type { PolicyId } from './rollout.types.ts';

/** A policy as it is kept: its text and what it was read from besides, and so nothing secret. */
export interface KeptPolicy {
  readonly text: string;
  readonly files: Readonly<Record<string, string>>;
  readonly folders: Readonly<Record<string, readonly string[]>>;
}

/** The same for the same text and files, wherever they lie. Who may come in with a password is none of it, as no Envoy is told that. */
export function policyId({ text, files }: PolicySource): PolicyId {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = createHash('sha256')
    .update(JSON.stringify([text, sorted]))
    .digest('hex');
  return digest.slice(0, idLength);
}

/** As long as the versions of snapshots. */
const idLength = 16;

export function keep({ source: { text, files, folders } }: Policy): KeptPolicy {
  return { text, files: Object.fromEntries(files), folders: Object.fromEntries(folders) };
}

/**
 * The policy that was kept, as if it stood in `file`. Its users files are read as they are now, and one that has gone has nobody in it. Throws
 * `state_invalid` where the text is no policy any more, to this version.
 */
export async function readAgain(kept: KeptPolicy, file: string, disk: Pick<Disk, 'readFile'>): Promise<Policy> {
  const folder = path.dirname(file);
  const files = located(folder, kept.files);
  const folders = located(folder, kept.folders);
  const loaded = await loadPolicy({
    file,
    text: kept.text,
    readFile: async (name) => files.get(name) ?? (await disk.readFile(name).catch(() => '')),
    listFolder: (name) => Promise.resolve(folders.get(name) ?? []),
  });
  if ('policy' in loaded) return loaded.policy;
  const [problem] = loaded.problems;
  throw new SekishoError(
    'state_invalid',
    `the policy that the fleet runs is none any more (${problem ? formatProblem(problem) : ''})`,
  );
}

function located<T>(folder: string, named: Readonly<Record<string, T>>): Map<string, T> {
  return new Map(Object.entries(named).map(([name, one]) => [path.resolve(folder, name), one]));
}
