import { X509Certificate } from 'node:crypto';
import { SekishoError } from '../../base/errors.ts';

/** A certificate as a file that anybody may fetch. */
export interface PublishedCertificate {
  /** Where it is served: `/ca.pem`. */
  readonly path: `/${string}`;
  /** What a browser saves it as: `sekisho-console-root.pem`. */
  readonly name: string;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** SHA-256 of the DER form in hexadecimal pairs with colons, to be compared over another channel. */
  readonly fingerprint: string;
}

/**
 * A CA certificate in the two forms that clients import: PEM at `/ca.pem` (Linux, Firefox) and DER at `/ca.crt` (Windows, macOS, phones).
 * Both are written anew from the parsed certificate, so nothing else that stands in the text, a key for one, is ever served.
 * Throws `ca_invalid` where the text holds no certificate or one that is no CA.
 */
export function publishedCertificates(pem: string, name: string): readonly PublishedCertificate[] {
  const certificate = parsed(pem, name);
  const fingerprint = certificate.fingerprint256;
  return [
    {
      path: '/ca.pem',
      name: `${name}.pem`,
      contentType: 'application/x-pem-file',
      body: certificate.toString(),
      fingerprint,
    },
    {
      path: '/ca.crt',
      name: `${name}.crt`,
      contentType: 'application/x-x509-ca-cert',
      body: certificate.raw,
      fingerprint,
    },
  ];
}

function parsed(pem: string, name: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new SekishoError('ca_invalid', `${name}: no certificate in PEM form to publish`, { cause });
  }
  if (!certificate.ca) {
    throw new SekishoError(
      'ca_invalid',
      `${name}: the certificate of '${certificate.subject}' is no CA, so nobody should trust it as one`,
    );
  }
  return certificate;
}
