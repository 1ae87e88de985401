import type { KeyObject, X509Certificate } from 'node:crypto';
import { SekishoError } from '../../base/errors.ts';
import { isValidAt, lifeOf } from './expiry.ts';

/** Throws `ca_invalid` when the key is not the one in the certificate. */
export function assertKeyMatches(certificate: X509Certificate, key: KeyObject, file: string): void {
  if (certificate.checkPrivateKey(key)) return;
  throw invalid(file, 'and its private key do not belong together; restore the pair from its copy');
}

/** Throws `ca_invalid` when `issuer` did not sign the certificate. */
export function assertIssuedBy(certificate: X509Certificate, issuer: X509Certificate, file: string): void {
  if (isIssuedBy(certificate, issuer)) return;
  throw invalid(file, 'was not signed by the root beside it; run `sekisho ca init` where the offline folder is');
}

/** Throws `ca_invalid` outside the certificate's time. */
export function assertValidAt(certificate: X509Certificate, now: Date, file: string): void {
  if (isValidAt(certificate, now)) return;
  const { notBefore, notAfter } = lifeOf(certificate);
  const remedy = 'check the clock, or renew it: `sekisho ca init` where the offline folder is';
  throw invalid(file, `is valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}, not now; ${remedy}`);
}

/** Throws `ca_invalid` when a root is another fleet's: its nodes would all be strangers. */
export function assertFleet(root: X509Certificate, fleet: string, file: string): void {
  if (unitOf(root) === fleet) return;
  throw invalid(
    file,
    `belongs to the fleet ${unitOf(root) ?? '(none)'}, the policy names ${fleet}; take another folder or the old name`,
  );
}

export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The OU of the subject, where the roots carry the fleet's name. */
function unitOf(certificate: X509Certificate): string | undefined {
  return /^OU=(.*)$/m.exec(certificate.subject)?.[1];
}

function invalid(file: string, what: string): SekishoError {
  return new SekishoError('ca_invalid', `${file} ${what}`, { facts: { file } });
}
