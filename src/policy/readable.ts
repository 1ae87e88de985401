import * as z from 'zod';
import { isMap } from '../base/json-value.ts';
import type { Network } from './network.ts';
import type { SocketAddress } from './policy.types.ts';

/** T as far as it could be read: any part of it may be absent. */
export type Readable<T> = T extends string | number | boolean | Network | SocketAddress
  ? T
  : T extends readonly (infer E)[]
    ? readonly (Readable<E> | undefined)[]
    : { readonly [K in keyof T]?: Readable<T[K]> | undefined };

/**
 * What can be read of a value that does not fit the schema as a whole, so that one slip does not hide all others.
 * List items that cannot be read stay as undefined, so that indexes keep their meaning.
 */
export function readable<T extends z.ZodType>(schema: T, value: unknown): Readable<z.output<T>> | undefined {
  // The walk follows the schema, so what it builds has the schema's shape; the compiler cannot see that.
  return read(schema, value) as Readable<z.output<T>> | undefined;
}

function read(schema: unknown, value: unknown): unknown {
  if (schema instanceof z.ZodPrefault)
    return read(schema.unwrap(), value === undefined ? schema.def.defaultValue : value);
  if (schema instanceof z.ZodOptional) return value === undefined ? undefined : read(schema.unwrap(), value);
  if (schema instanceof z.ZodUnion) return read(branchFor(schema.options, value), value);
  if (schema instanceof z.ZodArray)
    return Array.isArray(value) ? value.map((item) => read(schema.element, item)) : undefined;
  if (schema instanceof z.ZodObject) {
    if (!isMap(value)) return undefined;
    return Object.fromEntries(Object.entries(schema.shape).map(([key, child]) => [key, read(child, value[key])]));
  }
  if (schema instanceof z.ZodRecord) {
    if (!isMap(value)) return undefined;
    const entries = Object.entries(value).map(([key, item]) => [
      read(schema.keyType, key),
      read(schema.valueType, item),
    ]);
    return Object.fromEntries(entries.filter(([key]) => key !== undefined));
  }
  return schema instanceof z.ZodType ? schema.safeParse(value).data : undefined;
}

/** The schema of what stands at a path, as far as the path is known. */
export function schemaAt(schema: unknown, value: unknown, path: readonly PropertyKey[]): unknown {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return schemaAt(schema.unwrap(), value, path);
  const [part, ...rest] = path;
  if (part === undefined) return schema;
  if (schema instanceof z.ZodUnion) return schemaAt(branchFor(schema.options, value), value, path);
  if (schema instanceof z.ZodObject) return schemaAt(schema.shape[String(part)], child(value, part), rest);
  if (schema instanceof z.ZodArray) return schemaAt(schema.element, child(value, part), rest);
  if (schema instanceof z.ZodRecord) return schemaAt(schema.valueType, child(value, part), rest);
  return undefined;
}

/** The member of a union that the value is meant to be, by its form: list, map or scalar; of several maps the first that knows one of its keys. */
export function branchFor(options: readonly unknown[], value: unknown): unknown {
  const fitting = options.filter((option) => {
    if (option instanceof z.ZodArray) return Array.isArray(value);
    if (option instanceof z.ZodObject) return isMap(value);
    return !Array.isArray(value) && !isMap(value);
  });
  const known = (option: unknown) =>
    option instanceof z.ZodObject && isMap(value) && Object.keys(value).some((key) => key in option.shape);
  return fitting.find(known) ?? fitting[0];
}

/** What stands at a path of plain values. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(child, value);
}

function child(value: unknown, part: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(part)];
  return isMap(value) && Object.hasOwn(value, part) ? value[String(part)] : undefined;
}
