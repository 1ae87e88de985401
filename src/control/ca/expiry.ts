import type { X509Certificate } from 'node:crypto';

/** When a certificate ends, for metrics, readiness and `sekisho ca`. */
export interface Expiry {
  readonly certificate: 'console_root' | 'console_intermediate' | 'fleet_ca' | 'server' | 'client';
  readonly notAfter: Date;
  /** Whole days until then, rounded down; negative once it is over. */
  readonly daysLeft: number;
  /** Time to act: two thirds of its life are gone. */
  readonly due: boolean;
}

export function expiryOf(certificate: X509Certificate, name: Expiry['certificate'], now: Date): Expiry {
  const { notAfter } = lifeOf(certificate);
  const daysLeft = Math.floor((notAfter.getTime() - now.getTime()) / 86_400_000);
  return { certificate: name, notAfter, daysLeft, due: isDue(certificate, now) };
}

/** Whether two thirds of the life are over: late enough to save work, early enough for a third of the life full of failures. */
export function isDue(certificate: X509Certificate, now: Date): boolean {
  return now.getTime() >= dueAt(certificate).getTime();
}

function dueAt(certificate: X509Certificate): Date {
  const { notBefore, notAfter } = lifeOf(certificate);
  return new Date(notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3);
}

export function isValidAt(certificate: X509Certificate, now: Date): boolean {
  const { notBefore, notAfter } = lifeOf(certificate);
  return notBefore.getTime() <= now.getTime() && now.getTime() <= notAfter.getTime();
}

export function lifeOf({ validFrom, validTo }: X509Certificate): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
}
