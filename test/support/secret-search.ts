import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that somebody may have written a secret into. */
export interface Place {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Every file below a folder. */
export async function filesIn(folder: string): Promise<Place[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(name) })));
}

/** Fails where a secret (by what it is) stands in a place, in whatever form it was written down; shows what stands around it. */
export function assertNowhere(secrets: Readonly<Record<string, string>>, places: readonly Place[]): void {
  for (const [what, secret] of Object.entries(secrets)) {
    assert.ok(secret.length >= 8, `${what} is long enough to be found by no chance`);
    for (const form of formsOf(secret)) {
      for (const { name, bytes } of places) {
        const at = bytes.indexOf(form);
        const around = bytes.toString('latin1', Math.max(0, at - 120), at + form.length + 120);
        assert.ok(at < 0, `${what}, as ${form}, is in ${name}: …${around}…`);
      }
    }
  }
}

/** As it is, in percent-encoding, in hexadecimal, and in base64 wherever in a longer text it began. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const percent = hex.map((digits) => `%${digits}`).join('');
  const base64 = [0, 1, 2].map((offset) => base64Within(bytes, offset));
  const forms = [
    secret,
    ...[encodeURIComponent(secret), percent, percent.toUpperCase(), hex.join(''), hex.join('').toUpperCase()],
    ...[...base64, ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))],
  ];
  return [...new Set(forms)];
}

/** What base64 makes of bytes that stand `offset` behind a multiple of three, without the characters in which others have a part. */
function base64Within(bytes: Buffer, offset: number): string {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
  return whole.toString('base64').slice(Math.ceil((offset * 4) / 3), Math.floor((whole.length * 4) / 3));
}
