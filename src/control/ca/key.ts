import { createPrivateKey, generateKeyPair, type KeyObject, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import { SekishoError } from '../../base/errors.ts';

/** A new P-256 private key. From the kernel's randomness and nothing else: a CA whose keys a caller can choose is no CA. */
export async function newKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })).privateKey;
}

/** PKCS #8, PEM: what Envoy, OpenSSL and Node read. */
export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Throws `ca_invalid` when the text is no unencrypted P-256 key. The text itself goes into no message. */
export function parseKey(pem: string, file: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch {
    // OpenSSL's own reason says less than the sentence below, and could quote what it read.
  }
  throw new SekishoError('ca_invalid', `${file} is not a PEM private key on P-256; restore it from its copy`, {
    facts: { file },
  });
}

/** The same key as WebCrypto, which the certificate library signs with. */
export async function signingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
}
