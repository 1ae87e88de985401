import protobuf from 'protobufjs';
import protoJson from 'protobufjs/ext/protojson.js';
import { messageType } from './envoy-api.ts';
import { holdsPrivateKey, inlineSecrets, isSensitive } from './inline-secrets.ts';
import { isMap, type FieldPath } from '../base/json-value.ts';
import type { TypedJson } from './proto-json.ts';

/** A place at which ProtoJSON is not of its type. No part of a value stands in it but the names of fields, types and enums. */
export interface JsonFault {
  /** In the keys that its author wrote. */
  readonly path: FieldPath;
  /** Whether the key is wrong, or what stands behind it. */
  readonly at: 'key' | 'value';
  readonly kind: 'unknown-field' | 'unknown-type' | 'missing' | 'type' | 'twice';
  readonly message: string;
  /** What may stand there, where that is a list. */
  readonly known?: readonly string[];
}

export interface CanonicalJson {
  /** The same message in the field names of its .proto file, enums by name, types with Google's prefix. Without the places that have a fault. */
  readonly json: TypedJson;
  readonly faults: readonly JsonFault[];
  /** Where a secret stands in the text itself: fields that Envoy's API marks as sensitive, and private keys wherever they are. */
  readonly secrets: readonly FieldPath[];
}

/**
 * Reads a message that somebody wrote by hand. ProtoJSON lets one say the same thing in several ways (`access_log` or `accessLog`, an enum by name or by
 * number, any prefix before a type); whoever looks for a field must find it however it is written.
 * Source: https://protobuf.dev/programming-guides/json/
 */
export function canonicalJson(json: Readonly<Record<string, unknown>>): CanonicalJson {
  const found: Found = { faults: [], secrets: [] };
  const message = readAny(json, [], found);
  const secrets = [...new Map(found.secrets.map((path) => [JSON.stringify(path), path])).values()];
  return { faults: found.faults, secrets, json: { '@type': '', ...(isMap(message) ? message : {}) } };
}

/** Deeper than any configuration; protobuf's own parsers stop at 100 messages. */
const deepest = 200;

interface Found {
  readonly faults: JsonFault[];
  readonly secrets: FieldPath[];
}

function readAny(value: unknown, path: FieldPath, found: Found): unknown {
  if (!isMap(value)) return fault(found, path, 'type', 'a message with its "@type" belongs here');
  const url = value['@type'];
  if (url === undefined) return fault(found, path, 'missing', '"@type" is missing', 'key');
  if (typeof url !== 'string') return fault(found, [...path, '@type'], 'type', '"@type" wants text');
  const name = url.slice(url.lastIndexOf('/') + 1);
  const type = messageType(name);
  if (type === undefined) return fault(found, [...path, '@type'], 'unknown-type', `the type "${name}" is not known`);
  const typed = { '@type': `type.googleapis.com/${name}` };
  // The types that have a JSON form of their own stand in a field beside "@type".
  if (isWellKnown(type)) return { ...typed, value: readMessage(type, value['value'], [...path, 'value'], found) };
  const fields = Object.fromEntries(Object.entries(value).filter(([key]) => key !== '@type'));
  const message = readMessage(type, fields, path, found);
  return isMap(message) ? { ...typed, ...message } : undefined;
}

function readMessage(type: protobuf.Type, value: unknown, path: FieldPath, found: Found): unknown {
  if (path.length > deepest) return fault(found, path, 'type', 'this is nested too deep');
  if (type.fullName === '.google.protobuf.Any') return readAny(value, path, found);
  if (isWellKnown(type)) {
    if (holdsPrivateKey(JSON.stringify([value]))) found.secrets.push(path);
    const fits = accepts(() => protoJson.fromJson(type, value));
    return fits ? value : fault(found, path, 'type', `a ${shortName(type)} belongs here${exampleOf(type)}`);
  }
  if (!isMap(value)) return fault(found, path, 'type', `a ${shortName(type)} belongs here, which is a map`);
  const read: Record<string, unknown> = {};
  const choices = new Map<string, string>();
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, key];
    const field = type.fieldsArray.find(({ name, jsonName }) => key === name || key === jsonName);
    if (field === undefined) {
      const known = type.fieldsArray.map(({ name }) => name);
      found.faults.push({ ...keyFault(at, 'unknown-field', `${shortName(type)} has no field "${key}"`), known });
      continue;
    }
    // As in ProtoJSON: null is the same as absent.
    if (inner === null && !takesNull(field)) continue;
    const choice = field.partOf?.name;
    const earlier = Object.hasOwn(read, field.name)
      ? field.name
      : choice === undefined
        ? undefined
        : choices.get(choice);
    if (earlier !== undefined) {
      const message = `"${earlier}" stands here, too, and only one of the two may be set`;
      found.faults.push(keyFault(at, 'twice', message));
      continue;
    }
    if (choice !== undefined) choices.set(choice, key);
    if (isSensitive(field)) found.secrets.push(...inlineSecrets(inner, at));
    read[field.name] = readField(field, inner, at, found);
  }
  return read;
}

function readField(field: protobuf.Field, value: unknown, path: FieldPath, found: Found): unknown {
  if (field instanceof protobuf.MapField) {
    if (!isMap(value)) return fault(found, path, 'type', `"${field.name}" wants a map`);
    const one = ([key, item]: [string, unknown]) => [key, readOne(field, item, [...path, key], found, { [key]: item })];
    return Object.fromEntries(Object.entries(value).map(one));
  }
  if (field.repeated) {
    if (!Array.isArray(value)) return fault(found, path, 'type', `"${field.name}" wants a list`);
    return value.map((item: unknown, index) => readOne(field, item, [...path, index], found, [item]));
  }
  return readOne(field, value, path, found, value);
}

/** `alone`: the value as the field would hold it if it held nothing else. */
function readOne(field: protobuf.Field, value: unknown, path: FieldPath, found: Found, alone: unknown): unknown {
  const { resolvedType, parent } = field.resolve();
  if (typeof value === 'string' && holdsPrivateKey(value)) found.secrets.push(path);
  if (resolvedType instanceof protobuf.Type) return readMessage(resolvedType, value, path, found);
  const holder = parent instanceof protobuf.Type ? parent : undefined;
  if (value === null || (holder && !accepts(() => protoJson.fromJson(holder, { [field.name]: alone })))) {
    if (!(resolvedType instanceof protobuf.Enum))
      return fault(found, path, 'type', `"${field.name}" wants ${field.type}`);
    const known = Object.keys(resolvedType.values);
    found.faults.push({ path, at: 'value', kind: 'type', message: `"${field.name}" has no such value`, known });
    return undefined;
  }
  return resolvedType instanceof protobuf.Enum && typeof value === 'number'
    ? (resolvedType.valuesById[value] ?? value)
    : value;
}

/** Messages that ProtoJSON writes in a form of their own. */
function isWellKnown({ fullName }: protobuf.Type): boolean {
  return fullName.startsWith('.google.protobuf.') && fullName !== '.google.protobuf.Empty';
}

function takesNull(field: protobuf.Field): boolean {
  return field.resolve().resolvedType?.fullName === '.google.protobuf.Value';
}

function exampleOf({ name }: protobuf.Type): string {
  return name === 'Duration' ? ', such as "1.5s"' : '';
}

function shortName(type: protobuf.Type): string {
  return type.name;
}

function accepts(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

/** Notes it; what stands for the value is nothing. */
function fault(
  found: Found,
  path: FieldPath,
  kind: JsonFault['kind'],
  message: string,
  at: JsonFault['at'] = 'value',
): unknown {
  found.faults.push({ path, at, kind, message });
  return undefined;
}

function keyFault(path: FieldPath, kind: JsonFault['kind'], message: string): JsonFault {
  return { path, at: 'key', kind, message };
}
