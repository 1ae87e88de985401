import 'reflect-metadata'; // @peculiar/x509 asks for it, before its own import.
import { SubjectAlternativeNameExtension, X509Certificate as ParsedCertificate } from '@peculiar/x509';
import type { X509Certificate } from 'node:crypto';
import { decodeConstraints, nameConstraintsOid } from './name-constraints-der.ts';
import { canonicalAddress, type NameConstraints } from './name-constraints.ts';

/** The name constraints of a CA certificate; undefined when it has none that are critical and of the shape that Sekisho writes. */
export function constraintsOf(certificate: X509Certificate): NameConstraints | undefined {
  const extension = new ParsedCertificate(certificate.raw).getExtension(nameConstraintsOid);
  return extension?.critical === true ? decodeConstraints(Buffer.from(extension.value)) : undefined;
}

/** The alternative names of a certificate as `type:value`, sorted, so that two lists can be compared. */
export function alternativeNamesOf(certificate: X509Certificate): readonly string[] {
  const extension = new ParsedCertificate(certificate.raw).getExtension(SubjectAlternativeNameExtension);
  return sortedNames(extension?.names.items ?? []);
}

/** The same text for names that have yet to be signed. */
export function sortedNames(names: readonly { readonly type: string; readonly value: string }[]): readonly string[] {
  return names.map(({ type, value }) => `${type}:${type === 'ip' ? canonicalAddress(value) : value}`).sort();
}
