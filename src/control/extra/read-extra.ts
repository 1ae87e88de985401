import { limits } from '../../policy/limits.ts';
import type { ExtraResource } from '../../policy/policy.types.ts';
import { isMap } from '../../base/json-value.ts';
import { didYouMean } from '../../policy/suggest.ts';
import { canonicalJson, type JsonFault } from '../../wire/canonical-json.ts';
import type { FieldPath } from '../../base/json-value.ts';
import { encodeAny } from '../../wire/proto-json.ts';
import { typeUrls } from '../resources/types.ts';
import { shortType } from '../xds/type-urls.ts';
import type { Extra, ExtraFinding } from './extra.types.ts';

/** What was read of a resource; with findings there is no use in asking more of it. */
export interface ReadExtra {
  readonly extra: Extra;
  readonly findings: readonly ExtraFinding[];
}

/** A resource of the user's own in Envoy's words, however its author wrote it, and what by itself is wrong with it. Each is read once. */
export function readExtra(source: ExtraResource): ReadExtra {
  const known = alreadyRead.get(source);
  if (known) return known;
  const result = read(source);
  alreadyRead.set(source, result);
  return result;
}

/** Every group and every address of a node asks for the same ones. */
const alreadyRead = new WeakMap<ExtraResource, ReadExtra>();

function read(source: ExtraResource): ReadExtra {
  const { json, faults, secrets } = canonicalJson(source.json);
  const type = json['@type'];
  const name = json[nameField(type)];
  const extra: Extra = { source, resource: json, type, name: typeof name === 'string' ? name : '' };
  const findings = [
    ...faults.map((fault) => explain(source, fault)),
    ...secrets.map((path) => inlineSecret(source, path)),
    ...(faults.length === 0 ? [...strangeType(extra), ...badName(extra), ...unwritable(extra)] : []),
  ];
  return { extra, findings };
}

/** The types that the bootstrap lets an Envoy ask for, and that its own resources can refer to. */
const served: readonly string[] = Object.values(typeUrls);

function strangeType({ source, type }: Extra): ExtraFinding[] {
  if (served.includes(type)) return [];
  const message = `no Envoy of the fleet asks for a ${shortType(type)}`;
  const remedy = `write one of: ${served.map(shortType).join(', ')}`;
  return [{ source, path: ['@type'], at: 'value', code: 'value', message, remedy }];
}

function badName({ source, type, name }: Extra): ExtraFinding[] {
  if (!served.includes(type)) return [];
  const field = nameField(type);
  if (name === '') {
    const message = `"${field}" is missing`;
    return [{ source, path: [field], at: 'value', code: 'missing-key', message, remedy: 'give the resource a name' }];
  }
  if (name.length <= limits.resourceName) return [];
  const message = `the name has more than ${limits.resourceName} characters`;
  return [{ source, path: [field], at: 'value', code: 'limit', message, remedy: 'shorten it' }];
}

/** Each field has been looked at by itself; this is for what only shows in the whole. */
function unwritable({ source, resource }: Extra): ExtraFinding[] {
  try {
    encodeAny(resource);
    return [];
  } catch {
    const message = 'the resource cannot be written as a protobuf message';
    return [{ source, path: [], at: 'value', code: 'type', message, remedy: 'nest it less, or look at its values' }];
  }
}

export function nameField(type: string): string {
  return type === typeUrls.endpoints ? 'cluster_name' : 'name';
}

function explain(source: ExtraResource, { path, at, kind, message, known }: JsonFault): ExtraFinding {
  const finding = { source, path, at, message };
  switch (kind) {
    case 'unknown-field':
      return { ...finding, code: 'unknown-key', remedy: didYouMean(String(path.at(-1)), known ?? []) };
    case 'unknown-type':
      return {
        ...finding,
        code: 'value',
        remedy: 'correct the "@type"; types that came after Envoy 1.33 are not known',
      };
    case 'missing':
      return {
        ...finding,
        code: 'missing-key',
        remedy: 'add it, such as type.googleapis.com/envoy.config.cluster.v3.Cluster',
      };
    case 'twice':
      return { ...finding, code: 'duplicate', remedy: 'keep one of them' };
    case 'type':
      return {
        ...finding,
        code: 'type',
        remedy: known === undefined ? 'correct the value' : valuesOf(source, path, known),
      };
  }
}

function valuesOf({ json }: ExtraResource, path: FieldPath, known: readonly string[]): string {
  const value = path.reduce<unknown>((at, part) => (at as Readonly<Record<string | number, unknown>>)[part], json);
  return didYouMean(typeof value === 'string' ? value : '', known);
}

function inlineSecret(source: ExtraResource, path: FieldPath): ExtraFinding {
  const message = 'a secret stands in the text itself';
  const remedy = "name a file on the Envoy's host, such as {filename: /etc/envoy/site.key}";
  return { source, path, at: 'key', code: 'secret', message, remedy };
}

/** A path in Envoy's words, in those of the author: he may have written `accessLog` for `access_log`. What he has not written keeps its name. */
export function authoredPath(json: ExtraResource['json'], path: FieldPath): FieldPath {
  let at: unknown = json;
  return path.map((part) => {
    const other = typeof part === 'string' ? lowerCamel(part) : part;
    const key = isMap(at) && !Object.hasOwn(at, part) && Object.hasOwn(at, other) ? other : part;
    at = isMap(at) || Array.isArray(at) ? (at as Readonly<Record<string | number, unknown>>)[key] : undefined;
    return key;
  });
}

function lowerCamel(name: string): string {
  return name.replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
