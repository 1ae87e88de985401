import type { AnyCall } from './call.types.ts';
import { SekishoError } from '../../base/errors.ts';
import { identityOf } from '../../control/ca/identity.ts';

/** Who is at the other end of a call: a node by its certificate, or some process of this host by plain text. */
export type Caller = { readonly kind: 'certificate'; readonly node: string } | { readonly kind: 'loopback' };

/**
 * The caller, by the SAN of its certificate. The doorkeeper let in plain text over loopback only.
 * @throws SekishoError identity_mismatch where the certificate is not one of a node of this fleet
 */
export function callerOf(call: Pick<AnyCall, 'getAuthContext'>, fleet: string): Caller {
  const { transportSecurityType, sslPeerCertificate: certificate } = call.getAuthContext();
  if (transportSecurityType === undefined) return { kind: 'loopback' };
  const identity = identityOf(certificate?.subjectaltname, fleet);
  if (identity?.role !== 'node') {
    throw new SekishoError(
      'identity_mismatch',
      `this address is for the nodes of the fleet ${fleet}; the client certificate names none — make one with sekisho ca node ID`,
      { facts: { san: certificate?.subjectaltname?.slice(0, 200) } },
    );
  }
  return { kind: 'certificate', node: identity.name };
}
