import path from 'node:path';
import { SekishoError, errnoOf } from '../base/errors.ts';
import { globMatches } from './glob.ts';

/** The names in a folder. */
export type ListFolder = (folder: string) => Promise<readonly string[]>;

export interface Matches {
  /** In the words of the pattern, sorted. A pattern without `*` is the name of one file, whether there is one or not. */
  readonly files: readonly string[];
  /** Absolute paths of the folders in which a name could come to fit. */
  readonly looked: readonly string[];
  /** Why the last folder could not be looked into. */
  readonly failure?: string;
}

/**
 * The files that fit a pattern, in which `*` stands for any characters of one name. As in a shell it does not stand for a dot at the beginning: files of that
 * kind are what editors and package managers are working on.
 */
export async function matchingFiles(folder: string, pattern: string, list: ListFolder): Promise<Matches> {
  let found = [path.isAbsolute(pattern) ? path.parse(pattern).root : ''];
  const looked: string[] = [];
  let failure: string | undefined;
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    if (!part.includes('*')) {
      found = found.map((one) => path.join(one, part));
      continue;
    }
    const next: string[] = [];
    for (const one of found) {
      const location = path.resolve(folder, one);
      looked.push(location);
      try {
        const names = [...(await list(location))].sort();
        const fitting = names.filter((name) => globMatches(part, name) && !name.startsWith('.'));
        next.push(...fitting.map((name) => path.join(one, name)));
      } catch (caught) {
        failure = whyNot(caught);
      }
    }
    found = next;
  }
  return { files: found, looked, ...(failure !== undefined && { failure }) };
}

/** What the operating system said, or whoever asked it. */
export function whyNot(caught: unknown): string {
  const { facts, message } = SekishoError.from(caught);
  return typeof facts['errno'] === 'string' ? facts['errno'] : (errnoOf(caught) ?? message);
}
