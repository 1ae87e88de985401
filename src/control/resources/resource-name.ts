import { SekishoError } from '../../base/errors.ts';
import type { TypedJson } from '../../wire/proto-json.ts';

/** The name under which xDS knows a resource: `name`, or `cluster_name` of an endpoint set. */
export function resourceName(resource: TypedJson): string {
  const name = resource['name'] ?? resource['cluster_name'];
  if (typeof name === 'string' && name !== '') return name;
  throw new SekishoError('resource_invalid', `a resource of type ${resource['@type']} has no name`);
}
