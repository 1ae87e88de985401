import { resourceName } from '../control/resources/types.ts';
import type { ResourceInput } from '../control/xds/snapshot.ts';
import { encodeAny, type TypedJson } from '../wire/proto-json.ts';

/**
 * A resource of Envoy's API, written as in Envoy's own YAML with its `@type`, for a snapshot.
 * @throws SekishoError resource_invalid where a field, an enum value or the type is not known, or the name is missing
 */
export function resource(json: TypedJson): ResourceInput {
  return { type: json['@type'], name: resourceName(json), bytes: encodeAny(json) };
}
