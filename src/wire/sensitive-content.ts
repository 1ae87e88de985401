import protobuf from 'protobufjs';
import { envoyApi } from './envoy-api.ts';
import { holdsPrivateKey, inlineSecrets, isSensitive } from './inline-secrets.ts';
import { walkAny } from './walk-any.ts';

/**
 * Whether a serialized `google.protobuf.Any` holds, or may hold, a secret: the value of a field that Envoy's API marks as sensitive, a private key anywhere,
 * or a message whose type is not known.
 */
export function mayHoldSecret(any: Buffer): boolean {
  if (holdsPrivateKey(any.toString('latin1'))) return true;
  let found = false;
  walkAny(any, {
    message: (type, fields) => {
      found ||= sensitiveFields(type).some(
        // A field that is not set has a default on the prototype.
        (name) => Object.hasOwn(fields, name) && inlineSecrets(fields[name], []).length > 0,
      );
    },
    opaque: () => {
      found = true;
    },
  });
  return found;
}

const known = new Map<string, readonly string[]>();

function sensitiveFields(type: string): readonly string[] {
  const names = known.get(type) ?? lookUp(type);
  known.set(type, names);
  return names;
}

function lookUp(type: string): readonly string[] {
  const found = envoyApi().lookup(type, protobuf.Type);
  return found instanceof protobuf.Type ? found.fieldsArray.filter(isSensitive).map(({ name }) => name) : [];
}
