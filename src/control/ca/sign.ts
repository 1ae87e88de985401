import 'reflect-metadata'; // @peculiar/x509 asks for it, before its own import.
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  X509Certificate as ParsedCertificate,
} from '@peculiar/x509';
import { createPublicKey, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { signingKey } from './key.ts';
import { encodeConstraints, nameConstraintsOid } from './name-constraints-der.ts';
import type { NameConstraints } from './name-constraints.ts';

/** A certificate with the private key that belongs to it. */
export interface Credential {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** What a certificate says, in the words of RFC 5280. */
export interface CertificateTemplate {
  /** Private key of the subject; only its public half enters the certificate. */
  readonly key: KeyObject;
  readonly subject: { readonly commonName: string; readonly unit?: string };
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Present on a CA: how many CAs may stand below it, and for which names. */
  readonly ca?: { readonly pathLength: number; readonly constraints?: NameConstraints };
  /** Absent on a root that signs both kinds. On a CA it binds everything below (as browsers and OpenSSL read it). */
  readonly usage?: 'server' | 'client';
  readonly names?: readonly AlternativeName[];
}

export interface AlternativeName {
  readonly type: 'dns' | 'ip' | 'url';
  readonly value: string;
}

/** Signs with ECDSA P-256 and SHA-256; without an issuer the certificate signs itself. */
export async function signCertificate(template: CertificateTemplate, issuer?: Credential): Promise<X509Certificate> {
  const publicKey = publicDer(template.key);
  const issuerKey = issuer === undefined ? publicKey : publicDer(issuer.key);
  const subject = nameOf(template.subject);
  const signed = await X509CertificateGenerator.create(
    {
      serialNumber: newSerial(),
      subject,
      issuer: issuer === undefined ? subject : new ParsedCertificate(issuer.certificate.raw).subjectName,
      notBefore: template.notBefore,
      notAfter: template.notAfter,
      publicKey,
      signingKey: await signingKey(issuer?.key ?? template.key),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        ...extensionsOf(template),
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(issuerKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return new X509Certificate(Buffer.from(signed.rawData));
}

function extensionsOf({ ca, usage, names }: CertificateTemplate): Extension[] {
  return [
    new BasicConstraintsExtension(ca !== undefined, ca?.pathLength, true),
    new KeyUsagesExtension(ca === undefined ? leafKeyUsage : caKeyUsage, true),
    ...(usage === undefined ? [] : [new ExtendedKeyUsageExtension([usageOids[usage]])]),
    ...(names === undefined ? [] : [new SubjectAlternativeNameExtension([...names])]),
    // Critical (RFC 5280 4.2.1.10): software that cannot apply it must refuse the chain.
    ...(ca?.constraints === undefined
      ? []
      : [new Extension(nameConstraintsOid, true, encodeConstraints(ca.constraints))]),
  ];
}

/** RFC 5280 4.2.1.3. An ECDSA key of a leaf signs handshakes; that of a CA signs certificates. */
const leafKeyUsage = KeyUsageFlags.digitalSignature;
const caKeyUsage = (KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign) as KeyUsageFlags;

/** RFC 5280 4.2.1.12. */
const usageOids = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** O, OU, CN in this order, each within the 64 characters of RFC 5280 appendix A. */
function nameOf({ commonName, unit }: CertificateTemplate['subject']): JsonName {
  return [{ O: ['Sekisho'] }, ...(unit === undefined ? [] : [{ OU: [unit] }]), { CN: [commonName] }];
}

/** 126 random bits behind 01: positive, never zero, always 16 octets (RFC 5280 4.1.2.2 allows 20). */
function newSerial(): string {
  const octets = randomBytes(16);
  octets.writeUInt8((octets.readUInt8(0) & 0x3f) | 0x40, 0);
  return octets.toString('hex');
}

function publicDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}
