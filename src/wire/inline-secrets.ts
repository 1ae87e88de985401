import type protobuf from 'protobufjs';
import { isMap, type FieldPath } from '../base/json-value.ts';

/** Whether a private key in PEM stands in a text. */
export function holdsPrivateKey(text: string): boolean {
  return text.includes('PRIVATE KEY-----');
}

/** Of a `DataSource` the text itself, while the name of a file or of a variable is no secret. */
export function inlineSecrets(value: unknown, path: FieldPath): FieldPath[] {
  if (typeof value === 'string') return [path];
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => inlineSecrets(item, [...path, index]));
  if (!isMap(value)) return [];
  const inline = ['inline_string', 'inlineString', 'inline_bytes', 'inlineBytes'];
  return inline.filter((key) => Object.hasOwn(value, key)).map((key) => [...path, key]);
}

/** Whether Envoy's API marks the field as one whose value is not to be shown. */
export function isSensitive({ options, resolvedType }: protobuf.Field): boolean {
  if (options?.['(udpa.annotations.sensitive)'] !== true) return false;
  return resolvedType === null || resolvedType.fullName === '.envoy.config.core.v3.DataSource';
}
