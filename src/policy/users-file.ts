import { limits } from './limits.ts';
import { parsePasswordHash } from './password-hash.ts';
import type { Accounts, PasswordHash } from './policy.types.ts';
import type { Refusal } from './problem.ts';

/** What is wrong with a line of a users file. Never holds a part of the line but its name. */
export interface UsersProblem extends Refusal {
  /** From 1. */
  readonly line: number;
}

export interface UsersFile {
  /** The people whose lines are good. */
  readonly accounts: Accounts;
  readonly problems: readonly UsersProblem[];
}

/** Reads a users file: a line `NAME:HASH` for each person, besides empty lines and comments that begin with `#`. */
export function parseUsersFile(text: string): UsersFile {
  const accounts = new Map<string, PasswordHash>();
  const problems: UsersProblem[] = [];
  const firstLine = new Map<string, number>();
  for (const [index, content] of linesOf(text).entries()) {
    if (problems.length >= limits.userProblems) break;
    const line = index + 1;
    const refuse = (refusal: Refusal): void => void problems.push({ line, ...refusal });
    const entry = readLine(content);
    if (entry === undefined) continue;
    if ('refused' in entry) {
      refuse(entry);
      continue;
    }
    const earlier = firstLine.get(entry.name);
    firstLine.set(entry.name, earlier ?? line);
    if (earlier !== undefined) {
      refuse({ refused: `"${entry.name}" stands in line ${earlier}, too`, remedy: 'keep one of them' });
    } else if ('refused' in entry.hash) {
      refuse(entry.hash);
    } else if (accounts.size >= limits.users) {
      refuse({ refused: `more than ${limits.users} people`, remedy: 'give them doors with files of their own' });
      break;
    } else {
      accounts.set(entry.name, entry.hash);
    }
  }
  return { accounts, problems };
}

/** The text with this line for that person: in the place of an earlier one, else at the end. */
export function withUser(text: string, name: string, hash: string): string {
  const line = `${name}:${hash}`;
  const lines = linesOf(text);
  const at = lines.findIndex((content) => isLineOf(content, name));
  if (at >= 0) return joined(lines.with(at, line));
  return joined([...lines, line]);
}

/** The text without that person; undefined where there is none of that name. */
export function withoutUser(text: string, name: string): string | undefined {
  const lines = linesOf(text);
  const kept = lines.filter((content) => !isLineOf(content, name));
  return kept.length === lines.length ? undefined : joined(kept);
}

/**
 * A name as records carry it and as it is compared: composed (NFC), for keyboards differ in how they write `ä`. A `:` would end it (RFC 7617 section 2), and with a
 * `=` it would read like the subject of a certificate.
 */
export function readUserName(text: string): string | Refusal {
  const name = text.normalize('NFC');
  if (name.length <= limits.userName && /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]*$/u.test(name)) return name;
  return {
    refused: 'the line does not begin with a name and a colon',
    remedy: `use 1 to ${limits.userName} letters, digits and . _ @ + -, the first one a letter or digit`,
  };
}

type Entry = { readonly name: string; readonly hash: PasswordHash | Refusal } | Refusal;

function readLine(content: string): Entry | undefined {
  const line = content.trim();
  if (line === '' || line.startsWith('#')) return undefined;
  const colon = line.indexOf(':');
  const name = readUserName(line.slice(0, Math.max(colon, 0)));
  return typeof name === 'string' ? { name, hash: parsePasswordHash(line.slice(colon + 1)) } : name;
}

function isLineOf(content: string, name: string): boolean {
  const entry = readLine(content);
  return entry !== undefined && 'name' in entry && entry.name === name;
}

/** Without the empty one behind the last line break. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
