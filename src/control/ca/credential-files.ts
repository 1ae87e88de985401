import { type KeyObject, X509Certificate } from 'node:crypto';
import type { Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { keyPem, parseKey } from './key.ts';

/** The certificate in a PEM file; undefined when there is no such file. Throws `ca_invalid` when it holds something else. */
export async function readCertificate(disk: Disk, path: string): Promise<X509Certificate | undefined> {
  const bytes = await readIfThere(disk, path);
  if (bytes === undefined) return undefined;
  try {
    return new X509Certificate(bytes);
  } catch (cause) {
    throw new SekishoError('ca_invalid', `${path} is not a PEM certificate; restore it from its copy`, {
      facts: { file: path },
      cause,
    });
  }
}

/** The private key in a PEM file; undefined when there is no such file. Throws `ca_invalid` when it holds something else. */
export async function readKey(disk: Disk, path: string): Promise<KeyObject | undefined> {
  const bytes = await readIfThere(disk, path);
  return bytes === undefined ? undefined : parseKey(bytes.toString('utf8'), path);
}

/** As `readCertificate`; throws `ca_missing` when there is none. */
export async function demandCertificate(disk: Disk, path: string): Promise<X509Certificate> {
  return (await readCertificate(disk, path)) ?? missing(path);
}

/** As `readKey`; throws `ca_missing` when there is none. */
export async function demandKey(disk: Disk, path: string): Promise<KeyObject> {
  return (await readKey(disk, path)) ?? missing(path);
}

/** Writes a private key for its owner alone (0600). The caller has looked that there is none. */
export async function writeKey(disk: Disk, path: string, key: KeyObject): Promise<void> {
  await disk.writeFileAtomic(path, keyPem(key), 0o600);
}

/** Writes a certificate for everyone to read (0644), over an older one. */
export async function writeCertificate(disk: Disk, path: string, certificate: X509Certificate): Promise<void> {
  await disk.writeFileAtomic(path, certificate.toString(), 0o644);
}

/** A folder that holds keys: its owner's alone (0700). */
export async function makeFolder(disk: Disk, folder: string): Promise<void> {
  await disk.makeDir(folder, 0o700);
}

/** Missing is an answer here; a file that is there and cannot be read is an error (file_unreadable). */
async function readIfThere(disk: Disk, path: string): Promise<Buffer | undefined> {
  return (await disk.stat(path)) === undefined ? undefined : disk.readFile(path);
}

function missing(path: string): never {
  throw new SekishoError(
    'ca_missing',
    `${path} is not there; run \`sekisho ca init\`, or copy it from where that was run`,
    {
      facts: { file: path },
    },
  );
}
