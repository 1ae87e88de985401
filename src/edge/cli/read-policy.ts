import path from 'node:path';
import { remedyOf } from '../../base/disk-errors.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { extraProblems } from '../../control/extra/extra-problems.ts';
import { loadPolicy, type LoadedPolicy } from '../../policy/load.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { formatProblem, type Problem } from '../../policy/problem.ts';

/** The policy of a file, or everything that is wrong with it and the resources that it brings. Files that it names are relative to its folder. */
export async function readPolicy(file: string): Promise<LoadedPolicy> {
  let text: string;
  try {
    text = (await realDisk.readFile(file)).toString('utf8');
  } catch (caught) {
    return { problems: [unreadable(file, SekishoError.from(caught))], files: [] };
  }
  const folder = path.dirname(file);
  const loaded = await loadPolicy({
    file,
    text,
    readFile: (name) => realDisk.readFile(path.resolve(folder, name)),
    listFolder: (name) => realDisk.list(path.resolve(folder, name)),
  });
  if ('problems' in loaded) return loaded;
  const problems = extraProblems(loaded.policy);
  return problems.length === 0 ? loaded : { problems, files: loaded.files };
}

/** The policy, or undefined after its problems were printed, one a line. */
export async function policyOrProblems(file: string, print: (line: string) => void): Promise<Policy | undefined> {
  return policyOf(await readPolicy(file), print);
}

export function policyOf(loaded: LoadedPolicy, print: (line: string) => void): Policy | undefined {
  if ('policy' in loaded) return loaded.policy;
  for (const problem of loaded.problems) print(formatProblem(problem));
  return undefined;
}

function unreadable(file: string, { facts }: SekishoError): Problem {
  const errno = typeof facts['errno'] === 'string' ? facts['errno'] : undefined;
  const message = `the policy cannot be read (${errno ?? 'unknown'})`;
  return { file, line: 1, column: 1, path: '', code: 'file', message, remedy: remedyOf(errno) };
}
