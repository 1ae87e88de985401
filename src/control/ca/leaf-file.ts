import { X509Certificate } from 'node:crypto';
import { isIssuedBy } from './check-credential.ts';
import { leafOf, type Leaf } from './console-ca.ts';
import { parseKey } from './key.ts';
import { alternativeNamesOf, sortedNames } from './read-extensions.ts';

/** The names that one leaf carries. */
export interface LeafNames {
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
}

/** A leaf as it was kept, and who signed it. */
export interface KeptLeaf {
  readonly leaf: Leaf;
  readonly intermediate: X509Certificate;
}

/** Key, leaf and intermediate as one text, so that no reader ever finds the key of another certificate. A secret. */
export function leafText({ privateKey, certificateChain }: Leaf): string {
  return privateKey + certificateChain;
}

/** What `leafText` wrote, if it is a leaf for exactly these names, with its own key, by an intermediate of this root; else undefined. */
export function readLeaf(text: string, { hosts, addresses }: LeafNames, root: X509Certificate): KeptLeaf | undefined {
  const [keyText, ...chain] = text.match(pemBlock) ?? [];
  const [certificate, intermediate, ...more] = chain.flatMap(parseCertificate);
  const key = keyText === undefined ? undefined : parseKeyIfAny(keyText);
  if (key === undefined || certificate === undefined || intermediate === undefined || more.length > 0) return undefined;
  const names = sortedNames([
    ...hosts.map((value) => ({ type: 'dns', value })),
    ...addresses.map((value) => ({ type: 'ip', value })),
  ]);
  const good =
    certificate.checkPrivateKey(key) &&
    isIssuedBy(certificate, intermediate) &&
    isIssuedBy(intermediate, root) &&
    alternativeNamesOf(certificate).join() === names.join();
  return good ? { leaf: leafOf(certificate, key, intermediate), intermediate } : undefined;
}

const pemBlock = /-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----\n/g;

function parseCertificate(pem: string): X509Certificate[] {
  try {
    return [new X509Certificate(pem)];
  } catch {
    return [];
  }
}

function parseKeyIfAny(pem: string) {
  try {
    return parseKey(pem, '');
  } catch {
    return undefined;
  }
}
