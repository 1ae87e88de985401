import { bytesField } from '../../wire/protobuf.ts';
import { mayHoldSecret } from '../../wire/sensitive-content.ts';
import type { Resource } from './snapshot.ts';
import { secretType, type TypeUrl } from './type-urls.ts';

/** By resource, as clients that shall have the same share it. */
const shown = new WeakMap<Resource, Buffer>();

/**
 * A resource as it may be shown to people, a serialized `google.protobuf.Any`. Of a Secret, and of whatever else has a secret in it, nothing but its name is
 * left: in all types that are served that is field 1.
 */
export function shownContent(type: TypeUrl, resource: Resource): Buffer {
  const known = shown.get(resource);
  if (known) return known;
  const isSecret = type === secretType || mayHoldSecret(resource.bytes);
  const made = isSecret
    ? Buffer.concat([bytesField(1, type), bytesField(2, bytesField(1, resource.name))])
    : resource.bytes;
  shown.set(resource, made);
  return made;
}
