import { X509Certificate } from 'node:crypto';
import { canonicalJson } from '../../wire/canonical-json.ts';
import { isMap, type FieldPath } from '../../base/json-value.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import { resourceName, typeUrls } from '../resources/types.ts';

const withheld = '(withheld)';

/**
 * A resource as anybody may see it: what Envoy's API marks as sensitive is not in it, of certificates there is subject and SHA-256. Of a certificate
 * that the console CA issues, the names that it carries, from `issued` by the secret's name: these decide whether it is issued anew. Names of files
 * that hold a secret are none.
 */
export function shownResource(resource: TypedJson, issued: ReadonlyMap<string, readonly string[]>): TypedJson {
  const names = resource['@type'] === typeUrls.secret ? issued.get(resourceName(resource)) : undefined;
  if (names) return { '@type': resource['@type'], name: resource['name'], tls_certificate: { names } };
  const { json, secrets } = canonicalJson(resource);
  const sensitive = new Set(secrets.map(placeOf));
  return shown(json, [], (path) => sensitive.has(placeOf(path))) as TypedJson;
}

/** Whether a shown resource is a certificate that the console CA issues. */
export function isIssued({ tls_certificate: certificate }: TypedJson): boolean {
  return isMap(certificate) && Object.hasOwn(certificate, 'names');
}

function placeOf(path: FieldPath): string {
  return JSON.stringify(path);
}

function shown(value: unknown, path: FieldPath, sensitive: (path: FieldPath) => boolean): unknown {
  if (typeof value === 'string' && value.includes('-----BEGIN ')) return shownPem(value);
  if (sensitive(path)) return withheld;
  if (Array.isArray(value)) return value.map((item, index) => shown(item, [...path, index], sensitive));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [field, shown(inner, [...path, field], sensitive)]),
  );
}

function shownPem(text: string): readonly string[] {
  const blocks = text.match(/-----BEGIN [^-]+-----[^]*?-----END [^-]+-----/g) ?? [];
  return blocks.length === 0 ? [withheld] : blocks.map(shownBlock);
}

function shownBlock(pem: string): string {
  try {
    const { subject, fingerprint256 } = new X509Certificate(pem);
    return `${subject.replaceAll('\n', ', ')} (SHA-256 ${fingerprint256.replaceAll(':', '').toLowerCase()})`;
  } catch {
    // A key, or no certificate after all.
    return withheld;
  }
}
