import type { AnyCall } from './call.types.ts';
import { SekishoError } from '../../base/errors.ts';
import { identityOf, type Role } from '../../control/ca/identity.ts';

/** Who asks for records, or how nodes stand: somebody by the certificate of a reader or operator, or some process of this host by plain text. */
export type Reader =
  | { readonly kind: 'certificate'; readonly role: Exclude<Role, 'node'>; readonly name: string }
  | { readonly kind: 'loopback' };

/**
 * The caller, by the SAN of its certificate. The doorkeeper let in plain text over loopback only.
 * @throws SekishoError identity_mismatch where the certificate is one of a node, or of nobody in this fleet
 */
export function readerOf(call: Pick<AnyCall, 'getAuthContext'>, fleet: string): Reader {
  const { transportSecurityType, sslPeerCertificate: certificate } = call.getAuthContext();
  if (transportSecurityType === undefined) return { kind: 'loopback' };
  const identity = identityOf(certificate?.subjectaltname, fleet);
  if (identity === undefined || identity.role === 'node') {
    throw new SekishoError(
      'identity_mismatch',
      `this is for readers and operators of the fleet ${fleet}; the client certificate is of neither — make one with sekisho ca reader NAME`,
      { facts: { san: certificate?.subjectaltname?.slice(0, 200) } },
    );
  }
  return { kind: 'certificate', role: identity.role, name: identity.name };
}
