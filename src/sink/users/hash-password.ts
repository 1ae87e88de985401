import { scrypt } from 'node:crypto';
import { defaultCost } from '../../policy/password-hash.ts';
import type { PasswordHash, ScryptCost } from '../../policy/policy.types.ts';

/** Bytes of a hash that we make. */
const hashBytes = 32;

/** The hash of a new password. The salt is chance, 16 bytes or more; the password is composed (NFC), as it is when it is tried. */
export function hashPassword(
  password: string,
  salt: Uint8Array,
  cost: ScryptCost = defaultCost,
): Promise<PasswordHash> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, hashBytes, scryptOptions(cost), (error, hash) => {
      if (error === null) resolve({ cost, salt, hash: new Uint8Array(hash) });
      else reject(error);
    });
  });
}

/** The cost as node:crypto has it. It refuses to take more than `maxmem`, which counts some more than the 128 · N · r of the algorithm itself. */
export function scryptOptions({ ln, r, p }: ScryptCost): { N: number; r: number; p: number; maxmem: number } {
  return { N: 2 ** ln, r, p, maxmem: 128 * r * (2 ** ln + p) + 1024 * 1024 };
}
