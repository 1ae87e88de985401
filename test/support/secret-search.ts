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

/**
 * Fails where a secret (by what it is) stands in a place: as it is, in hexadecimal, in base64 wherever in a longer text it began, and all of
 * these also where percent-encoding hides them, however often. Shows the first in each place, and what stands around it.
 */
export function assertNowhere(secrets: Readonly<Record<string, string>>, places: readonly Place[]): void {
  const readings = places.flatMap(({ name, bytes }) => [
    { name, bytes },
    { name: `${name}, decoded`, bytes: percentDecoded(bytes) },
  ]);
  const found: string[] = [];
  for (const [what, secret] of Object.entries(secrets)) {
    assert.ok(secret.length >= 8, `${what} is long enough to be found by no chance`);
    for (const form of formsOf(Buffer.from(secret))) {
      for (const { name, bytes } of readings) {
        const at = bytes.indexOf(form);
        if (at < 0) continue;
        const around = bytes.toString('latin1', Math.max(0, at - 120), at + form.length + 120);
        found.push(`${what}, as ${form}, is in ${name}: …${JSON.stringify(around)}…`);
      }
    }
  }
  assert.deepEqual(found, []);
}

function formsOf(secret: Buffer): readonly string[] {
  const hex = secret.toString('hex');
  const base64 = [0, 1, 2].map((offset) => base64Within(secret, offset));
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([secret.toString(), hex, hex.toUpperCase(), ...base64, ...base64url])];
}

/** What base64 makes of bytes that stand `offset` behind a multiple of three, without the characters in which others have a part. */
function base64Within(bytes: Buffer, offset: number): string {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
  return whole.toString('base64').slice(Math.ceil((offset * 4) / 3), Math.floor((whole.length * 4) / 3));
}

/** Until nothing is left to decode. */
function percentDecoded(bytes: Buffer): Buffer {
  let before = bytes.toString('latin1');
  for (;;) {
    const after = before.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (after === before) return Buffer.from(after, 'latin1');
    before = after;
  }
}
