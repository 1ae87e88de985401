import { SekishoError } from '../../base/errors.ts';

/** Who a client certificate of the fleet CA says it is. */
export interface Identity {
  readonly fleet: string;
  readonly role: Role;
  /** The node id, or the name that the operator gave a reader. */
  readonly name: string;
}

/** node: an Envoy, calls for its own node id alone. reader: asks for records. operator: may change what runs. */
export type Role = (typeof roles)[number];

export const roles = ['node', 'reader', 'operator'] as const;

/** The URI that stands in the certificate: SPIFFE ID, with the fleet as trust domain (SPIFFE-ID.md 2). */
export function identityUri({ fleet, role, name }: Identity): string {
  return `spiffe://${fleet}/${role}/${name}`;
}

/**
 * Reads the identity out of a peer certificate that TLS has already verified against the fleet CA.
 *
 * `subjectAltName` is the text of the extension as Node gives it: `subjectaltname` of `getPeerCertificate()`, `subjectAltName` of an
 * X509Certificate. Anything but one single URI of this fleet in its one canonical spelling gives undefined: a SPIFFE certificate has exactly
 * one URI (X509-SVID.md 2), a second name of any kind would be a second identity, and Node quotes a name that holds odd characters.
 */
export function identityOf(subjectAltName: string | undefined, fleet: string): Identity | undefined {
  const [, trustDomain, roleText, name] = uriPattern.exec(subjectAltName ?? '') ?? [];
  const role = roles.find((known) => known === roleText);
  if (role === undefined || name === undefined || trustDomain !== fleet || !namePattern.test(name)) return undefined;
  return { fleet, role, name };
}

/** Throws `usage` when this is no name of a fleet, which is one DNS label. */
export function assertFleetName(name: string): void {
  if (labelPattern.test(name)) return;
  throw new SekishoError(
    'usage',
    `fleet name ${JSON.stringify(name)}: use at most 63 of a-z, 0-9 and -, no - at either end`,
  );
}

/** Throws `usage` when a name cannot stand in an identity. */
export function assertIdentityName({ role, name }: Identity): void {
  if (namePattern.test(name)) return;
  throw new SekishoError(
    'usage',
    `${role} name ${JSON.stringify(name)}: use a DNS name in lower case, such as egress-1 or egress-1.tokyo.example`,
  );
}

/** Lower-case DNS label and name (RFC 1123): one that SPIFFE takes for a path segment (SPIFFE-ID.md 2.2), and no `.` or `..`. */
const labelPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const namePattern = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const uriPattern = /^URI:spiffe:\/\/([a-z0-9-]{1,63})\/([a-z]{1,16})\/([a-z0-9.-]{1,253})$/;
