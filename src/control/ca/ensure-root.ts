import type { KeyObject, X509Certificate } from 'node:crypto';
import type { Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { assertFleet, assertKeyMatches, assertValidAt } from './check-credential.ts';
import { readCertificate, readKey, writeCertificate, writeKey } from './credential-files.ts';
import type { FileReport, Root } from './ensure-credential.ts';
import { newKey } from './key.ts';
import type { CredentialPaths } from './layout.ts';

export interface RootPlan {
  readonly fleet: string;
  readonly offline: CredentialPaths;
  readonly online: CredentialPaths;
  readonly issue: (key: KeyObject) => Promise<X509Certificate>;
}

/**
 * Leaves a root's key and certificate in the offline folder and its certificate in the online one. What is there stays; where the certificate is
 * known but its key is kept elsewhere, no other key is made. Throws `ca_invalid` when the folders hold two different roots, or one that
 * is over or another fleet's.
 */
export async function ensureRoot(plan: RootPlan, disk: Disk, now: Date): Promise<{ root: Root; files: FileReport[] }> {
  const { offline, online } = plan;
  const foundKey = await readKey(disk, offline.key);
  const kept = await readCertificate(disk, offline.certificate);
  const published = await readCertificate(disk, online.certificate);
  const known = theOne(kept, published, plan);
  if (known !== undefined) assertUsable(known, foundKey, plan, now);

  if (known !== undefined && foundKey === undefined) {
    const files = [await ensureCopy(disk, online.certificate, published, known)];
    return { root: { certificate: known, key: undefined, keyPath: offline.key }, files };
  }

  // Key first: a crash in between leaves a key without a certificate, which the next run completes.
  const key = foundKey ?? (await newKey());
  if (foundKey === undefined) await writeKey(disk, offline.key, key);
  const certificate = known ?? (await plan.issue(key));
  const files: FileReport[] = [
    { path: offline.key, act: foundKey === undefined ? 'made' : 'kept' },
    await ensureCopy(disk, offline.certificate, kept, certificate),
    await ensureCopy(disk, online.certificate, published, certificate),
  ];
  return { root: { certificate, key, keyPath: offline.key }, files };
}

function theOne(
  kept: X509Certificate | undefined,
  published: X509Certificate | undefined,
  { offline, online }: RootPlan,
): X509Certificate | undefined {
  if (kept === undefined || published === undefined || kept.raw.equals(published.raw)) return kept ?? published;
  throw new SekishoError(
    'ca_invalid',
    `${offline.certificate} and ${online.certificate} are two different roots; keep the one that the clients trust`,
    { facts: { file: online.certificate } },
  );
}

function assertUsable(
  root: X509Certificate,
  key: KeyObject | undefined,
  { fleet, offline }: RootPlan,
  now: Date,
): void {
  assertFleet(root, fleet, offline.certificate);
  assertValidAt(root, now, offline.certificate);
  if (key !== undefined) assertKeyMatches(root, key, offline.certificate);
}

async function ensureCopy(
  disk: Disk,
  path: string,
  found: X509Certificate | undefined,
  certificate: X509Certificate,
): Promise<FileReport> {
  if (found !== undefined) return { path, act: 'kept' };
  await writeCertificate(disk, path, certificate);
  return { path, act: 'made' };
}
