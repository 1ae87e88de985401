import type { PasswordHash, ScryptCost } from './policy.types.ts';
import type { Refusal } from './problem.ts';

/** What a new password costs: 32 MiB and about 90 ms, each time that somebody tries one. */
export const defaultCost: ScryptCost = { ln: 15, r: 8, p: 1 };

/**
 * Below, a stolen file is guessed too fast; above, one attempt would take more than 128 MiB or half a second of the one thread that tries them. `work` is
 * p · 2^ln. No tool writes another r than 8.
 */
const bounds = { ln: { least: 14, most: 17 }, r: 8, work: 2 ** 17 } as const;

/** Bytes. */
const sizes = { salt: { least: 16, most: 64 }, hash: { least: 32, most: 64 } } as const;

const remedy = 'set the password again with sekisho users add';

/**
 * Reads `$scrypt$ln=15,r=8,p=1$SALT$HASH`, the PHC string format with base64 without padding:
 * https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md. What it refuses is told without any part of the text, which may be a password.
 */
export function parsePasswordHash(text: string): PasswordHash | Refusal {
  if (!text.startsWith('$scrypt$')) {
    return { refused: 'the password stands in plain text, or is hashed by another scheme than scrypt', remedy };
  }
  const [, ln, r, p, saltText = '', hashText = ''] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text) ?? [];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const [salt, hash] = [fromBase64(saltText), fromBase64(hashText)];
  if (ln === undefined || salt === undefined || hash === undefined) {
    return { refused: 'the hash is not of the form $scrypt$ln=15,r=8,p=1$SALT$HASH', remedy };
  }
  if (!isBearable(cost)) {
    const { least, most } = bounds.ln;
    const refused = `the hash wants ln from ${least} to ${most}, r=${bounds.r}, and p from 1 up to p·2^ln = ${bounds.work}`;
    return { refused, remedy };
  }
  if (!isWithin(salt, sizes.salt) || !isWithin(hash, sizes.hash)) {
    const refused = `the salt wants ${sizes.salt.least} to ${sizes.salt.most} bytes, the hash ${sizes.hash.least} to ${sizes.hash.most}`;
    return { refused, remedy };
  }
  return { cost, salt, hash };
}

/** The same as text, for a line of a users file. */
export function passwordHashText({ cost, salt, hash }: PasswordHash): string {
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${toBase64(salt)}$${toBase64(hash)}`;
}

function isBearable({ ln, r, p }: ScryptCost): boolean {
  return ln >= bounds.ln.least && ln <= bounds.ln.most && r === bounds.r && p >= 1 && p * 2 ** ln <= bounds.work;
}

function isWithin(bytes: Uint8Array, { least, most }: { readonly least: number; readonly most: number }): boolean {
  return bytes.length >= least && bytes.length <= most;
}

/** undefined where it is not what these bytes would be written as: one text for one hash. */
function fromBase64(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return toBase64(bytes) === text ? bytes : undefined;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
