import { createHash } from 'node:crypto';
import type { TypedJson } from '../wire/proto-json.ts';

/**
 * A hash of what a node gets. Of the certificates that are issued for its doors only the names count, so that a renewal leaves it as it is; those
 * that the policy itself brings count whole.
 */
export function contentHash(resources: readonly TypedJson[], certificateNames: unknown): string {
  const text = JSON.stringify([resources, certificateNames], withoutIssued);
  return createHash('sha256').update(text).digest('hex');
}

/** Only what we issued comes with its key: a policy may name a file on the Envoy's host, but no key may stand in it. */
function withoutIssued(field: string, value: unknown): unknown {
  return field === 'tls_certificate' && JSON.stringify(value).includes('"private_key":{"inline_string"')
    ? 'issued'
    : value;
}
