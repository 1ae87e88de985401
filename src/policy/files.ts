import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { SekishoError, errnoOf } from '../base/errors.ts';
import type { Draft } from './draft.ts';
import { items } from './draft.ts';
import { limits } from './limits.ts';
import { finding } from './problem.ts';
import type { Finding, Path } from './problem.ts';

export type ReadFile = (path: string) => Promise<string | Uint8Array>;

export interface PolicyFiles {
  /** PEM text by the file's name in the policy: certificates only, one after another. */
  readonly certificates: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
}

/** Reads the PEM files that the policy names, each once, relative to the policy's folder. */
export async function readPolicyFiles(draft: Draft, folder: string, readFile: ReadFile): Promise<PolicyFiles> {
  const certificates = new Map<string, string>();
  const findings: Finding[] = [];
  for (const use of usesOf(draft)) {
    const read = await readCertificates(path.resolve(folder, use.file), use.file, readFile);
    if ('pem' in read && use.authorities && read.certificates.some((certificate) => !certificate.ca)) {
      const message = `"${use.file}" holds a certificate that is no authority`;
      findings.push(finding('file', use.path, message, 'write the authorities that sign, not what they signed'));
    } else if ('pem' in read) {
      certificates.set(use.file, read.pem);
    } else {
      findings.push(finding('file', use.path, read.message, read.remedy));
    }
  }
  return { certificates, findings };
}

interface FileUse {
  readonly path: Path;
  readonly file: string;
  /** Whether each certificate must be an authority. A trust anchor may be a server's own. */
  readonly authorities: boolean;
}

function usesOf(draft: Draft): FileUse[] {
  const doors = items(draft.doors).flatMap(({ value: { users }, index }): FileUse[] => {
    if (users === undefined || users === 'none' || users.certificate === undefined) return [];
    return [{ path: ['doors', index, 'users', 'certificate'], file: users.certificate, authorities: true }];
  });
  const trust = draft.console?.trust;
  return trust === undefined ? doors : [...doors, { path: ['console', 'trust'], file: trust, authorities: false }];
}

type Certificates = { pem: string; certificates: X509Certificate[] } | { message: string; remedy: string };

async function readCertificates(location: string, file: string, readFile: ReadFile): Promise<Certificates> {
  let text: string;
  try {
    const content = await readFile(location);
    text = typeof content === 'string' ? content : new TextDecoder().decode(content);
  } catch (caught) {
    const why = errnoOf(caught) ?? SekishoError.from(caught).message;
    return { message: `cannot read "${file}" (${why})`, remedy: `make ${location} readable, or correct the path` };
  }
  if (text.length > limits.pemBytes) {
    return {
      message: `"${file}" is larger than ${limits.pemBytes} bytes`,
      remedy: 'keep the certificates that are needed',
    };
  }
  if (text.includes('PRIVATE KEY-----')) {
    return {
      message: `"${file}" holds a private key`,
      remedy: 'leave only certificates in it; it goes to every Envoy',
    };
  }
  return parseCertificates(text, file);
}

function parseCertificates(text: string, file: string): Certificates {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    return {
      message: `"${file}" holds no PEM certificate`,
      remedy: 'write a file with -----BEGIN CERTIFICATE----- blocks',
    };
  }
  try {
    return { pem: `${blocks.join('\n')}\n`, certificates: blocks.map((block) => new X509Certificate(block)) };
  } catch {
    return { message: `"${file}" holds a certificate that cannot be read`, remedy: 'export it again as PEM (X.509)' };
  }
}
