/** Kinds of things that can be wrong with a policy. */
export type ProblemCode =
  /** The text is not the YAML that we read. */
  | 'yaml'
  | 'unknown-key'
  | 'missing-key'
  /** A list where text belongs, and the like. */
  | 'type'
  /** The right type, but not a value that the key can have. */
  | 'value'
  /** Too many, too few, too long, too large. */
  | 'limit'
  | 'duplicate'
  | 'overlap'
  /** A name that nothing in the policy has. */
  | 'unknown-name'
  /** Two settings that exclude each other. */
  | 'conflict'
  /** Open to a network without the protection that this needs. */
  | 'exposed'
  /** Traffic would come back to where it came from. */
  | 'loop'
  /** Traffic would leave no record. */
  | 'unrecorded'
  /** A secret that stands in the text itself. */
  | 'secret'
  /** A file that the policy names cannot be used. */
  | 'file'
  /** Designed, but not there yet. */
  | 'not-built';

/** One thing that is wrong with a policy, and where. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** The key, as `doors[0].listen`; empty for the whole file. Of an Envoy resource the field. */
  readonly path: string;
  readonly code: ProblemCode;
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
}

/** The line that a person reads, in the form that editors and CI systems know. */
export function formatProblem(problem: Problem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message} — ${problem.remedy}`;
}

/** Keys and indexes from the root of the policy. */
export type Path = readonly (string | number)[];

/** A problem before its line is looked up. */
export interface Finding {
  /** The key of the policy that is wrong, or that names the file that is. */
  readonly path: Path;
  /** The place, where it is in a file that the policy names and whose lines count. */
  readonly within?: FilePlace;
  /** Whether the key itself is wrong, or what stands behind it. */
  readonly at: 'key' | 'value';
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy: string;
}

/** Line and column from 1. */
export interface FilePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export function finding(code: ProblemCode, path: Path, message: string, remedy: string): Finding {
  return { path, at: 'value', code, message, remedy };
}

/** `doors[0].listen`; keys that hold other characters stand in quotes. */
export function pathText(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((part, index) => path[index] === part);
}

/** Why a text is not what its key wants, and what to write instead. */
export interface Refusal {
  readonly refused: string;
  readonly remedy: string;
}
