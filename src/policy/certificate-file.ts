import { X509Certificate } from 'node:crypto';
import type { Refusal } from './problem.ts';

export interface CertificateFile {
  /** PEM text: certificates only, one after another. */
  readonly pem: string;
  readonly certificates: readonly X509Certificate[];
}

/** Reads a PEM file of certificates; `file` is its name, for people. */
export function parseCertificateFile(text: string, file: string): CertificateFile | Refusal {
  if (text.includes('PRIVATE KEY-----')) {
    return {
      refused: `"${file}" holds a private key`,
      remedy: 'leave only certificates in it; it goes to every Envoy',
    };
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    return {
      refused: `"${file}" holds no PEM certificate`,
      remedy: 'write a file with -----BEGIN CERTIFICATE----- blocks',
    };
  }
  try {
    return { pem: `${blocks.join('\n')}\n`, certificates: blocks.map((block) => new X509Certificate(block)) };
  } catch {
    return { refused: `"${file}" holds a certificate that cannot be read`, remedy: 'export it again as PEM (X.509)' };
  }
}
