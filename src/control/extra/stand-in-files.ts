import { isMap } from '../../base/json-value.ts';
import type { TypedJson } from '../../wire/proto-json.ts';

/** Paths of PEM files, a certificate and its key. */
export interface StandIn {
  readonly certificate: string;
  readonly key: string;
}

/**
 * A resource with the certificates and keys of `standIn` wherever it names such a file: it means one on the Envoy's host, and an Envoy that is asked for its
 * opinion here would miss it.
 */
export function withStandIn(resource: TypedJson, standIn: StandIn): TypedJson {
  const files: Readonly<Record<string, string>> = {
    certificate_chain: standIn.certificate,
    private_key: standIn.key,
    trusted_ca: standIn.certificate,
  };
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (!isMap(value)) return value;
    const fields = Object.entries(value).map(([field, inner]) => {
      const file = files[field];
      return [field, file !== undefined && isMap(inner) && 'filename' in inner ? { filename: file } : replace(inner)];
    });
    return Object.fromEntries(fields) as unknown;
  };
  return { ...(replace(resource) as Record<string, unknown>), '@type': resource['@type'] };
}
