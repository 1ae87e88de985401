import { randomBytes } from 'node:crypto';
import { SekishoError } from '../../base/errors.ts';
import { realDisk } from '../../base/disk.ts';
import { limits } from '../../policy/limits.ts';
import { passwordHashText } from '../../policy/password-hash.ts';
import { formatProblem } from '../../policy/problem.ts';
import { parseUsersFile, readUserName, withoutUser, withUser } from '../../policy/users-file.ts';
import { hashPassword } from '../../sink/users/hash-password.ts';
import { askPassword } from './ask-password.ts';
import { answer, aside, exitCodes } from './print.ts';

/** `sekisho users add NAME FILE`: one more person, or a new password for one who is there. */
export async function usersAdd(given: string, file: string): Promise<number> {
  const name = nameOf(given);
  // Before anybody types a password for nothing.
  const before = await goodText(file, '');
  if (before === undefined) return exitCodes.badNews;
  const password = await askPassword(process.stdin, aside, `password of ${name}`);
  if (typeof password !== 'string') {
    aside(`${password.refused} — nothing was changed`);
    return exitCodes.badNews;
  }
  const hash = passwordHashText(await hashPassword(password, randomBytes(16)));
  const after = withUser(before, name, hash);
  const count = parseUsersFile(after).accounts.size;
  if (parseUsersFile(after).problems.length > 0) {
    aside(`${file} is full: at most ${limits.users} people — nothing was changed`);
    return exitCodes.badNews;
  }
  await realDisk.writeFileAtomic(file, after, fileMode);
  answer(
    `${file}: ${parseUsersFile(before).accounts.has(name) ? 'new password of' : 'added'} ${name}, ${people(count)}`,
  );
  return exitCodes.good;
}

/** `sekisho users remove NAME FILE`. */
export async function usersRemove(given: string, file: string): Promise<number> {
  const name = nameOf(given);
  const before = await goodText(file, undefined);
  if (before === undefined) return exitCodes.badNews;
  const after = withoutUser(before, name);
  if (after === undefined) {
    aside(`${file}: there is no ${name}`);
    return exitCodes.badNews;
  }
  await realDisk.writeFileAtomic(file, after, fileMode);
  answer(`${file}: removed ${name}, ${people(parseUsersFile(after).accounts.size)}`);
  return exitCodes.good;
}

/** For its owner alone: whoever has the hashes can guess in peace. */
const fileMode = 0o600;

/** The text of a users file, `absent` where there is none; undefined after its problems were printed. What is wrong with it is for a person to mend. */
async function goodText(file: string, absent: string | undefined): Promise<string | undefined> {
  let text: string;
  try {
    text = (await realDisk.readFile(file)).toString('utf8');
  } catch (caught) {
    if (absent !== undefined && SekishoError.from(caught).facts['errno'] === 'ENOENT') return absent;
    throw caught;
  }
  const { problems } = parseUsersFile(text);
  for (const { line, refused: message, remedy } of problems) {
    aside(formatProblem({ file, line, column: 1, path: '', code: 'file', message, remedy }));
  }
  return problems.length > 0 ? undefined : text;
}

function nameOf(text: string): string {
  const name = readUserName(text);
  if (typeof name === 'string') return name;
  throw new SekishoError('usage', `that is no name of a person — ${name.remedy}`);
}

function people(count: number): string {
  return count === 1 ? '1 person' : `${count} people`;
}
