import { createHash } from 'node:crypto';
import path from 'node:path';
import { assemblePolicy } from './assemble.ts';
import { checkConsole } from './checks/console.ts';
import { checkDoors } from './checks/doors.ts';
import { checkFleet } from './checks/fleet.ts';
import { checkOutputs } from './checks/outputs.ts';
import { checkResources } from './checks/resources.ts';
import { checkRollout } from './checks/rollout.ts';
import { checkServer } from './checks/server.ts';
import { readPolicyFiles } from './files.ts';
import type { ReadFile } from './files.ts';
import { type ListFolder, readResourceFiles } from './resource-files.ts';
import { limits } from './limits.ts';
import type { Policy } from './policy.types.ts';
import { type Finding, pathText, type Problem, startsWith } from './problem.ts';
import { readable, valueAt } from './readable.ts';
import { policySchema } from './schema.ts';
import { shapeFindings } from './shape.ts';
import { readSource } from './source.ts';
import type { Source } from './source.ts';
import { unbuiltFindings } from './unbuilt.ts';

export { formatProblem } from './problem.ts';
export type { Problem, ProblemCode } from './problem.ts';

export interface PolicyText {
  /** The path as the user gave it; problems and the policy repeat it, and relative paths start at its folder. */
  readonly file: string;
  readonly text: string;
  /** Reads a file that the policy names; gets an absolute path. */
  readonly readFile: ReadFile;
  /** The names in a folder, for the patterns of `resources`; gets an absolute path. */
  readonly listFolder: ListFolder;
}

export type LoadedPolicy = ({ readonly policy: Policy } | { readonly problems: readonly Problem[] }) & {
  /** Absolute paths of the files that the policy names, and of folders in which it looks for some; a change of one is a change of the policy. */
  readonly files: readonly string[];
};

/**
 * Reads a policy, or tells all that is wrong with it, sorted by place. Rejects only if its arguments break. What only Envoy's API can tell of the
 * resources that it names is not judged here.
 */
export async function loadPolicy({ file, text, readFile, listFolder }: PolicyText): Promise<LoadedPolicy> {
  if (Buffer.byteLength(text) > limits.fileBytes) return { problems: [tooLarge(file)], files: [] };
  const source = readSource(text);
  const sound = source.soundUntil === Infinity && source.value !== undefined;

  const unbuilt = unbuiltFindings(source.value);
  const shape = source.value === undefined ? [] : unlessUnbuilt(shapeFindings(source.value), unbuilt);
  const draft = readable(policySchema, source.value) ?? {};
  const folder = path.dirname(file);
  const named = await readPolicyFiles(sound ? draft : {}, folder, readFile);
  const seen = remembering(folder, { readFile, listFolder });
  const extra = await readResourceFiles(sound ? draft : {}, folder, seen);
  const files = [...named.paths, ...extra.paths];
  const crossed = sound
    ? [
        ...checkFleet(draft),
        ...checkDoors(draft),
        ...checkConsole(draft),
        ...checkServer(draft),
        ...checkOutputs(draft, folder),
        ...checkResources(draft),
        ...checkRollout(draft),
      ]
    : [];

  const across = unlessUnbuilt([...crossed, ...named.findings, ...extra.findings], unbuilt);
  const findings = [...unbuilt, ...shape, ...across];
  const problems = inOrder([...syntaxProblems(file, source), ...place(file, source, findings)]);
  if (problems.length > 0) return { problems, files };
  const sha256 = createHash('sha256').update(text).digest('hex');
  const contents = { ...named, resources: extra.resources };
  const kept = { text, files: new Map([...named.certificates, ...seen.files]), folders: seen.folders };
  return { policy: assemblePolicy({ file, sha256, source: kept }, policySchema.parse(source.value), contents), files };
}

/** Reads as before, and keeps what was read by its path from the folder on. */
function remembering(folder: string, { readFile, listFolder }: Pick<PolicyText, 'readFile' | 'listFolder'>) {
  const files = new Map<string, string>();
  const folders = new Map<string, readonly string[]>();
  const nameOf = (location: string): string => path.relative(path.resolve(folder), location);
  return {
    files,
    folders,
    readFile: async (location: string) => {
      const content = await readFile(location);
      files.set(nameOf(location), typeof content === 'string' ? content : new TextDecoder().decode(content));
      return content;
    },
    listFolder: async (location: string) => {
      const names = await listFolder(location);
      folders.set(nameOf(location), names);
      return names;
    },
  };
}

/** What is not built is told once, and not as an unknown key or value besides. */
function unlessUnbuilt(findings: readonly Finding[], unbuilt: readonly Finding[]): Finding[] {
  return findings.filter(
    (found) =>
      !unbuilt.some(
        ({ path: at }) => startsWith(found.path, at) || (found.code === 'missing-key' && startsWith(at, found.path)),
      ),
  );
}

function syntaxProblems(file: string, source: Source): Placed[] {
  return source.problems.map(({ place: { line, column, offset }, message, remedy }) => ({
    offset,
    problem: { file, line, column, path: '', code: 'yaml', message, remedy },
  }));
}

/** Behind a break in the structure, neither what is there nor what is missing can be told. */
function place(file: string, source: Source, findings: readonly Finding[]): Placed[] {
  return findings.flatMap(({ path: at, at: part, within, code, message, remedy }) => {
    const { line, column, offset, end } = source.place(at, part);
    const absent = (valueAt(source.value, at) ?? null) === null;
    const guess = source.soundUntil !== Infinity && (absent || end >= source.soundUntil);
    const where = within ?? { file, line, column };
    return guess ? [] : [{ offset, problem: { ...where, path: pathText(at), code, message, remedy } }];
  });
}

interface Placed {
  readonly offset: number;
  readonly problem: Problem;
}

function inOrder(placed: readonly Placed[]): Problem[] {
  return [...placed].sort((a, b) => a.offset - b.offset).map(({ problem }) => problem);
}

function tooLarge(file: string): Problem {
  const message = `the policy is larger than ${limits.fileBytes} bytes`;
  return {
    file,
    line: 1,
    column: 1,
    path: '',
    code: 'limit',
    message,
    remedy: 'split the fleet, or name nodes by a pattern',
  };
}
