import { passwordHashText } from '../../src/policy/password-hash.ts';
import { hashPassword } from '../../src/sink/users/hash-password.ts';

/** A line of a users file, as `sekisho users add` writes it, but of a cheaper hash. */
export async function usersLine(name: string, password: string): Promise<string> {
  const salt = Buffer.alloc(16, name);
  return `${name}:${passwordHashText(await hashPassword(password, salt, { ln: 14, r: 8, p: 1 }))}\n`;
}

/** Name and password as RFC 7617 puts them into a header. */
export function basicCredentials(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}
