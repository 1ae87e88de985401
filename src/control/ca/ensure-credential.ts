import type { KeyObject, X509Certificate } from 'node:crypto';
import type { Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { isIssuedBy } from './check-credential.ts';
import { readCertificate, readKey, writeCertificate, writeKey } from './credential-files.ts';
import { isDue, isValidAt } from './expiry.ts';
import { newKey } from './key.ts';
import type { CredentialPaths } from './layout.ts';
import type { Credential } from './sign.ts';

/** What became of one file. */
export interface FileReport {
  readonly path: string;
  readonly act: 'made' | 'kept' | 'reissued';
  /** Why a certificate was made anew, or what to do about one that was kept. */
  readonly note?: string;
}

/** A root as `sekisho ca` finds it: without its key, it can be trusted but cannot sign. */
export interface Root {
  readonly certificate: X509Certificate;
  readonly key: KeyObject | undefined;
  /** Where the key should be; for messages. */
  readonly keyPath: string;
}

export interface CredentialPlan {
  readonly paths: CredentialPaths;
  readonly root: Root;
  /** Why the certificate on disk is not the one that is wanted (`lacks the host x`), apart from age, key and root. */
  readonly objection: (certificate: X509Certificate) => string | undefined;
  readonly issue: (key: KeyObject, root: Credential) => Promise<X509Certificate>;
}

/**
 * Leaves at `paths` a key and a certificate as planned. A key that is there stays; a certificate is replaced when it must be or when two
 * thirds of its life are over. Throws `ca_missing` when it has to be signed and the root's key is not at hand.
 */
export async function ensureCredential(plan: CredentialPlan, disk: Disk, now: Date): Promise<FileReport[]> {
  const { paths, root } = plan;
  const found = { certificate: await readCertificate(disk, paths.certificate), key: await readKey(disk, paths.key) };
  const reason = reasonToIssue(plan, found, now);

  const keptKey: FileReport = { path: paths.key, act: 'kept' };
  const keptCertificate: FileReport = { path: paths.certificate, act: 'kept' };
  if (reason === undefined) return [keptKey, keptCertificate];
  if (root.key === undefined) {
    const note = `${reason.text}; ${remedyFor(root)}`;
    if (!reason.urgent) return [keptKey, { ...keptCertificate, note }];
    throw new SekishoError('ca_missing', `${paths.certificate} ${note}`, { facts: { file: root.keyPath } });
  }

  // Key first: a crash in between leaves a key without a certificate, which the next run completes.
  const key = found.key ?? (await newKey());
  if (found.key === undefined) await writeKey(disk, paths.key, key);
  const certificate = await plan.issue(key, { certificate: root.certificate, key: root.key });
  await writeCertificate(disk, paths.certificate, certificate);
  return [
    found.key === undefined ? { path: paths.key, act: 'made' } : keptKey,
    found.certificate === undefined
      ? { path: paths.certificate, act: 'made' }
      : { path: paths.certificate, act: 'reissued', note: reason.text },
  ];
}

/** Urgent: what is on disk cannot serve. Not urgent: it should be renewed. */
function reasonToIssue(
  { root, objection }: CredentialPlan,
  { certificate, key }: { certificate: X509Certificate | undefined; key: KeyObject | undefined },
  now: Date,
): { text: string; urgent: boolean } | undefined {
  if (certificate === undefined) return { text: 'is missing', urgent: true };
  if (key === undefined) return { text: 'has no key beside it', urgent: true };
  if (!certificate.checkPrivateKey(key)) return { text: 'does not belong to the key beside it', urgent: true };
  if (!isIssuedBy(certificate, root.certificate)) return { text: 'was signed by another root', urgent: true };
  if (!isValidAt(certificate, now)) return { text: 'is not valid at this time', urgent: true };
  const text = objection(certificate);
  if (text !== undefined) return { text, urgent: true };
  return isDue(certificate, now) ? { text: 'has less than a third of its life left', urgent: false } : undefined;
}

function remedyFor({ keyPath }: Root): string {
  return `signing it needs ${keyPath}: run this where that key is, or name its folder with --offline DIR`;
}
